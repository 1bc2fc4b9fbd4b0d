"""What waits to be sent elsewhere: nothing is forgotten, nothing is sent twice at the same time.

Leases, as batches have them, so that it works alike on SQLite and PostgreSQL, with several gateways, without a broker.
A delivery is tried again at growing distances; after the last one, or where the destination refuses it for good, it is
dead until somebody sends it again.
"""

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, func, select, update

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.idempotency import IdempotentRequest, remember
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import DeliveryRow, DestinationRow
from gateway.platform.identity.scopes import Principal
from gateway.records.destinations import Destination
from gateway.records.events import new_delivery, record_event
from shared.problems import NotFound

# `withheld`: not for this destination, as it is of a restricted patient. `committing`: the archive took it, and has yet
# to confirm that it keeps it (storage commitment, PS3.4 annex J).
DeliveryState = Literal["waiting", "sending", "committing", "sent", "withheld", "dead"]
OPEN: tuple[DeliveryState, ...] = ("waiting", "sending", "committing")
ENDED: tuple[DeliveryState, ...] = ("sent", "withheld", "dead")
# Seconds after each attempt that failed; then it is dead. Up to a fifth more or less, so that they do not come at once.
RETRY_S = (60, 300, 1800, 7200, 43_200, 43_200, 43_200, 43_200, 43_200)
JITTER = 0.2
# Longer than any delivery may take; what a gateway held that died waits so long.
LEASE_S = 120
# Seconds within which an archive confirms that it keeps what it took; else it is sent again.
COMMITMENT_S = 6 * 3600
LONGEST_ERROR = 300
# In place of an event's type.
ASKED = "asked for"


@dataclass(frozen=True)
class Delivery:
    """Something to be sent, and how it went so far."""

    id: UUID
    organisation_id: UUID
    destination_id: UUID
    kind: str
    event_type: str
    event_id: UUID
    subject: str
    state: DeliveryState
    attempts: int
    next_at: dt.datetime
    last_error: str | None
    created_at: dt.datetime
    ended_at: dt.datetime | None
    leased_until: dt.datetime | None = None


@dataclass(frozen=True)
class Backlog:
    """How an outbox stands: deliveries by state, and since when the oldest one waits.

    `committing` are those that an archive took and has yet to confirm; they wait for nothing of ours.
    """

    waiting: int = 0
    dead: int = 0
    oldest_at: dt.datetime | None = None
    committing: int = 0

    @classmethod
    def of_all(cls, kinds: Sequence["Backlog"]) -> "Backlog":
        """That of every kind together."""
        oldest = min((kind.oldest_at for kind in kinds if kind.oldest_at), default=None)
        return cls(
            sum(kind.waiting for kind in kinds),
            sum(kind.dead for kind in kinds),
            oldest,
            sum(kind.committing for kind in kinds),
        )


