"""The own account: who one is here, another password, signing out."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.api.accounts import NewPassword, change_password
from gateway.pages.deps import Context, User
from gateway.pages.forms import Posted, secret
from gateway.pages.page import Page, page, told
from gateway.pages.sessions import take_back
from shared.problems import TrabeculaError

router = APIRouter(include_in_schema=False, route_class=Page)


@router.get("/account")
async def account_page(request: Request) -> Response:
    """What the system knows of the user as an account."""
    return page(request, "account.html", problem=None)


@router.post("/account/password")
async def change_here(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Change the password; every sign-in ends, this one included."""
    passwords = NewPassword(current_password=secret(form, "current"), new_password=secret(form, "password"))
    try:
        await change_password(passwords, user.known(), ctx)
    except TrabeculaError as error:
        problem = told(error)
        return page(request, "account.html", HTTPStatus(problem["status"]), problem=problem)
    user.fresh = None
    response = RedirectResponse("/sign-in?again=1", HTTPStatus.SEE_OTHER)
    take_back(response)
    return response
