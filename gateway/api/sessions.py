"""`/v1/accounts/me/sessions`: where one is signed in, and how to end it."""

import datetime as dt
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.api.deps import AnyPrincipal
from gateway.context import Context
from gateway.platform.identity.refresh_tokens import OpenSession
from shared.problem_responses import example_response, problem_responses
from shared.problems import NotAuthenticated

router = APIRouter(prefix="/v1/accounts/me/sessions", tags=["accounts"], responses=problem_responses(NotAuthenticated))
SESSION = {
    "id": "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "started_at": "2026-11-24T08:00:00Z",
    "last_used_at": "2026-11-24T09:30:00Z",
    "ends_at": "2026-11-24T20:00:00Z",
    "address": "10.1.2.3",
}


class SessionView(BaseModel):
    """A session that has not ended."""

    id: UUID
    started_at: dt.datetime
    last_used_at: dt.datetime = Field(description="When its tokens were last renewed")
    ends_at: dt.datetime = Field(description="At the latest; earlier where it is not used")
    address: str | None = Field(description="The network address that it was begun from")

    @classmethod
    def of(cls, session: OpenSession) -> "SessionView":
        """As it travels."""
        return cls.model_validate(session, from_attributes=True)


class SessionListView(BaseModel):
    """One's own sessions, newest first."""

    items: list[SessionView]


@router.get("", responses=example_response({"items": [SESSION]}))
async def list_sessions(who: AnyPrincipal, ctx: Context) -> SessionListView:
    """Where you are signed in, newest first. A hospital system has no sessions."""
    return SessionListView(items=[SessionView.of(session) for session in await ctx.accounts.own_sessions(who)])


@router.delete("/{session_id}", status_code=HTTPStatus.NO_CONTENT)
async def end_session(session_id: UUID, who: AnyPrincipal, ctx: Context) -> None:
    """End one of your sessions at once, with every token of it. One that is over, or not yours, is no error."""
    await ctx.accounts.end_session(who, session_id)
