"""The audit trail's chain: each row carries the hash of the one before, so a changed, missing or moved row shows.

Whoever may write to the database could compute the hashes anew. So each row, and the head, carries an HMAC too, with a
key that only the data secret opens. What is left to such a writer is to put back an older state of rows and head
together: the head that is noted outside the database shows that.

Rows are added to a session like any other. They are held back until everything else of the transaction is written,
and then chained and written just before the commit: the head of the chain is one row, so it is locked for as short a
time as can be, and always last, which leaves no order in which two transactions could wait for each other.
"""

import datetime as dt
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID

from sqlalchemy import event, update
from sqlalchemy.orm import Session

from gateway.platform.database.tables import AuditHeadRow, AuditRow
from gateway.platform.encryption import KeyEncryptionKey

START = bytes(32)
HEAD = 1
# What the key of the trail's HMACs is wrapped for.
TRAIL = UUID(int=HEAD)
# Of a session: what opens that key.
KEK = "key-encryption key"
_HELD = "audit rows"


class ChainedSession(Session):
    """A session that chains its audit rows when it commits."""


def row_hash(row: AuditRow) -> bytes:
    """SHA-256 over every field of a row and the hash of the row before, in one fixed form of JSON."""
    fields: list[Any] = [
        row.sequence,
        row.previous.hex(),
        str(row.id),
        row.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        row.organisation_id and str(row.organisation_id),
        row.actor,
        row.action,
        row.subject,
        row.outcome,
        row.address,
        row.request_id,
    ]
    return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).digest()


def row_mac(key: bytes, row_hash: bytes) -> bytes:
    """What shows that this installation wrote a row: an HMAC of its hash."""
    return hmac.digest(key, b"row" + row_hash, "sha256")


def head_mac(key: bytes, length: int, hash_of_last: bytes) -> bytes:
    """What shows that this installation ended the trail so."""
    return hmac.digest(key, f"head {length} ".encode() + hash_of_last, "sha256")


@event.listens_for(ChainedSession, "before_flush")
def _hold_back(session: Session, *_: Any) -> None:
    for row in [row for row in session.new if isinstance(row, AuditRow) and row.sequence is None]:
        session.expunge(row)
        session.info.setdefault(_HELD, []).append(row)


@event.listens_for(ChainedSession, "before_commit")
def _chain(session: Session) -> None:
    session.flush()
    rows: list[AuditRow] = session.info.pop(_HELD, [])
    if not rows:
        return
    # The first statement is a write: it locks the head on PostgreSQL, and the file on SQLite.
    grown = update(AuditHeadRow).where(AuditHeadRow.id == HEAD).values(length=AuditHeadRow.length + len(rows))
    length, last, wrapped = session.execute(
        grown.returning(AuditHeadRow.length, AuditHeadRow.hash, AuditHeadRow.mac_key)
    ).one()
    kek: KeyEncryptionKey = session.info[KEK]
    key = kek.unwrap(wrapped, TRAIL)
    for sequence, row in enumerate(rows, length - len(rows) + 1):
        row.sequence, row.previous = sequence, last
        row.hash = last = row_hash(row)
        row.mac = row_mac(key, last)
    session.add_all(rows)
    ended = {"hash": last, "mac": head_mac(key, length, last)}
    session.execute(update(AuditHeadRow).where(AuditHeadRow.id == HEAD).values(ended))


@event.listens_for(ChainedSession, "after_soft_rollback")
def _forget(session: Session, _: Any) -> None:
    session.info.pop(_HELD, None)
