"""Emergencies that nobody has acknowledged: found once each, by whichever gateway looks first, and told of again."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AlertRow
from gateway.records.events import record_event

# How the audit trail names whoever escalates: nobody does.
BY_ITSELF = "escalation"


@dataclass(frozen=True)
class Unacknowledged:
    """Open emergencies that nobody has said to be looking at."""

    count: int
    oldest_at: dt.datetime | None


class Escalations:
    """Looks after emergencies that nobody looks after.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def escalate(self, after: dt.timedelta) -> list[UUID]:
        """Tell again of each emergency that nobody acknowledged for so long, once; their alerts' ids.

        Several gateways may look at the same time: only one of them finds an alert.
        """
        due = _unacknowledged() & AlertRow.escalated_at.is_(None) & (AlertRow.created_at <= now() - after)
        found = update(AlertRow).where(due).values(escalated_at=now()).returning(AlertRow.id, AlertRow.organisation_id)
        async with self._sessions.begin() as session:
            rows = (await session.execute(found.execution_options(synchronize_session=False))).all()
            for alert_id, organisation_id in rows:
                await record_event(session, organisation_id, "alert.unacknowledged", alert_id)
                action = AuditAction.ALERT_ESCALATED
                session.add(audit_row(organisation_id, BY_ITSELF, action, str(alert_id)))
        return [alert_id for alert_id, _ in rows]

    async def is_waiting(self, organisation_id: UUID, alert_id: UUID) -> bool:
        """Whether an emergency still waits for somebody to look at it."""
        mine = (AlertRow.id == alert_id) & (AlertRow.organisation_id == organisation_id)
        async with self._sessions() as session:
            return await session.scalar(select(AlertRow.id).where(mine & _unacknowledged())) is not None

    async def unacknowledged(self) -> Unacknowledged:
        """How many there are, of all organisations, and since when the oldest waits."""
        query = select(func.count(), func.min(AlertRow.created_at)).where(_unacknowledged())
        async with self._sessions() as session:
            count, oldest = (await session.execute(query)).one()
        return Unacknowledged(count, oldest)


def _unacknowledged() -> ColumnElement[bool]:
    return (AlertRow.kind == "urgent") & AlertRow.closed_at.is_(None) & AlertRow.acknowledged_at.is_(None)
