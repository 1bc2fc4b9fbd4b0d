"""`/v1/events`: what happened, in its order, for systems that nobody may call."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from gateway.api.deps import AssessmentReader, Limit
from gateway.context import Context
from gateway.platform.paging import Page
from gateway.records.events import Event, EventType
from shared.problem_responses import example_response, problem_responses
from shared.problems import CursorExpired, NotAuthenticated, NotAuthorised

router = APIRouter(prefix="/v1/events", tags=["events"], responses=problem_responses(NotAuthenticated, NotAuthorised))

EVENT = {
    "id": "01a21a25-5b7c-7e3f-8a41-2c6d9e0f1a2b",
    "type": "assessment.completed",
    "created_at": "2026-11-24T09:30:00.123456Z",
    "subject": "01a21a25-423a-7b6c-93f4-bbfc4176d732",
}


class EventView(BaseModel):
    """Something that happened. It says nothing of a patient: ask for what `subject` names."""

    id: UUID
    type: EventType = Field(description="Types may be added: pass over what you do not know")
    created_at: dt.datetime
    subject: str = Field(description="Id of the assessment, batch, alert or delivery; of a model its name and version")

    @classmethod
    def of(cls, event: Event) -> "EventView":
        """As it travels."""
        return cls(id=event.id, type=event.type, created_at=event.at, subject=event.subject)


class EventPage(Page[EventView, UUID]):
    """Some events, oldest first; `next` is the `after` to go on with, null while there is nothing new."""


@router.get(
    "",
    summary="Read what happened",
    responses={**example_response({"items": [EVENT], "next": EVENT["id"]}), **problem_responses(CursorExpired)},
)
async def list_events(
    who: AssessmentReader,
    ctx: Context,
    limit: Limit = 100,
    after: Annotated[UUID | None, Query(description="`next` of the answer before; left out: from the oldest")] = None,
) -> EventPage:
    """The organisation's events of the last 30 days, oldest first, some seconds after they happened.

    Ask again with `next` as `after` every few seconds, and keep `after` while `next` is null: each event comes once.
    What happened to a restricted patient's results is told to those who may read them. Not for patients' accounts.
    """
    return (await ctx.events.after(who, after, limit)).to(EventPage, EventView.of)
