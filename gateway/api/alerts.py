"""`/v1/alerts`: what a clinic should look at."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from gateway.api.deps import needs
from gateway.api.examples.patients import ALERT
from gateway.api.patient_views import AlertAnswer, AlertPage
from gateway.context import AppContext, get_context
from gateway.platform.clock import now
from gateway.platform.identity.scopes import Principal
from gateway.records.alerts import AlertState
from shared.problem_responses import example_response, problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(prefix="/v1/alerts", tags=["patients"], responses=problem_responses(NotAuthenticated, NotAuthorised))
Context = Annotated[AppContext, Depends(get_context)]
NOW: tuple[AlertState, ...] = ("due", "overdue", "worsening")


@router.get("", summary="List alerts", responses=example_response({"items": [ALERT], "next": None}))
async def list_alerts(
    who: Annotated[Principal, Depends(needs("patients:read"))],
    ctx: Context,
    state: Annotated[list[AlertState], Query(description="Left out: due, overdue and worsening")] = NOW,  # type: ignore[assignment]
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
) -> AlertPage:
    """Follow-ups that are due or overdue, and patients who got worse, newest first.

    A follow-up's dates come from the recommendation's interval. The follow-ups of a newer assessment with a record
    stand in for those of earlier ones. A patient's own account sees its own, in the patient's words.
    """
    found = await ctx.alerts.page(who, limit + 1, before, state or NOW, now().date())
    following = found[limit - 1].id if len(found) > limit else None
    return AlertPage(items=[AlertAnswer.of(one, who) for one in found[:limit]], next=following)


@router.post(
    "/{alert_id}/close",
    summary="Close an alert",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotFound),
)
async def close_alert(
    alert_id: UUID, who: Annotated[Principal, Depends(needs("patients:write"))], ctx: Context
) -> None:
    """Somebody has seen to it. Closing again changes nothing."""
    await ctx.alerts.close(alert_id, who)
