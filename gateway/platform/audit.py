"""The audit trail: rows are added and never changed. It names things by id; it holds no record and no image."""

import datetime as dt
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, select

from gateway.platform.audit_actions import AuditAction
from gateway.platform.client_address import client_address
from gateway.platform.clock import now
from gateway.platform.database.audit_chain import HEAD, KEK, START, TRAIL, head_mac, row_hash, row_mac
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AuditHeadRow, AuditRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.paging import Page, paged
from shared.logs import request_id

Outcome = Literal["done", "refused", "not found", "failed"]
ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class AuditLine:
    """Who did what to which thing, from where, and how it ended. `hash` is of this line and the one before."""

    sequence: int
    id: UUID
    at: dt.datetime
    actor: str
    action: str
    subject: str | None
    outcome: str
    address: str | None
    request_id: str | None
    hash: str


@dataclass(frozen=True)
class Selection:
    """Which lines of the trail are wanted; null is no condition. `before` and `after` are sequence numbers."""

    before: int | None = None
    actor: str | None = None
    subject: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    after: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for the database."""
        wanted: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
            (self.before, lambda value: AuditRow.sequence < value),
            (self.after, lambda value: AuditRow.sequence > value),
            (self.actor, lambda value: AuditRow.actor == value),
            (self.subject, lambda value: AuditRow.subject == value),
            (self.since, lambda value: AuditRow.at >= value),
            (self.until, lambda value: AuditRow.at < value),
        ]
        return [condition(value) for value, condition in wanted if value is not None]


@dataclass(frozen=True)
class Chain:
    """What a check of the whole trail found; `fault` is null where every row is as it was written."""

    length: int
    head: str
    fault: str | None


class Audit:
    """Writes the trail and checks its chain."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def write(
        self,
        organisation_id: UUID | None,
        actor: str,
        action: AuditAction,
        subject: str | None = None,
        outcome: Outcome = "done",
    ) -> None:
        """One line of the trail, in a transaction of its own."""
        async with self._sessions.begin() as session:
            session.add(audit_row(organisation_id, actor, action, subject, outcome))

    async def page(self, organisation_id: UUID, limit: int, wanted: Selection) -> Page[AuditLine, int]:
        """The organisation's lines, newest first; after a line oldest first."""
        query = select(AuditRow).where(AuditRow.organisation_id == organisation_id, *wanted.conditions())
        order = AuditRow.sequence.desc() if wanted.after is None else AuditRow.sequence.asc()
        async with self._sessions() as session:
            rows = (await session.scalars(query.order_by(order).limit(limit + 1))).all()
        return paged([audit_line(row) for row in rows], limit, lambda line: line.sequence)

    async def head(self) -> tuple[int, str]:
        """How many lines the trail has, and the hash of the last."""
        async with self._sessions() as session:
            row = (await session.scalars(select(AuditHeadRow).where(AuditHeadRow.id == HEAD))).one()
        return row.length, row.hash.hex()

    async def holds(self, length: int, hash_of_last: str) -> bool:
        """Whether the trail once ended so: its line of this number has this hash."""
        query = select(AuditRow.hash).where(AuditRow.sequence == length)
        async with self._sessions() as session:
            found = START if length == 0 else await session.scalar(query)
        return found is not None and found.hex() == hash_of_last

    async def verify(self, noted_head: str | None = None) -> Chain:
        """Walk the chain from its start.

        Args:
            noted_head: a head noted earlier; it must still be part of the chain. Without it, somebody who may write
                everything could put back an older state of the whole trail unseen.

        Raises:
            CannotDecrypt: the data secret does not open the key of the trail, or somebody changed that key.
        """
        sequence, last, noted = 0, START, noted_head is None or noted_head == START.hex()
        async with self._sessions() as session:
            # The head first: rows that are added meanwhile are none of this check's business.
            head = (await session.scalars(select(AuditHeadRow).where(AuditHeadRow.id == HEAD))).one_or_none()
            if head is None:
                return Chain(0, "", "the row that holds the chain's head is missing")
            kek: KeyEncryptionKey = session.info[KEK]
            key = kek.unwrap(head.mac_key, TRAIL)
            while sequence < head.length:
                query = select(AuditRow).where(AuditRow.sequence > sequence, AuditRow.sequence <= head.length)
                rows = (await session.scalars(query.order_by(AuditRow.sequence).limit(ROWS_AT_ONCE))).all()
                if not rows:
                    return Chain(sequence, last.hex(), f"rows {sequence + 1} to {head.length} are missing at the end")
                for row in rows:
                    if fault := _fault(row, sequence, last, key):
                        return Chain(sequence, last.hex(), fault)
                    sequence, last = row.sequence, row.hash
                    noted = noted or last.hex() == noted_head
                session.expunge_all()
        return Chain(sequence, last.hex(), _fault_at_the_end(head, last, noted, key))


def audit_line(row: AuditRow) -> AuditLine:
    """A row of the trail as the rest of the gateway knows it."""
    return AuditLine(
        row.sequence,
        row.id,
        row.at,
        row.actor,
        row.action,
        row.subject,
        row.outcome,
        row.address,
        row.request_id,
        row.hash.hex(),
    )


def _fault(row: AuditRow, sequence: int, last: bytes, key: bytes) -> str | None:
    if row.sequence != sequence + 1:
        return f"row {sequence + 1} is missing"
    if row.previous != last:
        return f"row {row.sequence} does not follow row {sequence}: one of them was replaced or moved"
    if row.hash != row_hash(row):
        return f"row {row.sequence} was changed"
    if not hmac.compare_digest(row.mac, row_mac(key, row.hash)):
        return f"row {row.sequence} was written by somebody other than this installation"
    return None


def _fault_at_the_end(head: AuditHeadRow, last: bytes, noted: bool, key: bytes) -> str | None:
    if head.hash != last:
        return "the last row is not the one that the chain's head names"
    if not hmac.compare_digest(head.mac, head_mac(key, head.length, head.hash)):
        return "the chain's head was written by somebody other than this installation: rows are missing at the end"
    return None if noted else "the noted head is not part of this chain: the trail was written anew"


def audit_row(
    organisation_id: UUID | None, actor: str, action: AuditAction, subject: str | None = None, outcome: Outcome = "done"
) -> AuditRow:
    """A line to be added in the same transaction as what it records; the session chains it at the commit.

    Args:
        organisation_id: whose trail it belongs to; null where nobody is known yet.
        actor: `account:<id>`, `key:<id>`, `operator`, `provider` (the hospital's, of sign-ins) or `nobody`.
        action: of the closed list; nothing that a caller wrote.
        subject: the opaque id of what it was done to. A patient is named by the internal id, never by the hospital's
            own number, which erasure could not take out of the chain.
        outcome: how it ended.
    """
    return AuditRow(
        id=uuid7(),
        at=now(),
        organisation_id=organisation_id,
        actor=actor,
        action=action.value,
        subject=subject,
        outcome=outcome,
        address=client_address(),
        request_id=request_id(),
    )
