"""New databases that are copies of one which was migrated once: all migrations in turn cost as much as most tests.

Only what stands in a new installation's database is copied, and the head of its audit trail gets that installation's
key, as migration 0012 gives it. tests/integration/test_database.py migrates in earnest, and so does every server that
the tests start as a process.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from gateway.assessing import administration
from gateway.platform.database.audit_chain import HEAD, TRAIL, head_mac
from gateway.platform.database.engine import migrate, revision, synchronous
from gateway.platform.encryption import KeyEncryptionKey, new_data_key

SOMEBODY_ELSE = KeyEncryptionKey("0" * 32)
HEADS = sa.table("audit_head", *(sa.column(name) for name in ("id", "length", "hash", "mac_key", "mac")))


@contextmanager
def copied() -> Iterator[None]:
    """Within the block a new installation's database is a copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(administration, "migrate", _migrated)
        yield


def _migrated(url: str, kek: KeyEncryptionKey, gateway_role: str | None = None) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        file = Path(str(parsed.database))
        if file.stat().st_size == 0:
            file.write_bytes(_sqlite())
            _give_key(url, kek)
    elif gateway_role is None and _is_empty(url):
        _postgres(parsed)
        _give_key(url, kek)
    migrate(url, kek, gateway_role)


def _is_empty(url: str) -> bool:
    """Whether it is there, with nothing in it."""
    try:
        return revision(url) is None
    except OperationalError:  # not there: the migration says so
        return False


@cache
def _sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "migrated.db"
        migrate(f"sqlite+aiosqlite:///{file}", SOMEBODY_ELSE)
        return file.read_bytes()


def _postgres(wanted: sa.URL) -> None:
    """Put a copy in the place of a database that has nothing in it."""
    template = f"migrated_{os.getpid()}"
    server = synchronous(wanted.set(database="postgres").render_as_string(hide_password=False))
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        there = connection.scalar(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": template})
        if there is None:
            connection.execute(sa.text(f'CREATE DATABASE "{template}"'))
            migrate(wanted.set(database=template).render_as_string(hide_password=False), SOMEBODY_ELSE)
        connection.execute(sa.text(f'DROP DATABASE "{wanted.database}"'))
        connection.execute(sa.text(f'CREATE DATABASE "{wanted.database}" TEMPLATE "{template}"'))


def _give_key(url: str, kek: KeyEncryptionKey) -> None:
    """The trail's key, sealed for this installation."""
    key = new_data_key()
    with synchronous(url).begin() as connection:
        head = connection.execute(sa.select(HEADS.c.length, HEADS.c.hash).where(HEADS.c.id == HEAD)).one()
        made = {"mac_key": kek.wrap(key, TRAIL), "mac": head_mac(key, head.length, head.hash)}
        connection.execute(HEADS.update().where(HEADS.c.id == HEAD).values(made))
