"""What happened, as hospital systems want to hear of it: thin, without a word about any patient.

An event is stored in the transaction of what it tells of, together with a delivery to each destination that asked for
its type: none is lost, and none is told that did not happen.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import made_at, uuid7
from gateway.platform.database.tables import (
    AlertRow,
    AssessmentRow,
    BatchCaseRow,
    DeliveryRow,
    DestinationRow,
    EventRow,
)
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page
from gateway.records.access import closed_to
from gateway.records.patients import as_uuid
from shared.problems import CursorExpired

EventType = Literal[
    "assessment.completed",
    "assessment.partial",
    "assessment.signed",
    "assessment.amended",
    "assessment.withdrawn",
    "assessment.ordered",
    "batch.done",
    "alert.opened",
    "alert.urgent",
    "alert.acknowledged",
    "alert.unacknowledged",
    "alert.closed",
    "delivery.dead",
    "model.changed",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
# What a reader of the feed does not see yet. Ids are made before the commit, and transactions do not commit in the
# order of their ids: without it a reader could go past one that is still to come.
SETTLING = dt.timedelta(seconds=5)
# How long events are kept: a reader that was away for longer has missed some, and is told so.
KEPT = dt.timedelta(days=30)


class ToBeSentTo(Protocol):
    """What a delivery needs to know of its destination."""

    @property
    def id(self) -> UUID: ...
    @property
    def organisation_id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...


@dataclass(frozen=True)
class Event:
    """Something that happened; `subject` is the id of what it happened to."""

    id: UUID
    type: EventType
    subject: str
    at: dt.datetime


async def record_event(
    session: AsyncSession, organisation_id: UUID, kind: EventType, subject: UUID | str, is_test: bool = False
) -> UUID:
    """Store an event, and its deliveries, in the transaction of what it tells of; the event's id."""
    [identity] = await record_events(session, organisation_id, kind, [subject], is_test)
    return identity


async def record_events(
    session: AsyncSession,
    organisation_id: UUID,
    kind: EventType,
    subjects: Sequence[UUID | str],
    is_test: bool = False,
) -> list[UUID]:
    """As `record_event`, of several things to which the same happened: who wants to hear of it is asked once.

    Args:
        is_test: what a test key made is told to no destination, and in the feed to test keys alone.
    """
    if not subjects:
        return []
    there = (DestinationRow.organisation_id == organisation_id) & DestinationRow.removed_at.is_(None)
    everywhere = [] if is_test else (await session.scalars(select(DestinationRow).where(there))).all()
    destinations = [one for one in everywhere if kind in one.events]
    identities = [uuid7() for _ in subjects]
    for identity, subject in zip(identities, map(str, subjects), strict=True):
        session.add(
            EventRow(
                id=identity, organisation_id=organisation_id, type=kind, subject=subject, at=now(), is_test=is_test
            )
        )
        session.add_all(new_delivery(destination, identity, kind, subject) for destination in destinations)
    return identities


async def record_batch_over(session: AsyncSession, organisation_id: UUID, batch_id: UUID) -> None:
    """Tell that a batch is done, if nothing of it waits or is worked on; the caller has locked the batch."""
    open_ones = BatchCaseRow.state.in_(("waiting", "working"))
    left = select(func.count()).where(BatchCaseRow.batch_id == batch_id, open_ones)
    if not await session.scalar(left):
        await record_event(session, organisation_id, "batch.done", batch_id)


def new_delivery(destination: ToBeSentTo, event_id: UUID, event_type: str, subject: str) -> DeliveryRow:
    """What is to be sent to a destination, at once; its content is made when it is sent, from what then holds."""
    return DeliveryRow(
        id=uuid7(),
        organisation_id=destination.organisation_id,
        destination_id=destination.id,
        kind=destination.kind,
        event_type=event_type,
        event_id=event_id,
        subject=subject,
        state="waiting",
        attempts=0,
        next_at=now(),
        created_at=now(),
    )


class Events:
    """Reads the events of an organisation in their order.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def after(self, who: Principal, cursor: UUID | None, limit: int) -> Page[Event, UUID]:
        """The oldest events after a cursor; `next` is the cursor to go on with, null while there is nothing new.

        What happened to restricted patients' results is left out: a page may hold fewer than there was room for.

        Raises:
            CursorExpired: events that the reader has not seen are not kept any more.
        """
        oldest = now() - KEPT
        if cursor is not None and made_at(cursor) < oldest:
            raise CursorExpired(
                f"after: events are kept for {KEPT.days} days, and this cursor is older: read the lists for what was "
                "missed, and the feed from its beginning, without `after`."
            )
        condition = (EventRow.organisation_id == who.organisation_id) & (EventRow.at <= now() - SETTLING)
        condition &= (EventRow.at >= oldest) & (EventRow.is_test == who.is_test)
        if cursor is not None:
            condition &= EventRow.id > cursor
        async with self._sessions.begin() as session:
            rows = (await session.scalars(select(EventRow).where(condition).order_by(EventRow.id).limit(limit))).all()
            closed = await closed_subjects(session, who, [row.subject for row in rows])
        open_ones = [row for row in rows if row.subject not in closed]
        events = [Event(row.id, row.type, row.subject, row.at) for row in open_ones]  # type: ignore[arg-type]
        return Page(items=events, next=rows[-1].id if rows else None)

    async def is_closed(self, who: Principal, subject: str) -> bool:
        """Whether it happened to a result or an alert of a restricted patient, whose record is closed to the caller."""
        async with self._sessions.begin() as session:
            return bool(await closed_subjects(session, who, [subject]))


async def closed_subjects(session: AsyncSession, who: Principal, subjects: Sequence[str]) -> set[str]:
    """Those of the ids of assessments and alerts whose patients' records are closed to the caller."""
    identities = [identity for identity in map(as_uuid, subjects) if identity is not None]
    closed: set[str] = set()
    for table in (AssessmentRow, AlertRow):
        query = select(table.id).where(table.id.in_(identities), closed_to(who, table.patient_id))
        closed |= {str(identity) for identity in await session.scalars(query)}
    return closed
