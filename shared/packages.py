"""Model packages by version: MODELS/NAME/VERSION, each with its network, its card and the manifest of all its files.

Training makes one (`shared/training/run.py`), a setting names the one that serves, and the old ones stay: the way back
is the setting before. Without a version the model that the project ships serves. A package that did not come with the
project is loaded only with the signature of somebody whom the settings name.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from shared.manifest import MANIFEST, DamagedModel
from shared.signatures import require_signature

CARD = "card.json"
# A version is one plain folder name: no path can be made of it.
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,63}")


class MissingVersion(DamagedModel):
    """There is no package of the version that the settings name; the message says which there are."""


def model_folder(shipped: Path, models: Path, name: str, version: str, signers: Mapping[str, str]) -> Path:
    """The folder of the model that is to serve by the settings.

    Args:
        shipped: the folder of the model that the project ships, for an empty version.
        models: the folder that holds the packages.
        signers: the public keys of those whose packages are loaded, by name.

    Raises:
        MissingVersion: there is no such package.
        DamagedModel: its card cannot be read or is of another version, or nobody who is trusted has signed it.
    """
    if not version:
        return shipped
    try:
        return package_folder(models, name, version, signers)
    except MissingVersion as error:
        raise MissingVersion(
            f"TRABECULA_{name.upper()}_VERSION={version}: {error.detail} Without the setting, the model that the "
            "project ships serves."
        ) from error


def package_folder(models: Path, name: str, version: str, signers: Mapping[str, str]) -> Path:
    """The folder of a package that did not come with the project, once its signature was verified.

    Raises: as `model_folder`.
    """
    folder = models / name / version
    if not VERSION.fullmatch(version):
        raise MissingVersion(f"'{version}' is no version: letters, digits and . _ + - only.")
    if not (folder / MANIFEST).is_file():
        available = ", ".join(versions(models, name)) or "none"
        raise MissingVersion(
            f"there is no such package (in {models / name} there are: {available}). Copy it to {folder}, or name "
            "another version."
        )
    service, written = names_of(folder)
    if (service, written) != (name, version):
        raise DamagedModel(f"{folder} holds {service} {written} by its card: rename the folder, or copy the right one.")
    require_signature(folder, signers)
    return folder


def names_of(folder: Path) -> tuple[str, str]:
    """The service and the version that a package is of, by its card.

    Raises:
        DamagedModel: the card cannot be read.
    """
    try:
        card = json.loads((folder / CARD).read_bytes())
        return str(card["service"]), str(card["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedModel(f"{folder / CARD} cannot be read: copy the package again, whole.") from error


def versions(models: Path, name: str) -> list[str]:
    """The versions of which there is a package with a manifest, in order of their names."""
    return sorted(manifest.parent.name for manifest in (models / name).glob(f"*/{MANIFEST}"))
