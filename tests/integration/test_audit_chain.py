"""The audit trail on both databases: chained by every writer, and no change to it goes unseen."""

import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, select, text, update
from sqlalchemy.exc import DatabaseError

from gateway.assessing.administration import prepare
from gateway.platform.audit import Audit, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.audit_chain import TRAIL, row_hash
from gateway.platform.database.engine import Database, database_of
from gateway.platform.database.tables import AuditHeadRow, AuditRow, OrganisationRow
from gateway.platform.encryption import CannotDecrypt, KeyEncryptionKey
from gateway.settings import GatewaySettings


@pytest.fixture
def settings(tmp_path, database_url):
    return GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)


@pytest.fixture
async def database(settings):
    prepare(settings)
    database = database_of(settings)
    yield database
    await database.close()


@pytest.fixture
async def audit(database):
    return Audit(database.sessions)


async def write(audit, count):
    for number in range(count):
        await audit.write(None, "operator", AuditAction.SIGN_IN, str(number))


async def tampered(database, *statements):
    """As somebody would who owns the database: the triggers are no match for that, the chain is."""
    off = {
        "sqlite": ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"],
        "postgresql": ["ALTER TABLE audit DISABLE TRIGGER audit_append_only"],
    }[database.engine.dialect.name]
    async with database.engine.begin() as connection:
        for statement in (*off, *statements):
            await connection.execute(text(statement))


async def test_a_whole_trail_is_found_whole(audit):
    assert (await audit.verify()).fault is None
    await write(audit, 3)
    found = await audit.verify()
    assert (found.length, found.fault) == (3, None)
    await write(audit, 2)
    assert (await audit.verify(noted_head=found.head)).fault is None
    assert "written anew" in (await audit.verify(noted_head="ab" * 32)).fault


async def test_many_writers_at_once_make_one_chain(audit):
    await asyncio.gather(*(write(audit, 5) for _ in range(12)))
    found = await audit.verify()
    assert (found.length, found.fault) == (60, None)


async def test_two_processes_of_a_kind_make_one_chain(settings, audit):
    other = database_of(settings)
    await asyncio.gather(write(audit, 20), write(Audit(other.sessions), 20))
    await other.close()
    found = await audit.verify()
    assert (found.length, found.fault) == (40, None)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit SET actor = 'somebody else' WHERE sequence = 3", "row 3 was changed"),
        ("UPDATE audit SET outcome = 'refused' WHERE sequence = 1", "row 1 was changed"),
        ("UPDATE audit SET address = '10.9.9.9' WHERE sequence = 5", "row 5 was changed"),
        ("DELETE FROM audit WHERE sequence = 1", "row 1 is missing"),
        ("DELETE FROM audit WHERE sequence = 3", "row 3 is missing"),
        ("DELETE FROM audit WHERE sequence >= 4", "rows 4 to 5 are missing at the end"),
        ("UPDATE audit_head SET length = 3", "the last row is not the one"),
        ("DELETE FROM audit_head", "head is missing"),
    ],
)
async def test_a_changed_or_missing_row_is_named(database, audit, statement, fault):
    await write(audit, 5)
    await tampered(database, statement)
    assert fault in (await audit.verify()).fault


async def test_a_line_that_is_added_without_the_secret_is_named(database, audit):
    """Whoever may write everything can compute the open hashes, but no MAC."""
    await write(audit, 5)
    line = audit_row(None, "operator", AuditAction.SIGN_IN, "forged")
    async with database.sessions() as session:
        last = (await session.scalars(select(AuditRow).where(AuditRow.sequence == 5))).one()
        line.sequence, line.previous = 6, last.hash
        line.hash, line.mac = row_hash(line), last.mac
    async with database.engine.begin() as connection:
        values = {column.name: getattr(line, column.name) for column in AuditRow.__table__.columns}
        await connection.execute(AuditRow.__table__.insert(), values)
        await connection.execute(update(AuditHeadRow).values(length=6, hash=line.hash))
    assert "row 6 was written by somebody other" in (await audit.verify()).fault


async def test_a_shorter_trail_with_a_head_to_match_is_named(database, audit):
    await write(audit, 5)
    await tampered(database, "DELETE FROM audit WHERE sequence > 3")
    async with database.engine.begin() as connection:
        last = select(AuditRow.hash).where(AuditRow.sequence == 3).scalar_subquery()
        await connection.execute(update(AuditHeadRow).values(length=3, hash=last))
    assert "head was written by somebody other" in (await audit.verify()).fault


async def test_a_key_of_somebody_elses_opens_nothing(database, audit):
    """A whole trail made with another key does not help: that key would have to be wrapped with the data secret."""
    await write(audit, 2)
    wrapped = KeyEncryptionKey("another" * 6).wrap(bytes(32), TRAIL)
    async with database.engine.begin() as connection:
        await connection.execute(update(AuditHeadRow).values(mac_key=wrapped))
    with pytest.raises(CannotDecrypt):
        await audit.verify()


async def test_rows_that_changed_places_are_named(database, audit):
    await write(audit, 5)
    swap = [
        "UPDATE audit SET sequence = 99 WHERE sequence = 2",
        "UPDATE audit SET sequence = 2 WHERE sequence = 3",
        "UPDATE audit SET sequence = 3 WHERE sequence = 99",
    ]
    await tampered(database, *swap)
    assert "row 2" in (await audit.verify()).fault


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
async def test_the_database_itself_refuses_changes(database, audit, statement):
    await write(audit, 1)
    with pytest.raises(DatabaseError, match="append-only"):
        async with database.engine.begin() as connection:
            await connection.execute(text(statement))


async def test_a_line_falls_with_its_transaction(database, audit):
    await write(audit, 1)
    async with database.sessions() as session:
        session.add(OrganisationRow(name="never", created_at=now()))
        session.add(audit_row(None, "operator", AuditAction.PATIENT_MADE))
        await session.flush()
        await session.rollback()
        await session.commit()
    async with database.sessions.begin() as session:
        session.add(OrganisationRow(name="made", created_at=now()))
        session.add(audit_row(None, "operator", AuditAction.PATIENT_MADE))
        session.add(audit_row(None, "operator", AuditAction.PATIENT_READ))
        await session.flush()
        # Nothing of the trail is written, and the head not locked, before the commit.
        assert len((await session.scalars(select(AuditRow))).all()) == 1
    found = await audit.verify()
    assert (found.length, found.fault) == (3, None)


def test_a_trail_of_the_first_version_is_chained_by_the_migration(database_url):
    import asyncio as loop

    from alembic import command
    from alembic.config import Config

    from gateway.platform.database.engine import MIGRATIONS, migrate

    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    config.attributes["url"] = database_url
    command.upgrade(config, "0001")
    url = make_url(database_url)
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    with engine.begin() as connection:
        for number, action in enumerate(["assessments listed", "sign-in refused", "key made"], 1):
            connection.execute(
                text(
                    "INSERT INTO audit (id, at, actor, action, subject) VALUES (:id, :at, 'operator', :action, 'MRN')"
                ),
                {
                    "id": f"0000000000000000000000000000000{number}",
                    "at": "2026-11-01 10:00:00.123456",
                    "action": action,
                },
            )
    kek = KeyEncryptionKey("s" * 32)
    migrate(database_url, kek)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT subject, outcome FROM audit ORDER BY sequence")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [(None, "done"), ("MRN", "refused"), ("MRN", "done")]

    async def verify():
        database = Database(database_url, kek)
        found = await Audit(database.sessions).verify()
        await database.close()
        return found

    with loop.Runner() as runner:
        found = runner.run(verify())
    assert (found.length, found.fault) == (3, None)
