"""A second version of a shipped package, signed: the same network under another version in its card."""

import json
import shutil
from importlib import import_module
from pathlib import Path

from shared.manifest import write_manifest
from shared.signatures import make_key, sign_package


def new_version(service: str, version: str, folder: Path) -> Path:
    """The shipped package of a service as this version, unsigned, in a folder of its own below `folder`."""
    package = folder / f"{service}-{version}"
    shutil.copytree(import_module(f"services.{service}.settings").SHIPPED, package)
    card = json.loads((package / "card.json").read_text())
    (package / "card.json").write_text(json.dumps({**card, "version": version}))
    write_manifest(package)
    return package


def signed_version(service: str, version: str, folder: Path, key: Path) -> tuple[Path, str]:
    """The same, signed; and what `TRABECULA_MODEL_SIGNERS` has to say. The key is made where there is none."""
    public = None if key.exists() else make_key(key)
    package = new_version(service, version, folder)
    public = sign_package(package, key) or public
    return package, f"physics:{public}"
