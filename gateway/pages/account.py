"""Your account: who you are here, changing the password, signing out."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.pages.deps import Context, User
from gateway.pages.forms import Posted, secret
from gateway.pages.page import PageRoute, describe_problem, page
from gateway.pages.sessions import end_session
from shared.problems import TrabeculaError

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/account")
async def account_page(request: Request) -> Response:
    """What the system knows of the user as an account."""
    return page(request, "account.html", problem=None)


@router.post("/account/password")
async def change_password(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Change the password; every session ends, this one included."""
    current, new = secret(form, "current"), secret(form, "password")
    try:
        await ctx.accounts.change_password(user.known(), current, new)
    except TrabeculaError as error:
        problem = describe_problem(error)
        return page(request, "account.html", HTTPStatus(problem["status"]), problem=problem)
    user.new_tokens = None
    response = RedirectResponse("/sign-in?again=1", HTTPStatus.SEE_OTHER)
    end_session(response, request)
    return response
