"""The audit trail as a stream to the site's log server, line by line, in order and at least once."""

import datetime as dt
import json
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import anyio
import structlog
from prometheus_client import Gauge
from sqlalchemy import CursorResult, select, update

from gateway.platform.audit import AuditLine, audit_line
from gateway.platform.clock import now
from gateway.platform.database.audit_chain import HEAD
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AuditHeadRow, AuditRow, AuditStreamRow
from gateway.platform.syslog import INFORMATIONAL, WARNING, NotDelivered, Syslog, SyslogMessage

LINES_AT_ONCE = 500
# How long one of several gateways has the sending to itself, without a sign of life.
LEASE = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class AuditStream:
    """Sends what the log server does not have yet.

    Args:
        sessions: of the installation's database, which says how far the stream has come.
        server: where to.
        waiting: shows how many lines wait.
    """

    sessions: Sessions
    server: Syslog
    waiting: Gauge
    _sender: UUID = field(default_factory=uuid4)

    async def send(self) -> None:
        """Send all that waits, unless another gateway does. A failure is logged, and a later call goes on there."""
        log = structlog.get_logger("trabecula")
        while await self._left() and await self._is_mine():
            lines, organisations = await self._next()
            try:
                certain = await anyio.to_thread.run_sync(self.server.send, _messages(lines, organisations))
            except NotDelivered as error:
                structlog.get_logger("trabecula").error(
                    "the log server does not take the audit trail", why=error.detail
                )
                break
            if not certain and self.server.scheme != "udp":
                log.warning("whether the log server has the audit trail is not known")
            await self._note(lines[-1].sequence)
        self.waiting.set(await self._left())

    async def _is_mine(self) -> bool:
        free = AuditStreamRow.leased_until.is_(None) | (AuditStreamRow.leased_until < now())
        mine = (AuditStreamRow.id == HEAD) & (free | (AuditStreamRow.sender == self._sender))
        taken = update(AuditStreamRow).where(mine).values(sender=self._sender, leased_until=now() + LEASE)
        async with self.sessions.begin() as session:
            done = await session.execute(taken)
        assert isinstance(done, CursorResult)  # noqa: S101 -- what an UPDATE gives
        return done.rowcount == 1

    async def _next(self) -> tuple[list[AuditLine], list[UUID | None]]:
        sent = select(AuditStreamRow.sent).where(AuditStreamRow.id == HEAD).scalar_subquery()
        query = select(AuditRow).where(AuditRow.sequence > sent).order_by(AuditRow.sequence).limit(LINES_AT_ONCE)
        async with self.sessions() as session:
            rows = (await session.scalars(query)).all()
        return [audit_line(row) for row in rows], [row.organisation_id for row in rows]

    async def _note(self, sequence: int) -> None:
        mine = (AuditStreamRow.id == HEAD) & (AuditStreamRow.sender == self._sender)
        async with self.sessions.begin() as session:
            await session.execute(update(AuditStreamRow).where(mine).values(sent=sequence))

    async def _left(self) -> int:
        query = select(AuditHeadRow.length - AuditStreamRow.sent).where(AuditHeadRow.id == AuditStreamRow.id)
        async with self.sessions() as session:
            return (await session.scalars(query)).one()


def _messages(lines: list[AuditLine], organisations: list[UUID | None]) -> list[SyslogMessage]:
    return [
        SyslogMessage(
            at=line.at,
            kind="audit",
            text=_text(line, organisation),
            severity=INFORMATIONAL if line.outcome == "done" else WARNING,
            sequence=line.sequence,
        )
        for line, organisation in zip(lines, organisations, strict=True)
    ]


def _text(line: AuditLine, organisation: UUID | None) -> str:
    content = {
        "sequence": line.sequence,
        "id": str(line.id),
        "organisation": organisation and str(organisation),
        "actor": line.actor,
        "action": line.action,
        "subject": line.subject,
        "outcome": line.outcome,
        "address": line.address,
        "request_id": line.request_id,
        "hash": line.hash,
    }
    return json.dumps(content, separators=(",", ":"))
