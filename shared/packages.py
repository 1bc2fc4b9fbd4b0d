"""Model packages by version: MODELS/NAME/VERSION, each with its network, its card and the manifest of all its files.

Training makes one (`shared/training/run.py`), a setting names the one that serves, and the old ones stay: the way back
is the setting before. Without a version the model that the project ships serves.
"""

import json
import re
from pathlib import Path

from shared.manifest import MANIFEST, DamagedModel

CARD = "card.json"
# A version is one plain folder name: no path can be made of it.
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,63}")


class MissingVersion(DamagedModel):
    """There is no package of the version that the settings name; the message says which there are."""


def model_folder(shipped: Path, models: Path, name: str, version: str) -> Path:
    """The folder of the model that is to serve.

    Args:
        shipped: the folder of the model that the project ships, for an empty version.
        models: the folder that holds the packages.

    Raises:
        MissingVersion: there is no such package.
        DamagedModel: its card cannot be read, or is of another version.
    """
    if not version:
        return shipped
    folder, setting = models / name / version, f"TRABECULA_{name.upper()}_VERSION={version}"
    if not VERSION.fullmatch(version):
        raise MissingVersion(f"{setting} is no version: letters, digits and . _ + - only.")
    if not (folder / MANIFEST).is_file():
        available = ", ".join(versions(models, name)) or "none"
        raise MissingVersion(
            f"{setting}: there is no such package (in {models / name} there are: {available}). Copy it to {folder}, "
            "name another version, or take the setting out for the model that the project ships."
        )
    try:
        written = json.loads((folder / CARD).read_bytes())["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedModel(f"{folder / CARD} cannot be read: copy the package again, whole.") from error
    if written != version:
        raise DamagedModel(
            f"{folder} holds the version {written} by its card: rename the folder, or copy the right one."
        )
    return folder


def versions(models: Path, name: str) -> list[str]:
    """The versions of which there is a package with a manifest, in order of their names."""
    return sorted(manifest.parent.name for manifest in (models / name).glob(f"*/{MANIFEST}"))
