"""Where an organisation's results go: webhooks, archives, receivers of messages; addresses and secrets encrypted."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.idempotency import IdempotentRequest, remember
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import DeliveryRow, DestinationRow
from gateway.platform.encryption import decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.records.events import EventType
from gateway.records.patients import Patients
from shared.problems import Conflict, NotFound


@dataclass(frozen=True)
class Destination:
    """Somewhere that results go to.

    Args:
        kind: which deliverer knows how to send there.
        settings: what that deliverer needs, such as an address and a secret.
    """

    id: UUID
    organisation_id: UUID
    kind: str
    name: str
    events: tuple[str, ...]
    settings: dict[str, Any]
    created_at: dt.datetime


class Destinations:
    """Stores destinations and finds them.

    Args:
        sessions: of the installation's database.
        patients: knows the organisations' keys.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def add(
        self,
        who: Principal,
        kind: str,
        name: str,
        events: Sequence[EventType],
        settings: dict[str, Any],
        request: IdempotentRequest | None = None,
    ) -> Destination:
        """Add a destination; from now on it is told of these events.

        Raises:
            Conflict: the organisation has one of this kind and name.
        """
        identity, key = uuid7(), await self._patients.organisation_key(who.organisation_id)
        row = DestinationRow(
            id=identity,
            organisation_id=who.organisation_id,
            kind=kind,
            name=name,
            events=list(events),
            content=encrypt(key, json.dumps(settings).encode(), identity.bytes + kind.encode()),
            created_at=now(),
            created_by=who.id,
        )
        async with self._sessions.begin() as session:
            if await session.scalar(_named(who.organisation_id, kind, name)):
                raise _taken(kind, name)
            session.add(row)
            remember(session, "webhook", who.id, request, identity)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.DESTINATION_ADDED, str(identity)))
        return _destination(row, key)

    async def all(self, organisation_id: UUID, kind: str | None = None) -> list[Destination]:
        """The organisation's destinations, oldest first."""
        mine = (DestinationRow.organisation_id == organisation_id) & DestinationRow.removed_at.is_(None)
        if kind is not None:
            mine &= DestinationRow.kind == kind
        async with self._sessions() as session:
            rows = (await session.scalars(select(DestinationRow).where(mine).order_by(DestinationRow.id))).all()
        key = await self._patients.organisation_key(organisation_id) if rows else b""
        return [_destination(row, key) for row in rows]

    async def get(self, organisation_id: UUID, destination_id: UUID, kind: str | None = None) -> Destination:
        """One destination, of any kind or of this one; removed ones left out.

        Raises:
            NotFound: the organisation has none under this id.
        """
        for destination in await self.all(organisation_id, kind):
            if destination.id == destination_id:
                return destination
        raise NotFound(f"There is no {kind or 'destination'} {destination_id}.")

    async def change(
        self,
        there: Destination,
        who: Principal,
        settings: dict[str, Any],
        name: str | None = None,
        events: Sequence[EventType] | None = None,
    ) -> Destination:
        """Give a destination other settings, such as a new secret, another name or other events; null: as they are.

        Raises:
            NotFound: it was removed meanwhile.
            Conflict: the organisation has another one of this kind and name.
        """
        key = await self._patients.organisation_key(who.organisation_id)
        content = encrypt(key, json.dumps(settings).encode(), there.id.bytes + there.kind.encode())
        name = name or there.name
        changed = {"content": content, "name": name, "events": list(there.events if events is None else events)}
        async with self._sessions.begin() as session:
            if await session.scalar(_named(who.organisation_id, there.kind, name).where(DestinationRow.id != there.id)):
                raise _taken(there.kind, name)
            await session.execute(update(DestinationRow).where(DestinationRow.id == there.id).values(changed))
            session.add(audit_row(who.organisation_id, who.id, AuditAction.DESTINATION_CHANGED, str(there.id)))
        return await self.get(who.organisation_id, there.id, there.kind)

    async def remove(self, destination_id: UUID, who: Principal) -> None:
        """Send nothing more there; what waits is dead.

        Raises:
            NotFound: the organisation has none under this id.
        """
        mine = (DestinationRow.id == destination_id) & (DestinationRow.organisation_id == who.organisation_id)
        gone = update(DestinationRow).where(mine, DestinationRow.removed_at.is_(None)).values(removed_at=now())
        waiting = (DeliveryRow.destination_id == destination_id) & DeliveryRow.state.in_(
            ("waiting", "sending", "committing")
        )
        ended = {"state": "dead", "ended_at": now(), "last_error": "the destination was removed", "leased_until": None}
        async with self._sessions.begin() as session:
            found = await session.scalar(gone.returning(DestinationRow.id))
            if found is not None:
                await session.execute(update(DeliveryRow).where(waiting).values(ended))
            outcome: Outcome = "done" if found else "not found"
            action = AuditAction.DESTINATION_REMOVED
            session.add(audit_row(who.organisation_id, who.id, action, str(destination_id), outcome))
        if found is None:
            raise NotFound(f"There is no destination {destination_id}.")


def _named(organisation_id: UUID, kind: str, name: str) -> Select[UUID]:
    mine = (DestinationRow.organisation_id == organisation_id) & DestinationRow.removed_at.is_(None)
    return select(DestinationRow.id).where(mine, DestinationRow.kind == kind, DestinationRow.name == name)


def _taken(kind: str, name: str) -> Conflict:
    return Conflict(f"There is a {kind} called '{name}' already: give this one another name.")


def _destination(row: DestinationRow, key: bytes) -> Destination:
    settings = json.loads(decrypt(key, row.content, row.id.bytes + row.kind.encode()))
    return Destination(row.id, row.organisation_id, row.kind, row.name, tuple(row.events), settings, row.created_at)
