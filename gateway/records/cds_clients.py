"""Record systems that ask for CDS cards: who they are, the keys they sign with, where missing data may be asked for."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import CdsClientRow
from gateway.platform.identity.public_keys import KeySet
from gateway.platform.identity.scopes import Principal, cds_actor
from shared.problems import Conflict, NotFound


@dataclass(frozen=True)
class CdsClient:
    """One system.

    Args:
        issuer: the `iss` of its tokens.
        fhir_servers: base addresses of FHIR servers.
    """

    id: UUID
    organisation_id: UUID
    name: str
    issuer: str
    key_set: KeySet
    fhir_servers: tuple[str, ...]
    created_at: dt.datetime


class CdsClients:
    """Stores the systems and finds them.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(
        self, who: Principal, name: str, issuer: str, key_set: KeySet, fhir_servers: tuple[str, ...]
    ) -> CdsClient:
        """Let a system of the organisation ask for cards.

        Raises:
            Conflict: the installation has one of this issuer, or the organisation one of this name.
        """
        row = CdsClientRow(
            id=uuid7(),
            organisation_id=who.organisation_id,
            name=name,
            issuer=issuer,
            jwks=key_set.jwks,
            jwks_url=key_set.jwks_url,
            fhir_servers=list(fhir_servers),
            created_at=now(),
        )
        same = (CdsClientRow.issuer == issuer) | _named(who.organisation_id, name)
        async with self._sessions.begin() as session:
            if await session.scalar(select(CdsClientRow.id).where(same)):
                raise Conflict(f"There is a CDS client called '{name}', or one with this issuer: remove it first.")
            session.add(row)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.CDS_CLIENT_ADDED, cds_actor(row.id)))
        return _client(row)

    async def all(self, organisation_id: UUID) -> list[CdsClient]:
        """The organisation's, oldest first."""
        query = select(CdsClientRow).where(CdsClientRow.organisation_id == organisation_id).order_by(CdsClientRow.id)
        async with self._sessions() as session:
            return [_client(row) for row in await session.scalars(query)]

    async def by_issuer(self, issuer: str) -> CdsClient | None:
        """The system whose tokens have this `iss`; null where there is none."""
        async with self._sessions() as session:
            row = await session.scalar(select(CdsClientRow).where(CdsClientRow.issuer == issuer))
        return _client(row) if row is not None else None

    async def remove(self, who: Principal, name: str) -> CdsClient:
        """Answer a system no more; its tokens are worth nothing from now on.

        Raises:
            NotFound: the organisation has none of this name.
        """
        async with self._sessions.begin() as session:
            row = await session.scalar(select(CdsClientRow).where(_named(who.organisation_id, name)))
            if row is not None:
                await session.execute(delete(CdsClientRow).where(CdsClientRow.id == row.id))
            outcome: Outcome = "done" if row is not None else "not found"
            subject = cds_actor(row.id) if row is not None else None
            session.add(audit_row(who.organisation_id, who.id, AuditAction.CDS_CLIENT_REMOVED, subject, outcome))
        if row is None:
            raise NotFound(f"There is no CDS client called '{name}'.")
        return _client(row)


def _named(organisation_id: UUID, name: str) -> ColumnElement[bool]:
    return (CdsClientRow.organisation_id == organisation_id) & (CdsClientRow.name == name)


def _client(row: CdsClientRow) -> CdsClient:
    keys = KeySet(row.jwks, row.jwks_url)
    return CdsClient(row.id, row.organisation_id, row.name, row.issuer, keys, tuple(row.fhir_servers), row.created_at)
