"""`trabecula backup` and `restore`: the database as one file, and the secrets that it cannot be read without."""

import os
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gateway.assessing.administration import open_database, prepare
from gateway.assessing.noted import note
from gateway.platform.audit import Audit
from gateway.platform.database import backup as dump
from gateway.platform.encryption import installation_key
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.problems import Conflict, InvalidInput

SECRETS = {"data_secret": GatewaySettings.data_key, "token_secret": GatewaySettings.token_key}
SEPARATE = (
    "The data secret is NOT in this backup. Without it nothing about any patient can be read again: keep a copy of "
    "{secret} apart from the backups, or make them with --with-secrets and guard them like the secret itself."
)
INCLUDED = "The secrets are in this backup: whoever has it can read everything. Guard it like the secret itself."


def back_up(settings: GatewaySettings, file: Path, with_secrets: bool) -> dict[str, Any]:
    """Write a backup, which only its owner can read; the installation may run meanwhile.

    Raises:
        Conflict: the file exists.
        InvalidInput: it cannot be written.
    """
    database = settings.sqlite_file()
    if database is not None and not database.exists():
        raise InvalidInput(f"There is no database at {database}: nothing to back up.")
    part = file.with_name(file.name + ".part")
    try:
        if file.exists():
            raise Conflict(f"{file} exists: name a new file.")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle, zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = dump.back_up(settings.sqlalchemy_url(), archive, installation_key(settings))
            for name, value in SECRETS.items() if with_secrets else ():
                archive.writestr(f"secrets/{name}", value(settings))
        part.replace(file)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    note(settings, "last_backup", file=str(file), rows=sum(manifest.rows.values()))
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "rows": manifest.rows,
        "audit_head": manifest.audit_head,
        "secrets": with_secrets,
        "warning": INCLUDED if with_secrets else SEPARATE.format(secret=settings.data_key_source()),
    }


async def restore(settings: GatewaySettings, file: Path) -> dict[str, Any]:
    """Fill an empty installation from a backup, and check what came of it: counts, and the audit trail's whole chain.

    Raises:
        InvalidInput: the file is no whole backup, the database is not empty, or the data secret is another one.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = dump.read_manifest(archive)
            _secrets(settings, archive)  # before anything makes new ones
            prepare(settings.model_copy(update={"migrate": True}))  # whoever restores wants a schema
            dump.restore(settings.sqlalchemy_url(), archive, manifest, installation_key(settings))
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{file} cannot be read as a backup: {error}.") from error
    async with open_database(settings) as database:
        chain = await Audit(database.sessions).verify(manifest.audit_head)
    if chain.fault:
        raise InvalidInput(f"Restored, but the audit trail is not whole: {chain.fault}.")
    return {"file": str(file), "rows": manifest.rows, "audit_head": chain.head, "audit_length": chain.length}


def _secrets(settings: GatewaySettings, archive: zipfile.ZipFile) -> None:
    """The backup's secrets, put where none is yet; one that is there stays, and a wrong one is noticed afterwards."""
    for name in SECRETS:
        target = settings.state_dir / name
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if f"secrets/{name}" in archive.namelist() and getattr(settings, name) is None and not target.exists():
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(archive.read(f"secrets/{name}"))


async def drill(settings: GatewaySettings, file: Path) -> dict[str, Any]:
    """Restore a backup into a database of its own, open what it holds, and delete it: what a restore would take.

    Raises:
        InvalidInput: the backup cannot be restored.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="restore-drill-", dir=settings.state_dir) as folder:
        # The same secrets, in a state folder of its own; the live database is not touched.
        elsewhere = settings.model_copy(
            update={
                "state_dir": Path(folder),
                "database_url": None,
                "data_secret": SecretStr(settings.data_key()),
                "data_secret_command": None,
                "data_secret_file": None,
                "gateway_role": None,
                "migrate": True,
            }
        )
        done = await restore(elsewhere, file)
        async with open_database(elsewhere) as database:
            await Patients(database.sessions, installation_key(elsewhere)).check_secret()
    seconds = round(time.monotonic() - began, 1)
    note(settings, "last_restore_drill", seconds=seconds, rows=sum(done["rows"].values()), file=file.name)
    return {**done, "seconds": seconds}
