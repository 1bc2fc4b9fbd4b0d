"""What should be looked at: follow-ups that are due or overdue, and patients who got worse."""

from http import HTTPStatus
from typing import Annotated, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.api.alerts import NOW, close_alert, list_alerts
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import Page, older, page
from gateway.pages.sessions import local_path
from gateway.records.alerts import AlertState

router = APIRouter(include_in_schema=False, route_class=Page)
STATES: tuple[AlertState, ...] = get_args(AlertState)


@router.get("/alerts")
async def alerts_page(
    request: Request,
    user: User,
    ctx: Context,
    state: Annotated[AlertState | None, Query()] = None,
    before: UUID | None = None,
) -> Response:
    """Open alerts; a patient sees the own ones, the coming ones as well."""
    who = await allowed(user, "patients:read", ctx)
    wanted = [state] if state else list(NOW if user.is_staff else STATES)
    found = await list_alerts(who, ctx, wanted, 50, before)
    following = older(request, "/alerts", found.next)
    return page(request, "alerts.html", rows=found.items, states=STATES, state=state, following=following)


@router.post("/alerts/{alert_id}/close")
async def close_here(alert_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Somebody has seen to it."""
    who = await allowed(user, "patients:write", ctx)
    await close_alert(alert_id, who, ctx)
    return RedirectResponse(local_path(text(form, "back"), "/alerts"), HTTPStatus.SEE_OTHER)
