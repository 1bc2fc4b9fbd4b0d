"""The clinician's work list, how far somebody is with a case, and a patient's own history."""

from http import HTTPStatus
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.pages.chart import drawings
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, one_of, text
from gateway.pages.page import PageRoute, older, page
from gateway.pages.sessions import local_path
from gateway.platform.paging import Window
from gateway.records.windows import MOST_COUNTED
from gateway.records.work_list import CaseStatus, Order, Show, Wanted
from shared.problems import NotAuthorised

router = APIRouter(include_in_schema=False, route_class=PageRoute)
ROWS_A_PAGE, RESULTS_A_PAGE = 50, 20
SHOWS: tuple[Show, ...] = get_args(Show)
STATUSES: tuple[CaseStatus, ...] = get_args(CaseStatus)
ORDERS: tuple[Order, ...] = get_args(Order)


@router.get("/work-list")
async def work_list(
    request: Request,
    user: User,
    ctx: Context,
    search: Annotated[str, Query(max_length=64)] = "",
    show: Show = "all",
    status: Annotated[str, Query(max_length=6)] = "",
    order: Order = "urgency",
    before: UUID | None = None,
) -> Response:
    """The organisation's assessments, the most urgent first; a part of a patient number finds those patients'."""
    who = await allowed(user, "assessments:read", ctx)
    number = "".join(filter(str.isprintable, search)).strip()
    chosen = next((one for one in STATUSES if one == status), None)
    cases = await ctx.cases.page(who, ROWS_A_PAGE, Wanted(show, chosen, order, number, before))
    context: dict[str, Any] = {
        "rows": cases.cases,
        "total": cases.total,
        "most_counted": MOST_COUNTED,
        "names": await ctx.cases.names(who, [case.state for case in cases.cases]),
        "search": number,
        "show": show,
        "shows": SHOWS,
        "chosen": chosen,
        "statuses": STATUSES,
        "order": order,
        "orders": ORDERS,
        "following": older(request, "/work-list", cases.next),
        "to_review": await ctx.emergency_access.waiting(who),
    }
    return page(request, "work_list.html", **context)


@router.post("/assessments/{assessment_id}/case")
async def set_case_status(assessment_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Say how far one is with a case."""
    who = await allowed(user, "patients:write", ctx)
    await ctx.cases.set_status(assessment_id, one_of(form, "status", STATUSES), who)
    return RedirectResponse(local_path(text(form, "back"), "/work-list"), HTTPStatus.SEE_OTHER)


@router.get("/history")
async def history(request: Request, user: User, ctx: Context, before: UUID | None = None) -> Response:
    """A patient's own results, and how what was measured went over the years."""
    who = await allowed(user, "assessments:read", ctx)
    if who.patient_id is None:
        raise NotAuthorised("Only patients have a history of their own: open a patient instead.")
    assessments = await ctx.assessments.page(who, RESULTS_A_PAGE, Window(before))
    timeline = await ctx.patients.timeline(who, str(who.patient_id))
    following = older(request, "/history", assessments.next)
    treated = await ctx.patients.treatments(who, str(who.patient_id))
    trends = drawings(timeline.trends, timeline.entries, treated)
    return page(request, "history.html", rows=assessments.items, trends=trends, following=following)
