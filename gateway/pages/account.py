"""Your account: who you are here, changing the password, signing out."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.context import AppContext
from gateway.pages.deps import Context, User
from gateway.pages.forms import Posted, secret
from gateway.pages.page import PageRoute, describe_problem, page
from gateway.pages.sessions import CurrentUser, end_session
from shared.problems import TrabeculaError

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/account")
async def account_page(request: Request, user: User, ctx: Context) -> Response:
    """What the system knows of the user as an account, and where they are signed in."""
    return await _account(request, user, ctx)


@router.post("/account/password")
async def change_password(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Change the password; every session ends, this one included."""
    current, new = secret(form, "current"), secret(form, "password")
    try:
        await ctx.accounts.change_password(user.known(), current, new)
    except TrabeculaError as error:
        return await _account(request, user, ctx, describe_problem(error))
    user.new_tokens = None
    response = RedirectResponse("/sign-in?changed=1", HTTPStatus.SEE_OTHER)
    end_session(response, request)
    return response


@router.post("/account/sessions/{session_id}/end")
async def end_one_session(session_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """End one of the user's own sessions."""
    await ctx.accounts.end_session(user.known(), session_id)
    return RedirectResponse("/account", HTTPStatus.SEE_OTHER)


async def _account(
    request: Request, user: CurrentUser, ctx: AppContext, problem: dict[str, Any] | None = None
) -> Response:
    sessions = await ctx.accounts.own_sessions(user.known())
    status = HTTPStatus(problem["status"]) if problem else HTTPStatus.OK
    owed = user.known().owes == "password"
    return page(request, "account.html", status, problem=problem, sessions=sessions, owed=owed)
