"""The audit trail: rows are added and never changed. It names things by id; it holds no record and no image."""

from uuid import UUID

from gateway.database.engine import Sessions, now
from gateway.database.tables import AuditRow
from shared.logs import request_id


class Audit:
    """Writes the trail."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def write(self, organisation_id: UUID | None, actor: str, action: str, subject: str | None = None) -> None:
        """One line of the trail, in a transaction of its own."""
        async with self._sessions.begin() as session:
            session.add(audit_row(organisation_id, actor, action, subject))


def audit_row(organisation_id: UUID | None, actor: str, action: str, subject: str | None = None) -> AuditRow:
    """A line to be added in the same transaction as the thing it tells of."""
    return AuditRow(
        at=now(), organisation_id=organisation_id, actor=actor, action=action, subject=subject, request_id=request_id()
    )
