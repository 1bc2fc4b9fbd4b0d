"""What should be looked at: follow-ups that are due or overdue, and patients who got worse."""

from http import HTTPStatus
from typing import Annotated, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.api.alerts import NOW, close_alert, list_alerts
from gateway.pages.deps import House, Visit, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import Page, older, page
from gateway.pages.sessions import local_path
from gateway.records.alerts import AlertState

router = APIRouter(include_in_schema=False, route_class=Page)
STATES: tuple[AlertState, ...] = get_args(AlertState)


@router.get("/alerts")
async def alerts_page(
    request: Request,
    visitor: Visit,
    house: House,
    state: Annotated[AlertState | None, Query()] = None,
    before: UUID | None = None,
) -> Response:
    """Open alerts; a patient sees the own ones, the coming ones as well."""
    who = await allowed(visitor, "patients:read", house)
    wanted = [state] if state else list(NOW if visitor.is_staff else STATES)
    found = await list_alerts(who, house, wanted, 50, before)
    following = older(request, "/alerts", found.next)
    return page(request, "alerts.html", rows=found.items, states=STATES, state=state, following=following)


@router.post("/alerts/{alert_id}/close")
async def close_here(alert_id: UUID, form: Posted, visitor: Visit, house: House) -> Response:
    """Somebody has seen to it."""
    who = await allowed(visitor, "patients:write", house)
    await close_alert(alert_id, who, house)
    return RedirectResponse(local_path(text(form, "back"), "/alerts"), HTTPStatus.SEE_OTHER)
