"""`/v1/alerts`: what a clinic should look at."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from gateway.api.deps import Limit, PatientReader, PatientWriter, Wanted
from gateway.api.examples.patients import ALERT
from gateway.assessing.patient_views import AlertView
from gateway.assessing.patients import NEEDS_ATTENTION
from gateway.context import Context
from gateway.platform.paging import Page
from gateway.records.alerts import AlertState
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(prefix="/v1/alerts", tags=["patients"], responses=problem_responses(NotAuthenticated, NotAuthorised))
States = Annotated[list[AlertState], Query(description="Left out: urgent, due, overdue and worsening")]


class AlertPage(Page[AlertView, UUID]):
    """One page; `next` is the `before` of the next one, or the `after` where that was sent; null on the last."""


@router.get("", summary="List alerts", responses=example_response({"items": [ALERT], "next": None}))
async def list_alerts(
    who: PatientReader,
    ctx: Context,
    window: Wanted,
    status: States = NEEDS_ATTENTION,  # type: ignore[assignment]
    limit: Limit = 20,
) -> AlertPage:
    """Emergencies, follow-ups that are due or overdue, and patients who got worse, newest first; with `after`
    oldest first.

    A follow-up's dates come from the recommendation's interval. The follow-ups of a newer assessment with a record
    stand in for those of earlier ones. A patient's own account sees its own, in the patient's words.
    """
    page = await ctx.patients.alerts_page(who, limit, window, status or NEEDS_ATTENTION)
    return AlertPage(items=page.items, next=page.next)


@router.post(
    "/{alert_id}/acknowledge",
    summary="Acknowledge an emergency",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotFound, Conflict),
)
async def acknowledge_alert(alert_id: UUID, who: PatientWriter, ctx: Context) -> None:
    """A clinician is looking at it, so that no second alarm goes out. Acknowledging again changes nothing."""
    await ctx.patients.acknowledge_alert(alert_id, who)


@router.post(
    "/{alert_id}/close",
    summary="Close an alert",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotFound),
)
async def close_alert(alert_id: UUID, who: PatientWriter, ctx: Context) -> None:
    """Somebody has seen to it. Closing again changes nothing."""
    await ctx.patients.close_alert(alert_id, who)
