"""The clinician's work list, and a patient's own history."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from gateway.api.assessments import list_assessments
from gateway.api.patients import get_timeline
from gateway.pages.chart import drawn
from gateway.pages.deps import Context, User, allowed
from gateway.pages.page import Page, older, page
from shared.contracts.assessment import Assessment
from shared.problems import NotAuthorised

router = APIRouter(include_in_schema=False, route_class=Page)
AT_ONCE = 100
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
    exact = await list_assessments(who, ctx, AT_ONCE, before, search) if search.isprintable() and search else None
    found = exact if exact and exact.items else await list_assessments(who, ctx, AT_ONCE, before, None)
    rows = [one for one in found.items if matches(one, show) and (search.lower() in (one.patient_id or "").lower())]
    following = older(request, "/work-list", found.next)
    return page(
        request, "work_list.html", rows=rows, search=search, show=show, shows=SHOWS, looked_at=len(found.items),
        following=following,
    )  # fmt: skip


@router.get("/history")
async def history(request: Request, user: User, ctx: Context, before: UUID | None = None) -> Response:
    """A patient's own results, and how what was measured went over the years."""
    who = await allowed(user, "assessments:read", ctx)
    if who.patient_id is None:
        raise NotAuthorised("Only patients have a history of their own: open a patient instead.")
    found = await list_assessments(who, ctx, 20, before, None)
    told = await get_timeline(str(who.patient_id), who, ctx)
    following = older(request, "/history", found.next)
    trends = [(trend, drawn(trend)) for trend in told.trends]
    return page(request, "history.html", rows=found.items, trends=trends, following=following)


def matches(one: Assessment, show: str) -> bool:
    """Whether an assessment is of the kind that is asked for."""
    items = one.recommendation.items if one.recommendation else []
    kinds = {
        "high": one.combined.category == "high",
        "consult": bool(one.recommendation and one.recommendation.consult.urgency in ("soon", "urgent", "emergency")),
        "release": one.released_at is None and any(item.kind == "medication" for item in items),
        "partial": one.status == "partial",
        "indeterminate": bool(one.imaging and one.imaging.indeterminate),
    }
    return kinds.get(show, True)
