"""A whole database in one file, and back: the same on SQLite and PostgreSQL, from one to the other too.

The file is a ZIP: `manifest.json` and one `tables/<name>.jsonl` a table, a row a line. It is written from one snapshot
while the installation runs. What was encrypted stays encrypted; the secret that opens it is not in the tables.
"""

import base64
import datetime as dt
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, func, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import TypeEngine

from gateway.platform.clock import now
from gateway.platform.database.audit_chain import HEAD
from gateway.platform.database.engine import DatabaseUnavailable, newest_revision, synchronous
from gateway.platform.database.tables import AuditHeadRow, AuditStreamRow, Table, UtcDateTime
from gateway.platform.encryption import CannotDecrypt, KeyEncryptionKey
from shared.problems import InvalidInput

FORM = 1
ROWS_AT_ONCE = 500
NOBODY = UUID(int=0)
KNOWN = b"trabecula backup"
# Tables of one row each, which is there from the start.
MADE_BY_MIGRATION = (AuditHeadRow.__tablename__, AuditStreamRow.__tablename__)


@dataclass(frozen=True)
class Manifest:
    """What a backup holds; a restore has to come to the same counts and the same head of the audit trail."""

    form: int
    revision: str
    made_at: str
    rows: dict[str, int]
    digests: dict[str, str]
    audit_head: str
    secret_check: str


def back_up(url: str, archive: zipfile.ZipFile, kek: KeyEncryptionKey) -> Manifest:
    """Write every table and the manifest into an open archive. Blocking.

    Raises:
        InvalidInput: the database is of another version.
    """
    rows: dict[str, int] = {}
    digests: dict[str, str] = {}
    with _snapshot(url) as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision != newest_revision():
            raise InvalidInput(
                f"The database has schema {revision or 'none'} and this version {newest_revision()}: back it up with "
                "the version that runs on it."
            )
        for table in Table.metadata.sorted_tables:
            rows[table.name], digests[table.name] = _write(connection, table, archive)
        head = connection.execute(select(AuditHeadRow.hash).where(AuditHeadRow.id == HEAD)).scalar_one()
    check = base64.b64encode(kek.wrap(KNOWN, NOBODY)).decode()
    manifest = Manifest(FORM, str(revision), now().isoformat(), rows, digests, head.hex(), check)
    archive.writestr("manifest.json", json.dumps(asdict(manifest), indent=2))
    return manifest


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """The manifest of an archive.

    Raises:
        InvalidInput: it is no backup, or one of a later form.
    """
    try:
        manifest = Manifest(**json.loads(archive.read("manifest.json")))
    except (KeyError, ValueError, TypeError) as error:
        raise InvalidInput("This file is not a backup of Trabecula, or one of a later version.") from error
    if manifest.form != FORM:
        raise InvalidInput(f"This backup is of form {manifest.form}; this version reads form {FORM}.")
    return manifest


def restore(url: str, archive: zipfile.ZipFile, manifest: Manifest, kek: KeyEncryptionKey) -> None:
    """Fill an empty, migrated database, all or nothing. Blocking.

    Raises:
        InvalidInput: the archive is damaged or of another schema, the database is not empty, or the data secret is not
            the one that the backup was made with.
    """
    _check_secret(manifest, kek)
    with _transaction(url) as connection:
        if newest_revision() != manifest.revision:
            raise InvalidInput(
                f"The backup has schema {manifest.revision} and this version {newest_revision()}: restore it with the "
                "version that it was made with, then upgrade."
            )
        for table in Table.metadata.sorted_tables:
            if table.name not in MADE_BY_MIGRATION and connection.execute(select(table).limit(1)).first():
                raise InvalidInput("The database is not empty: restore into a new state folder or a new database.")
        for row in (AuditHeadRow, AuditStreamRow):
            connection.execute(delete(row))
        for table in Table.metadata.sorted_tables:
            _read(connection, table, archive, manifest)
        _check_counts(connection, manifest)


def _check_secret(manifest: Manifest, kek: KeyEncryptionKey) -> None:
    try:
        kek.unwrap(base64.b64decode(manifest.secret_check), NOBODY)
    except CannotDecrypt as error:
        raise InvalidInput(
            "The data secret here is not the one that this backup was made with: put that installation's file "
            "data_secret into the state folder, or set TRABECULA_DATA_SECRET."
        ) from error


def _check_counts(connection: Connection, manifest: Manifest) -> None:
    for table in Table.metadata.sorted_tables:
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if count != manifest.rows.get(table.name, 0):
            raise InvalidInput(f"Table {table.name} came to {count} rows instead of {manifest.rows.get(table.name)}.")
    head = connection.execute(select(AuditHeadRow.hash).where(AuditHeadRow.id == HEAD)).scalar_one()
    if head.hex() != manifest.audit_head:
        raise InvalidInput("The audit trail's head is not the one of the backup.")


def _write(connection: Connection, table: SqlTable, archive: zipfile.ZipFile) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    rows = connection.execute(select(table), execution_options={"yield_per": ROWS_AT_ONCE})
    with archive.open(_member(table), "w", force_zip64=True) as file:
        for row in rows:
            line = json.dumps([_out(value) for value in row], separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
    return count, digest.hexdigest()


def _read(connection: Connection, table: SqlTable, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    if table.name not in manifest.rows:
        return
    digest = hashlib.sha256()
    readers = [(column.name, _reader(column.type)) for column in table.columns]
    for lines in _batches(archive, _member(table)):
        for line in lines:
            digest.update(line)
        rows = [json.loads(line) for line in lines]
        connection.execute(
            table.insert(),
            [
                {name: None if value is None else read(value) for (name, read), value in zip(readers, row, strict=True)}
                for row in rows
            ],
        )
    if digest.hexdigest() != manifest.digests[table.name]:
        raise InvalidInput(f"The backup is damaged: table {table.name} is not as it was written.")
    _number_on(connection, table)


def _number_on(connection: Connection, table: SqlTable) -> None:
    """Let the numbers that PostgreSQL gives rows go on after those that were read; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.columns:
        if column.identity is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            last = select(func.max(column)).scalar_subquery()
            connection.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


def _batches(archive: zipfile.ZipFile, member: str) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    with archive.open(member) as file:
        for line in file:
            batch.append(line)
            if len(batch) == ROWS_AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch


def _member(table: SqlTable) -> str:
    return f"tables/{table.name}.jsonl"


def _out(value: Any) -> Any:
    """A value as JSON has it; a column's own type tells how to read it back."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _reader(column: TypeEngine[Any]) -> Callable[[Any], Any]:
    kind = dt.datetime if isinstance(column, UtcDateTime) else column.python_type
    readers: dict[type[Any], Callable[[Any], Any]] = {
        bytes: base64.b64decode,
        dt.datetime: dt.datetime.fromisoformat,
        dt.date: dt.date.fromisoformat,
        UUID: UUID,
    }
    return readers.get(kind, lambda value: value)


@contextmanager
def _snapshot(url: str) -> Iterator[Connection]:
    """A connection to whose reads nothing that others write meanwhile is visible."""
    with _connected(url) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    with _connected(url) as connection, connection.begin():
        yield connection


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = synchronous(url)
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise DatabaseUnavailable(str(getattr(error, "orig", error)).splitlines()[0]) from error
    finally:
        engine.dispose()
