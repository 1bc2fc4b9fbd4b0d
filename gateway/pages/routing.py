"""Films that come in and results that go out: what waits, what was given up, and having it tried again."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted
from gateway.pages.page import PageRoute, page

router = APIRouter(include_in_schema=False, route_class=PageRoute)
HERE = "/administration/routing"


@router.get(HERE)
async def routing_page(request: Request, user: User, ctx: Context) -> Response:
    """How everything stands."""
    state = await ctx.films.state(await allowed(user, "admin", ctx))
    return page(request, "routing.html", state=state)


@router.post(f"{HERE}/{{item_id}}/retry")
async def retry(item_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Have a film assessed again, or a result sent again."""
    await ctx.films.send_again(item_id, await allowed(user, "admin", ctx))
    return RedirectResponse(HERE, HTTPStatus.SEE_OTHER)
