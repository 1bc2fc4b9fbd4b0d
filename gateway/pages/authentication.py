"""Signing in and out: sign in, register, accept an invitation, sign out, choose the language."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.assessing.authentication import IssuedTokens
from gateway.context import AppContext
from gateway.pages.deps import Context, User
from gateway.pages.forms import Posted, email_address, required, secret, text
from gateway.pages.page import LANGUAGE, OpenPageRoute, describe_problem, page
from gateway.pages.sessions import (
    REFRESH,
    cookie,
    end_session,
    local_path,
    sessions_of,
    set_cookie,
    set_token_cookies,
)
from gateway.platform.identity.email import LONGEST
from shared.contracts.language import LanguageCode
from shared.problems import TrabeculaError

router = APIRouter(route_class=OpenPageRoute, include_in_schema=False)
YEAR_S = 365 * 86_400
LONGEST_TOKEN, LONGEST_CODE = 200, 40


@router.get("/sign-in")
async def sign_in_page(
    request: Request,
    user: User,
    ctx: Context,
    next: Annotated[str, Query(max_length=500)] = "/",
    again: bool = False,
    changed: bool = False,
) -> Response:
    """The form, unless somebody is signed in already."""
    if user.who:
        return RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    return sign_in_form(request, ctx, local_path(next), again=again, changed=changed)


@router.post("/sign-in")
async def sign_in(request: Request, form: Posted, ctx: Context) -> Response:
    """Sign in and go on to where the person wanted to go."""
    onward, email = local_path(text(form, "next")), text(form, "email")
    try:
        address, password, stay = required(form, "email", LONGEST), secret(form, "password"), text(form, "stay") == "1"
        code = text(form, "second_factor")[:LONGEST_CODE]
        tokens = await ctx.authentication.sign_in(address, password, code, stay)
    except TrabeculaError as error:
        return sign_in_form(request, ctx, onward, email=email, error=error)
    return signed_in(request, tokens, onward, stay=stay)


@router.get("/register")
async def register_page(request: Request, ctx: Context) -> Response:
    """The form for patients who register themselves. The code may be behind the # of a link, where no log sees it."""
    return page(request, "register.html", allowed=ctx.settings.is_registration_open(), email="", code="", problem=None)


@router.post("/register")
async def register(request: Request, form: Posted, ctx: Context) -> Response:
    """Make the account; its person then signs in, whether the address had one before or not."""
    try:
        code = required(form, "code", LONGEST_CODE)
        await ctx.accounts.register(email_address(form, "email"), secret(form, "password"), code)
    except TrabeculaError as error:
        problem, typed = describe_problem(error), {name: text(form, name) for name in ("email", "code")}
        allowed, status = ctx.settings.is_registration_open(), HTTPStatus(problem["status"])
        return page(request, "register.html", status, allowed=allowed, problem=problem, **typed)
    return RedirectResponse("/sign-in?registered=1", HTTPStatus.SEE_OTHER)


@router.get("/invitation")
async def invitation_page(request: Request) -> Response:
    """The form for somebody who was invited. The token is behind the # of the link, where no server log sees it."""
    return page(request, "invitation.html", problem=None, token="")


@router.post("/invitation")
async def accept_invitation(request: Request, form: Posted, ctx: Context) -> Response:
    """Make the account that the invitation is for and sign in."""
    token = text(form, "token")
    try:
        password = secret(form, "password")
        account = await ctx.accounts.accept_invitation(required(form, "token", LONGEST_TOKEN), password)
        tokens = await ctx.authentication.sign_in(account.email, password)
    except TrabeculaError as error:
        problem = describe_problem(error)
        return page(request, "invitation.html", HTTPStatus(problem["status"]), problem=problem, token=token)
    return signed_in(request, tokens, "/", stay=False)


@router.post("/sign-out")
async def sign_out(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """End the session, here and on the server, and then at the hospital's provider where it began there."""
    token = user.new_tokens.refresh_token if user.new_tokens else cookie(request, REFRESH)
    user.new_tokens = None
    if token:
        await ctx.authentication.sign_out(token)
    onward = "/sign-in/provider/out" if user.by_provider and ctx.authentication.provider else "/sign-in?out=1"
    response = RedirectResponse(onward, HTTPStatus.SEE_OTHER)
    end_session(response, request)
    return response


@router.get("/language/{code}")
async def choose_language(
    code: LanguageCode, request: Request, next: Annotated[str, Query(max_length=500)] = "/"
) -> Response:
    """Remember the language in the browser; nothing of it is stored here."""
    response = RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    set_cookie(response, request, LANGUAGE, code, YEAR_S)
    return response


def sign_in_form(
    request: Request,
    ctx: AppContext,
    onward: str,
    *,
    again: bool = False,
    changed: bool = False,
    email: str = "",
    error: Exception | None = None,
) -> Response:
    """The form to sign in with, and why the last attempt came to nothing."""
    problem = describe_problem(error) if error else None
    status = HTTPStatus(problem["status"]) if problem else HTTPStatus.OK
    context = {
        "next": onward,
        "again": again,
        "changed": changed,
        "email": email,
        "problem": problem,
        "second_factor": ctx.settings.second_factor == "staff",
        "registration": ctx.settings.is_registration_open(),
        "out": request.query_params.get("out") == "1",
        "registered": request.query_params.get("registered") == "1",
        "provider": ctx.settings.oidc_label if ctx.authentication.provider else None,
    }
    return page(request, "sign_in.html", status, **context)


def signed_in(request: Request, tokens: IssuedTokens, onward: str, *, stay: bool) -> Response:
    """On to where the person wanted to go, with their tokens."""
    response = RedirectResponse(onward, HTTPStatus.SEE_OTHER)
    set_token_cookies(response, request, sessions_of(request), tokens, stay=stay)
    return response
