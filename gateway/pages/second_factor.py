"""Setting up the second factor: the secret for the authenticator app, a code of it, and the recovery codes."""

import base64
import binascii
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.context import AppContext
from gateway.pages.deps import Context, User
from gateway.pages.forms import Posted, required, text
from gateway.pages.page import PageRoute, describe_problem, page
from gateway.pages.sessions import CurrentUser
from gateway.platform.identity.second_factor import NewSecondFactor
from shared.problems import InvalidInput, TrabeculaError

router = APIRouter(include_in_schema=False, route_class=PageRoute)
ACCOUNT = "/account"
LONGEST_CODE = 40


@router.get("/account/second-factor")
async def second_factor_page(request: Request, user: User, ctx: Context) -> Response:
    """A new secret, for who needs one; it counts once a code of it is typed."""
    if not ctx.accounts.needs_second_factor(user.known()):
        return RedirectResponse(ACCOUNT, HTTPStatus.SEE_OTHER)
    return _form(request, ctx.accounts.new_second_factor(user.email or ""))


@router.post("/account/second-factor")
async def set_second_factor(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Let the secret count, and show the recovery codes this once."""
    if not ctx.accounts.needs_second_factor(user.known()):
        return RedirectResponse(ACCOUNT, HTTPStatus.SEE_OTHER)
    new = _of_form(form, user, ctx)
    try:
        codes = await ctx.accounts.set_second_factor(user.known(), new.secret, required(form, "code", LONGEST_CODE))
    except TrabeculaError as error:
        return _form(request, new, describe_problem(error))
    return page(request, "second_factor.html", new=None, codes=codes, problem=None)


def _of_form(form: Posted, user: CurrentUser, ctx: AppContext) -> NewSecondFactor:
    """The secret that the page offered; a person who puts another in its place has only their own to lose."""
    try:
        secret = base64.b32decode(text(form, "secret"))
    except binascii.Error as error:
        raise InvalidInput("secret: load the page again.", field="secret") from error
    return ctx.accounts.second_factor_of(secret, user.email or "")


def _form(request: Request, new: NewSecondFactor, problem: dict[str, object] | None = None) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return page(request, "second_factor.html", status, new=new, codes=[], problem=problem)