class Outbox:
    """Hands out deliveries and notes what became of them.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def ask(
        self, destination: Destination, subject: str, who: Principal, request: IdempotentRequest | None = None
    ) -> Delivery:
        """Let something be sent because somebody asks for it, not because of an event.

        Asking again while it waits for its first attempt changes nothing.
        """
        same = (DeliveryRow.destination_id == destination.id) & (DeliveryRow.subject == subject)
        same &= (DeliveryRow.event_type == ASKED) & (DeliveryRow.state == "waiting") & (DeliveryRow.attempts == 0)
        async with self._sessions.begin() as session:
            session.add(audit_row(who.organisation_id, who.id, AuditAction.DELIVERY_ASKED, subject))
            row = (await session.scalars(select(DeliveryRow).where(same).limit(1))).one_or_none()
            if row is None:
                # Of no event: an id of its own stands for one.
                row = new_delivery(destination, uuid7(), ASKED, subject)
                session.add(row)
            remember(session, "delivery", who.id, request, row.id)
        return _delivery(row)

    async def get(self, organisation_id: UUID, delivery_id: UUID) -> Delivery:
        """One delivery.

        Raises:
            NotFound: the organisation has none under this id.
        """
        async with self._sessions() as session:
            row = await session.get(DeliveryRow, delivery_id)
        if row is None or row.organisation_id != organisation_id:
            raise NotFound(f"There is no delivery {delivery_id}.")
        return _delivery(row)

    async def was_tried(self, claim: Delivery) -> bool:
        """Whether something of the same subject may have reached the same destination before this attempt."""
        same = (DeliveryRow.destination_id == claim.destination_id) & (DeliveryRow.subject == claim.subject)
        same &= (DeliveryRow.id != claim.id) & ((DeliveryRow.attempts > 0) | (DeliveryRow.state == "sent"))
        async with self._sessions() as session:
            return claim.attempts > 1 or await session.scalar(select(DeliveryRow.id).where(same).limit(1)) is not None

    async def claim(self, without: Collection[UUID] = ()) -> Delivery | None:
        """Take a lease of the delivery that has waited longest, or whose lease ran out; null where there is none.

        Args:
            without: destinations that nothing is sent to at present.
        """
        moment = now()
        waits = (DeliveryRow.state == "waiting") & (DeliveryRow.next_at <= moment)
        abandoned = (DeliveryRow.state == "sending") & (DeliveryRow.leased_until <= moment)
        unconfirmed = (DeliveryRow.state == "committing") & (DeliveryRow.next_at <= moment)
        due = (waits | abandoned | unconfirmed) & DeliveryRow.destination_id.not_in(list(without))
        oldest = select(DeliveryRow.id).where(due).order_by(DeliveryRow.next_at, DeliveryRow.id).limit(1)
        lease = moment + dt.timedelta(seconds=LEASE_S)
        take = (
            update(DeliveryRow)
            .where(DeliveryRow.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
            .values(state="sending", attempts=DeliveryRow.attempts + 1, leased_until=lease)
            .returning(DeliveryRow)
            .execution_options(synchronize_session=False)
        )
        async with self._sessions.begin() as session:
            row = (await session.scalars(take)).one_or_none()
        return _delivery(row) if row else None

    async def sent(self, claim: Delivery) -> None:
        """The destination has it."""
        await self._end(claim, {"state": "sent", "ended_at": now(), "last_error": None})

    async def expect(self, claim: Delivery, commitment_uid: str) -> None:
        """Note a request for storage commitment before it leaves: its answer may be faster than the next line."""
        held = _held(claim)
        async with self._sessions.begin() as session:
            await session.execute(update(DeliveryRow).where(held).values(commitment_uid=commitment_uid))

    async def committing(self, claim: Delivery) -> None:
        """The archive took it and was asked to confirm that it keeps it; one that never does so is dead in the end."""
        if claim.attempts > len(RETRY_S):
            await self.failed(claim, "the archive took it, and never confirmed that it keeps it", for_good=True)
            return
        next_at = now() + dt.timedelta(seconds=COMMITMENT_S)
        error = "the archive has not confirmed yet that it keeps it"
        await self._end(claim, {"state": "committing", "next_at": next_at, "last_error": error})

    async def committed(self, commitment_uid: str, not_kept: int) -> bool:
        """What an archive answers to a request for storage commitment; whether one waits for it.

        Args:
            not_kept: how many of the objects it does not have; then all of them are sent again.
        """
        mine = (DeliveryRow.commitment_uid == commitment_uid) & DeliveryRow.state.in_(("sending", "committing"))
        async with self._sessions() as session:
            row = (await session.scalars(select(DeliveryRow).where(mine))).one_or_none()
        if row is None:
            return False
        if not_kept:
            await self.failed(_delivery(row), f"the archive does not keep {not_kept} of the objects that it took")
        else:
            await self.sent(_delivery(row))
        return True

    async def withheld(self, claim: Delivery, why: str) -> None:
        """The destination is not told."""
        await self._end(claim, {"state": "withheld", "ended_at": now(), "last_error": why[:LONGEST_ERROR]})

    async def failed(self, claim: Delivery, why: str, for_good: bool = False, after_s: float | None = None) -> None:
        """An attempt failed: try again later, or never where the destination refused it for good.

        Args:
            why: for people; no word about a patient.
            after_s: what the destination asked for.
        """
        error = why[:LONGEST_ERROR]
        if for_good or claim.attempts > len(RETRY_S):
            await self._end(claim, {"state": "dead", "ended_at": now(), "last_error": error}, dead=True)
            return
        wait = RETRY_S[claim.attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- no secret
        next_at = now() + dt.timedelta(seconds=max(wait, after_s or 0))
        await self._end(claim, {"state": "waiting", "next_at": next_at, "last_error": error})

    async def give_back(self, claim: Delivery) -> None:
        """This gateway stops: the next one goes on from here, and the attempt does not count."""
        await self._end(claim, {"state": "waiting", "attempts": claim.attempts - 1})

    async def page(
        self,
        organisation_id: UUID,
        limit: int,
        state: DeliveryState | None = None,
        destination_id: UUID | None = None,
        before: UUID | None = None,
    ) -> Sequence[Delivery]:
        """An organisation's deliveries, newest first."""
        conditions: list[ColumnElement[bool]] = [DeliveryRow.organisation_id == organisation_id]
        if state is not None:
            conditions.append(DeliveryRow.state == state)
        if destination_id is not None:
            conditions.append(DeliveryRow.destination_id == destination_id)
        if before is not None:
            conditions.append(DeliveryRow.id < before)
        query = select(DeliveryRow).where(*conditions).order_by(DeliveryRow.id.desc()).limit(limit)
        async with self._sessions() as session:
            return [_delivery(row) for row in await session.scalars(query)]

    async def send_again(self, delivery_id: UUID, who: Principal, destination_id: UUID | None = None) -> Delivery:
        """Let a delivery that has ended, well or not, be sent once more, from its first attempt on.

        Args:
            destination_id: where it has to go; null for anywhere.

        Raises:
            NotFound: the organisation has none under this id.
        """
        mine = (DeliveryRow.id == delivery_id) & (DeliveryRow.organisation_id == who.organisation_id)
        if destination_id is not None:
            mine &= DeliveryRow.destination_id == destination_id
        anew = {"state": "waiting", "attempts": 0, "next_at": now(), "ended_at": None}
        again = update(DeliveryRow).where(mine, DeliveryRow.state.in_(ENDED)).values(anew)
        async with self._sessions.begin() as session:
            await session.execute(again.execution_options(synchronize_session=False))
            row = (await session.scalars(select(DeliveryRow).where(mine))).one_or_none()
            outcome: Any = "done" if row else "not found"
            session.add(
                audit_row(who.organisation_id, who.id, AuditAction.DELIVERY_SENT_AGAIN, str(delivery_id), outcome)
            )
        if row is None:
            raise NotFound(f"There is no delivery {delivery_id}.")
        return _delivery(row)

    async def backlog(self, organisation_id: UUID | None = None) -> defaultdict[str, Backlog]:
        """How the outbox stands, by kind of destination (empty of others), of one organisation or of all.

        What died on its way to a destination that was removed since is nobody's concern any more.
        """
        there: ColumnElement[bool] = DestinationRow.removed_at.is_(None)
        if organisation_id is not None:
            there &= DeliveryRow.organisation_id == organisation_id
        count, oldest = func.count(), func.min(DeliveryRow.created_at)
        query = (
            select(DeliveryRow.kind, DeliveryRow.state, count, oldest)
            .join(DestinationRow, DestinationRow.id == DeliveryRow.destination_id)
            .where(there, DeliveryRow.state.in_((*OPEN, "dead")))
            .group_by(DeliveryRow.kind, DeliveryRow.state)
        )
        async with self._sessions() as session:
            rows = (await session.execute(query)).all()
        stands: defaultdict[str, Backlog] = defaultdict(Backlog)
        for kind, state, number, since in rows:
            so_far = stands[kind]
            if state == "dead":
                stands[kind] = replace(so_far, dead=number)
            elif state == "committing":
                stands[kind] = replace(so_far, committing=number)
            else:
                first = min(filter(None, (so_far.oldest_at, since)))
                stands[kind] = replace(so_far, waiting=so_far.waiting + number, oldest_at=first)
        return stands

    async def _end(self, claim: Delivery, values: dict[str, Any], dead: bool = False) -> None:
        held = _held(claim)
        async with self._sessions.begin() as session:
            done = await session.execute(update(DeliveryRow).where(held).values({**values, "leased_until": None}))
            assert isinstance(done, CursorResult)  # noqa: S101 -- what an UPDATE gives
            # That a word of a dead delivery could not be delivered is no news to send.
            if dead and done.rowcount and claim.event_type != "delivery.dead":
                await record_event(session, claim.organisation_id, "delivery.dead", claim.id)


def _held(claim: Delivery) -> ColumnElement[bool]:
    """The row of a claim, as long as nobody else has it."""
    held = (DeliveryRow.id == claim.id) & (DeliveryRow.state == claim.state)
    return held & DeliveryRow.leased_until.is_not_distinct_from(claim.leased_until)


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        row.id,
        row.organisation_id,
        row.destination_id,
        row.kind,
        row.event_type,
        row.event_id,
        row.subject,
        cast(DeliveryState, row.state),
        row.attempts,
        row.next_at,
        row.last_error,
        row.created_at,
        row.ended_at,
        row.leased_until,
    )
