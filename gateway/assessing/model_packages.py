"""A model package comes into the installation: signed by somebody who is trusted, and whole, or not at all."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from gateway.records.model_use import SIDE_BY_SIDE
from shared.components import SERVICE_NAMES
from shared.manifest import MANIFEST, DamagedModel, verify_manifest
from shared.packages import VERSION, names_of, versions
from shared.problems import Conflict, InvalidInput
from shared.settings import ServiceSettings
from shared.signatures import require_signature

# Settings need a secret of this length; reading a folder's name from them needs none.
UNUSED_SECRET = SecretStr("0" * 32)


@dataclass(frozen=True)
class AddedPackage:
    """A package that is here now, and who signed it."""

    service: str
    version: str
    signer: str
    folder: str


def package_settings() -> ServiceSettings:
    """Where packages lie, and whose are loaded, as every service reads it."""
    return ServiceSettings(internal_secret=UNUSED_SECRET)


def add_package(source: Path) -> AddedPackage:
    """Copy a package to where services look for it. Its copy is verified before it has its name there.

    Raises:
        InvalidInput: there is no package in the folder, or none of a service.
        DamagedModel: it is not whole, or nobody who is trusted has signed it.
        Conflict: there is one of this version.
    """
    if not (source / MANIFEST).is_file():
        raise InvalidInput(f"{source} is no package: name the folder with its {MANIFEST}.")
    settings = package_settings()
    service, version = names_of(source)
    if service not in SERVICE_NAMES or not VERSION.fullmatch(version):
        raise InvalidInput(f"{source} is a package of '{service}' in version '{version}', which no service here reads.")
    target = settings.models / service / version
    if target.exists():
        raise Conflict(f"{target} is there already, and is kept for the way back: give the package another version.")
    part = target.with_name(f".{uuid4().hex}.part")
    try:
        shutil.copytree(source, part)
        signer = require_signature(part, settings.signers)
        verify_manifest(part)
        part.rename(target)
    except DamagedModel as error:  # what it names is the copy, which is gone again
        raise type(error)(error.detail.replace(str(part), str(source))) from error
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return AddedPackage(service, version, signer, str(target))


def packages() -> dict[str, list[str]]:
    """The versions that lie here, by service."""
    models = package_settings().models
    return {service: versions(models, service) for service in SIDE_BY_SIDE}


def read_version(written: str) -> tuple[str, str]:
    """A service and a version of its package, as `staging:2026.12`.

    Raises:
        InvalidInput: it is written otherwise, or the service has one version at a time.
    """
    service, colon, version = written.partition(":")
    check_service(service)
    if not colon or not VERSION.fullmatch(version):
        raise InvalidInput(f"'{written}': write service and version, such as staging:2026.12.")
    return service, version


def check_service(service: str) -> None:
    """Raise `InvalidInput` where a service has one version at a time."""
    if service not in SIDE_BY_SIDE:
        raise InvalidInput(f"'{service}': {' and '.join(SIDE_BY_SIDE)} can have a version in the shadow.")
