"""The clinician's work list, and a patient's own history."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.pages.chart import drawn
from gateway.pages.deps import Context, User, allowed
from gateway.pages.page import PageRoute, older, page
from gateway.platform.paging import Window
from shared.contracts.assessment import Assessment
from shared.problems import NotAuthorised

router = APIRouter(include_in_schema=False, route_class=PageRoute)
ROWS_A_PAGE, RESULTS_A_PAGE = 100, 20
# What the list can be narrowed to: each a question to an assessment.
SHOWS = ("all", "high", "consult", "release", "partial", "indeterminate")


@router.get("/work-list")
async def work_list(
    request: Request,
    user: User,
    ctx: Context,
    search: Annotated[str, Query(max_length=64)] = "",
    show: Annotated[str, Query(max_length=20)] = "all",
    before: UUID | None = None,
) -> Response:
    """The organisation's assessments, newest first; a patient number finds all of that patient's."""
    who = await allowed(user, "assessments:read", ctx)
    if not user.is_staff:
        raise NotAuthorised("The work list is the clinic's. Your own results are under “My history”.")
    search = search.strip()
    number = search if search.isprintable() and search else None
    assessments = await ctx.assessments.page(who, ROWS_A_PAGE, Window(before), number)
    if number and not assessments.items:  # no whole number: a part of one
        assessments = await ctx.assessments.page(who, ROWS_A_PAGE, Window(before))
    wanted = search.lower()
    rows = [
        assessment
        for assessment in assessments.items
        if matches(assessment, show) and wanted in (assessment.patient_number or "").lower()
    ]
    context: dict[str, Any] = {
        "rows": rows,
        "search": search,
        "show": show,
        "shows": SHOWS,
        "looked_at": len(assessments.items),
        "following": older(request, "/work-list", assessments.next),
        "to_review": await ctx.emergency_access.waiting(who),
    }
    return page(request, "work_list.html", **context)


@router.get("/history")
async def history(request: Request, user: User, ctx: Context, before: UUID | None = None) -> Response:
    """A patient's own results, and how what was measured went over the years."""
    who = await allowed(user, "assessments:read", ctx)
    if who.patient_id is None:
        raise NotAuthorised("Only patients have a history of their own: open a patient instead.")
    assessments = await ctx.assessments.page(who, RESULTS_A_PAGE, Window(before))
    timeline = await ctx.patients.timeline(who, str(who.patient_id))
    following = older(request, "/history", assessments.next)
    trends = [(trend, drawn(trend)) for trend in timeline.trends]
    return page(request, "history.html", rows=assessments.items, trends=trends, following=following)


def matches(assessment: Assessment, show: str) -> bool:
    """Whether an assessment is of the kind that is asked for."""
    if assessment.is_withdrawn:
        return show in ("all", "")
    recommendation, imaging = assessment.recommendation, assessment.imaging
    items = recommendation.items if recommendation else []
    kinds = {
        "high": assessment.combined.category == "high",
        "consult": bool(recommendation and recommendation.consult.urgency in ("soon", "urgent", "emergency")),
        "release": assessment.released_at is None and any(item.kind == "medication" for item in items),
        "partial": assessment.status == "partial",
        "indeterminate": bool(imaging and imaging.indeterminate),
    }
    return kinds.get(show, True)
