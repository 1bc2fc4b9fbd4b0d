"""Which clinician signed which version of the rules off for a site; another version is unsigned until it is read."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import RuleSignOffRow
from gateway.platform.identity.scopes import Principal
from shared.contracts.assessment import RulesSignOff
from shared.problems import NotFound


@dataclass(frozen=True)
class StoredSignOff:
    """One sign-off, and when it was taken back."""

    id: UUID
    version: str
    name: str
    role: str
    at: dt.datetime
    revoked_at: dt.datetime | None


class RuleSignOffs:
    """Stores sign-offs of an organisation.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, who: Principal, version: str, name: str, role: str) -> StoredSignOff:
        """Note that somebody read this version of the rules and stands by them."""
        row = RuleSignOffRow(
            id=uuid7(), organisation_id=who.organisation_id, version=version, name=name, role=role, at=now()
        )
        async with self._sessions.begin() as session:
            session.add(row)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.RULES_SIGNED, version))
        return _stored(row)

    async def of(self, organisation_id: UUID, version: str) -> RulesSignOff | None:
        """Who signed this version off last; null where nobody did."""
        mine = (RuleSignOffRow.organisation_id == organisation_id) & (RuleSignOffRow.version == version)
        query = select(RuleSignOffRow).where(mine, RuleSignOffRow.revoked_at.is_(None))
        async with self._sessions() as session:
            row = (await session.scalars(query.order_by(RuleSignOffRow.id.desc()).limit(1))).one_or_none()
        return RulesSignOff(name=row.name, role=row.role, at=row.at) if row else None

    async def all(self, organisation_id: UUID) -> list[StoredSignOff]:
        """Every sign-off of the organisation, newest first."""
        query = select(RuleSignOffRow).where(RuleSignOffRow.organisation_id == organisation_id)
        async with self._sessions() as session:
            return [_stored(row) for row in await session.scalars(query.order_by(RuleSignOffRow.id.desc()))]

    async def revoke(self, who: Principal, version: str) -> None:
        """Take the sign-offs of a version back.

        Raises:
            NotFound: there is none.
        """
        mine = (RuleSignOffRow.organisation_id == who.organisation_id) & (RuleSignOffRow.version == version)
        taken = update(RuleSignOffRow).where(mine, RuleSignOffRow.revoked_at.is_(None)).values(revoked_at=now())
        async with self._sessions.begin() as session:
            found = (await session.scalars(taken.returning(RuleSignOffRow.id))).all()
            if found:
                session.add(audit_row(who.organisation_id, who.id, AuditAction.RULES_SIGN_OFF_REVOKED, version))
        if not found:
            raise NotFound(f"Nobody has signed version {version} of the rules off.")


def _stored(row: RuleSignOffRow) -> StoredSignOff:
    return StoredSignOff(row.id, row.version, row.name, row.role, row.at, row.revoked_at)
