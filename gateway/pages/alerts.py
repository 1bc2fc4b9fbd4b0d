"""What should be looked at: follow-ups that are due or overdue, and patients who got worse."""

from http import HTTPStatus
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.assessing.patient_views import AlertView
from gateway.assessing.patients import NEEDS_ATTENTION
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import PageRoute, older, page
from gateway.pages.sessions import local_path
from gateway.platform.paging import Window
from gateway.records.alerts import AlertState

router = APIRouter(include_in_schema=False, route_class=PageRoute)
STATES: tuple[AlertState, ...] = get_args(AlertState)
A_PAGE, MOST_URGENT = 50, 500


@router.get("/alerts")
async def alerts_page(
    request: Request,
    user: User,
    ctx: Context,
    state: Annotated[AlertState | None, Query()] = None,
    before: UUID | None = None,
) -> Response:
    """Open alerts, emergencies first; a patient sees their own, the upcoming ones as well."""
    who = await allowed(user, "patients:read", ctx)
    wanted = (state,) if state else NEEDS_ATTENTION if user.is_staff else STATES
    rows: list[AlertView] = []
    if state is None:  # however old: an emergency leads until somebody has seen to it
        wanted = tuple(one for one in wanted if one != "urgent")
        rows += [] if before else (await ctx.patients.alerts_page(who, MOST_URGENT, Window(), ("urgent",))).items
    alerts = await ctx.patients.alerts_page(who, A_PAGE, Window(before), wanted)
    following = older(request, "/alerts", alerts.next)
    rows += alerts.items
    context: dict[str, Any] = {"rows": rows, "states": STATES, "state": state, "following": following}
    return page(request, "alerts.html", to_review=await ctx.emergency_access.waiting(who), **context)


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge_alert(alert_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """A clinician is looking at it."""
    await ctx.patients.acknowledge_alert(alert_id, await allowed(user, "patients:write", ctx))
    return RedirectResponse(local_path(text(form, "back"), "/alerts"), HTTPStatus.SEE_OTHER)


@router.post("/alerts/{alert_id}/close")
async def close_alert(alert_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Somebody has seen to it."""
    await ctx.patients.close_alert(alert_id, await allowed(user, "patients:write", ctx))
    return RedirectResponse(local_path(text(form, "back"), "/alerts"), HTTPStatus.SEE_OTHER)
