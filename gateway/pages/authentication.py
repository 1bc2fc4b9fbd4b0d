"""Coming in and going out: sign in, register, accept an invitation, sign out, the language."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from gateway.api.accounts import Registration, register
from gateway.api.invitations import Acceptance, accept_invitation
from gateway.api.tokens import TokenRequest, Tokens, sign_in, sign_out
from gateway.context import AppContext, get_context
from gateway.pages.forms import Posted, secret, text
from gateway.pages.page import LANGUAGE, OpenPage, current_user, page, told
from gateway.pages.sessions import REFRESH, CurrentUser, hand_out, local_path, sessions_of, take_back
from gateway.platform.language import LanguageCode
from shared.problems import TrabeculaError

router = APIRouter(route_class=OpenPage, include_in_schema=False)
Context = Annotated[AppContext, Depends(get_context)]
User = Annotated[CurrentUser, Depends(current_user)]
YEAR_S = 365 * 86_400


@router.get("/sign-in")
async def sign_in_page(
    request: Request,
    user: User,
    ctx: Context,
    next: Annotated[str, Query(max_length=500)] = "/",
    again: bool = False,
) -> Response:
    """The form, unless somebody is signed in already."""
    if user.who:
        return RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    return _sign_in_form(request, ctx, local_path(next), again=again)


@router.post("/sign-in")
async def sign_in_here(request: Request, form: Posted, ctx: Context) -> Response:
    """Sign in and go on to where the person wanted to go."""
    onward = local_path(text(form, "next"))
    email, password = text(form, "email"), secret(form, "password")
    try:
        tokens = await sign_in(
            TokenRequest(username=email, password=password.get_secret_value()), ctx, Response(), None
        )
    except (TrabeculaError, ValidationError) as error:
        return _sign_in_form(request, ctx, onward, email=email, error=error)
    return _welcome(request, tokens, onward, stay=text(form, "stay") == "1")


@router.get("/register")
async def register_page(request: Request, ctx: Context) -> Response:
    """The form for patients who register themselves."""
    return page(request, "register.html", allowed=ctx.settings.registration, email="", problem=None)


@router.post("/register")
async def register_here(request: Request, form: Posted, ctx: Context) -> Response:
    """Make the account and sign in."""
    email, password = text(form, "email"), secret(form, "password")
    try:
        await register(Registration(email=email, password=password), ctx)
        tokens = await sign_in(
            TokenRequest(username=email, password=password.get_secret_value()), ctx, Response(), None
        )
    except (TrabeculaError, ValidationError) as error:
        problem, allowed = told(error), ctx.settings.registration
        status = HTTPStatus(problem["status"])
        return page(request, "register.html", status, allowed=allowed, email=email, problem=problem)
    return _welcome(request, tokens, "/", stay=False)


@router.get("/invitation")
async def invitation_page(request: Request) -> Response:
    """The form for somebody who was invited. The token is behind the # of the link, where no server log sees it."""
    return page(request, "invitation.html", problem=None, token="")


@router.post("/invitation")
async def accept_here(request: Request, form: Posted, ctx: Context) -> Response:
    """Make the account that the invitation is for and sign in."""
    password, token = secret(form, "password"), text(form, "token")
    try:
        account = await accept_invitation(Acceptance(token=token, password=password), ctx)
        tokens = await sign_in(
            TokenRequest(username=account.email, password=password.get_secret_value()), ctx, Response(), None
        )
    except (TrabeculaError, ValidationError) as error:
        problem = told(error)
        return page(request, "invitation.html", HTTPStatus(problem["status"]), problem=problem, token=token)
    return _welcome(request, tokens, "/", stay=False)


@router.post("/sign-out")
async def sign_out_here(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """End the sign-in, here and on the server."""
    token = user.fresh.refresh_token if user.fresh else request.cookies.get(REFRESH)
    user.fresh = None
    if token:
        await sign_out(token, ctx)
    response = RedirectResponse("/sign-in?out=1", HTTPStatus.SEE_OTHER)
    take_back(response)
    return response


@router.get("/language/{code}")
async def choose_language(
    code: LanguageCode, request: Request, next: Annotated[str, Query(max_length=500)] = "/"
) -> Response:
    """Remember the language in the browser; nothing of it is stored here."""
    response = RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    secure = request.url.scheme == "https"
    response.set_cookie(LANGUAGE, code, max_age=YEAR_S, path="/", secure=secure, httponly=True, samesite="lax")
    return response


def _sign_in_form(
    request: Request,
    ctx: AppContext,
    onward: str,
    *,
    again: bool = False,
    email: str = "",
    error: Exception | None = None,
) -> Response:
    problem = told(error) if error else None
    status = HTTPStatus(problem["status"]) if problem else HTTPStatus.OK
    return page(
        request, "sign_in.html", status, next=onward, again=again, email=email, problem=problem,
        registration=ctx.settings.registration, out=request.query_params.get("out") == "1",
    )  # fmt: skip


def _welcome(request: Request, tokens: Tokens, onward: str, *, stay: bool) -> Response:
    response = RedirectResponse(onward, HTTPStatus.SEE_OTHER)
    hand_out(response, request, sessions_of(request), tokens, stay=stay)
    return response
