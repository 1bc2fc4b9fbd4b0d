"""What happened, for those who ask for it."""

from dataclasses import dataclass
from uuid import UUID

from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page
from gateway.records.events import Event, Events
from shared.problems import NotAuthorised


@dataclass(frozen=True)
class EventFeed:
    """The feed of events. Reading it leaves no line in the trail: it is read every few seconds and names nobody."""

    events: Events

    async def after(self, who: Principal, cursor: UUID | None, limit: int) -> Page[Event, UUID]:
        """The oldest events after a cursor.

        Raises:
            NotAuthorised: a patient's own account asks.
            CursorExpired: what comes after it is not kept any more.
        """
        if who.is_patient:
            raise NotAuthorised("Events are for the clinic's systems; a patient's account reads its assessments.")
        return await self.events.after(who, cursor, limit)
