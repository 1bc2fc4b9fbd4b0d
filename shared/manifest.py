"""The checksum manifest beside every model: a damaged or exchanged file is found before it is trusted."""

import hashlib
import json
from pathlib import Path

from shared.problems import TrabeculaError

MANIFEST = "manifest.json"
# Of the manifest, so that it cannot be named in it: `shared.signatures`.
SIGNATURE = "signature.json"


class DamagedModel(TrabeculaError):
    """A model file is missing or is not the one the manifest was written for; the message says how to mend it."""


def checksum(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write_manifest(folder: Path) -> None:
    """Record every file of a model folder, and of the folders in it."""
    files = {
        file.relative_to(folder).as_posix(): checksum(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in (MANIFEST, SIGNATURE)
    }
    (folder / MANIFEST).write_text(json.dumps({"sha256": files}, indent=2) + "\n")


def verify_manifest(folder: Path) -> None:
    """Compare every file that the manifest names.

    Raises:
        DamagedModel: the manifest or a file is missing or differs.
    """
    try:
        expected: dict[str, str] = json.loads((folder / MANIFEST).read_text())["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedModel(f"{folder / MANIFEST} cannot be read: {_cure(folder)}") from error
    for name, digest in expected.items():
        file = folder / name
        if not file.is_file():
            raise DamagedModel(f"The model file {file} is missing: {_cure(folder)}")
        if checksum(file) != digest:
            raise DamagedModel(f"The model file {file} is damaged (its checksum differs): {_cure(folder)}")


def _cure(folder: Path) -> str:
    return (
        f"restore it with 'git checkout -- {folder}' or from the release you installed; "
        "a package of your own: copy it again, whole, or go back to another version."
    )
