"""Sign-in by the hospital's own provider: the way there, the way back, and signing out there."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.assessing.provider_sign_in import ProviderAnswer
from gateway.context import AppContext
from gateway.pages.authentication import sign_in_form, signed_in
from gateway.pages.deps import Context, User
from gateway.pages.page import OpenPageRoute, page
from gateway.pages.sessions import cookie, delete_cookie, local_path, set_cookie
from shared.problems import TrabeculaError

router = APIRouter(route_class=OpenPageRoute, include_in_schema=False, prefix="/sign-in/provider")
# Shows that a browser which comes back is the one that set out.
BROWSER = "trab_provider"
MINUTES_10_S = 600
LONGEST_CODE, LONGEST_STATE = 4000, 200


@router.get("")
async def begin(
    request: Request, user: User, ctx: Context, next: Annotated[str, Query(max_length=500)] = "/"
) -> Response:
    """On to the provider, unless somebody is signed in already."""
    provider = ctx.authentication.required_provider()
    if user.who:
        return RedirectResponse(local_path(next), HTTPStatus.SEE_OTHER)
    try:
        address, browser = await provider.begin(local_path(next))
    except TrabeculaError as error:
        return sign_in_form(request, ctx, local_path(next), error=error)
    response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    set_cookie(response, request, BROWSER, browser, MINUTES_10_S)
    return response


@router.get("/callback")
async def come_back(
    request: Request,
    ctx: Context,
    state: Annotated[str, Query(max_length=LONGEST_STATE)] = "",
    code: Annotated[str, Query(max_length=LONGEST_CODE)] = "",
    error: Annotated[str, Query(max_length=LONGEST_STATE)] = "",
    iss: Annotated[str | None, Query(max_length=LONGEST_CODE)] = None,
) -> Response:
    """Sign in whom the provider vouches for, and go on to where the person wanted to go."""
    response = await _finish(request, ctx, ProviderAnswer(state, code, error, iss))
    delete_cookie(response, request, BROWSER)
    return response


@router.get("/out")
async def leave(request: Request, ctx: Context) -> Response:
    """Sign out at the provider, too: the next person at this computer would come in as the last one.

    By a page that leads on by itself: the pages' policy lets no form end anywhere else.
    """
    address = await ctx.authentication.required_provider().client.way_out()
    if address is None:
        return RedirectResponse("/sign-in?out=1", HTTPStatus.SEE_OTHER)
    response = page(request, "provider_out.html", address=address, provider=ctx.settings.oidc_label)
    response.headers["Refresh"] = f"0; url={address}"
    return response


async def _finish(request: Request, ctx: AppContext, answer: ProviderAnswer) -> Response:
    try:
        tokens, onward = await ctx.authentication.sign_in_by_provider(answer, cookie(request, BROWSER) or "")
    except TrabeculaError as error:
        return sign_in_form(request, ctx, "/", error=error)
    return signed_in(request, tokens, onward, stay=False)
