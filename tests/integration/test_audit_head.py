"""Whoever cuts the trail in the database, or writes it anew, disagrees with the head that was noted outside."""

import json
import logging
import stat

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text, update

from gateway.assessing.administration import prepare, verify_audit_trail
from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.audit_head import HeadNotes
from gateway.platform.database.audit_chain import row_hash
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import AuditHeadRow, AuditRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.settings import GatewaySettings
from shared.logs import configure_logging


@pytest.fixture
async def trail(tmp_path, database_url):
    """A trail of sixty lines whose head was noted after fifty."""
    settings = GatewaySettings(state_dir=tmp_path / "state", database_url=SecretStr(database_url), _env_file=None)
    prepare(settings)
    database = database_of(settings)
    audit = Audit(database.sessions)
    notes = HeadNotes(audit, KeyEncryptionKey(settings.data_key()), settings.audit_head_file())
    for number in range(60):
        await audit.write(None, f"key:{number}", AuditAction.ACCESS)
        if number == 29:
            async with database.sessions() as session:
                head = select(AuditHeadRow.length, AuditHeadRow.hash, AuditHeadRow.mac)
                earlier = (await session.execute(head)).one()
        if number == 49:
            await notes.note()
    yield settings, database, notes, earlier
    await database.close()


async def without_triggers(database):
    async with database.engine.begin() as connection:
        for name in ("audit_no_update", "audit_no_delete"):
            table = " ON audit" if database.is_shared else ""
            await connection.execute(text(f"DROP TRIGGER IF EXISTS {name}{table}"))
        if database.is_shared:
            await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))


async def cut(database, earlier):
    """Delete the end, and put back the head that the trail had then: no other would have a MAC that holds."""
    await without_triggers(database)
    async with database.sessions.begin() as session:
        await session.execute(text("DELETE FROM audit WHERE sequence > :left"), {"left": earlier.length})
        await session.execute(update(AuditHeadRow).values(earlier._asdict()))


async def test_a_whole_trail_agrees(trail):
    settings, _, notes, _ = trail
    found = await verify_audit_trail(settings, None)
    assert (found["ok"], found["length"], found["noted_length"]) == (True, 60, 50)
    await notes.note()
    assert notes.noted().length == 60
    assert stat.S_IMODE(settings.audit_head_file().stat().st_mode) == 0o600


async def test_a_trail_that_was_cut_does_not(trail, capsys):
    settings, database, notes, earlier = trail
    await cut(database, earlier)
    found = await verify_audit_trail(settings, None)
    assert not found["ok"]
    assert "written anew" in found["fault"]
    # Nor does the gateway note the shorter trail over the longer one: it says so in the log.
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("INFO")
    try:
        await notes.note()
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    assert [line["level"] for line in lines] == ["error"]
    assert notes.noted().length == 50


async def test_a_trail_that_was_written_anew_does_not(trail):
    settings, database, *_ = trail
    await without_triggers(database)
    async with database.sessions.begin() as session:
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.sequence))).all()
        rows[9].actor = "account:somebody-else"
        last = rows[8].hash
        for row in rows[9:]:
            row.previous = last
            row.hash = last = row_hash(row)
        await session.execute(update(AuditHeadRow).values(hash=last))
    found = await verify_audit_trail(settings, None)
    assert "row 10 was written by somebody other" in found["fault"]


@pytest.mark.parametrize("forged", ["", "nonsense", '{"length": 30}', None])
async def test_nobody_else_notes_a_head(trail, forged):
    """Without the data secret a note cannot be made for the trail that was cut; without any, the log has the heads."""
    settings, database, notes, earlier = trail
    noted = json.loads(settings.audit_head_file().read_text())
    await cut(database, earlier)
    length, head = await Audit(database.sessions).head()
    own = json.dumps({**noted, "length": length, "hash": head})
    settings.audit_head_file().write_text(own if forged is None else forged)
    assert notes.noted() is None
    assert (await verify_audit_trail(settings, noted["hash"]))["ok"] is False
