"""How a page is served: to whom, in which language, with which headers, and what an error looks like to a person."""

import hashlib
from collections.abc import Callable, Coroutine
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from gateway.context import AppContext
from gateway.pages.sessions import (
    NOT_FROM_HERE,
    CurrentUser,
    can_be_overheard,
    cookie,
    delete_cookie,
    from_here,
    local_path,
    sessions_of,
    set_anonymous_cookie,
    set_token_cookies,
)
from gateway.platform.language import NAMES, Translator, chosen, translator_for
from shared.logs import request_id
from shared.problem_responses import describe_errors, joined
from shared.problems import NotAuthenticated, NotAuthorised, TrabeculaError, problem_for

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGE = "trab_language"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
# Where a person goes who has to do something before anything else.
OWED = {"password": "/account?owed=1", "second factor": "/account/second-factor"}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A page for whoever is signed in. Strangers are sent to sign in, and come back afterwards."""

    is_open = False

    def get_route_handler(self) -> Handler:
        """The framework's handler, within everything that a page has in common with all others."""
        serve, is_open = super().get_route_handler(), self.is_open

        async def handle(request: Request) -> Response:
            language = chosen(cookie(request, LANGUAGE), request.headers.get("accept-language"))
            request.state.translator, request.state.user = translator_for(language), CurrentUser("")
            request.state.emergencies = 0
            try:
                if request.method == "POST" and not from_here(request):
                    raise NotAuthorised(NOT_FROM_HERE)
                user = request.state.user = await sessions_of(request).user(request)
                if not is_open and (owed := user.known().owes) and not request.url.path.startswith("/account"):
                    return with_headers(RedirectResponse(OWED[owed], HTTPStatus.SEE_OTHER), request)
                request.state.emergencies = await _emergencies(request, user)
                response = await serve(request)
            except ClientDisconnect:
                raise
            except Exception as error:
                response = refusal(request, error)
            return with_headers(response, request)

        return handle


class OpenPageRoute(PageRoute):
    """A page for everybody."""

    is_open = True


async def nothing_here(request: Request, error: Exception) -> Response:
    """An address that there is not, described to a browser as a page, and to programs as the API tells it."""
    if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith("/v1/"):
        handlers = request.app.exception_handlers
        answer: Response = await handlers[HTTPException](request, error)
        return answer
    language = chosen(cookie(request, LANGUAGE), request.headers.get("accept-language"))
    request.state.translator, request.state.user = translator_for(language), CurrentUser("")
    return with_headers(refusal(request, error), request)


def current_user(request: Request) -> CurrentUser:
    """Dependency: who looks at the page."""
    user: CurrentUser = request.state.user
    return user


def translator_of(request: Request) -> Translator:
    """Dependency: the texts of the user's language."""
    translator: Translator = request.state.translator
    return translator


def page(request: Request, template: str, status: HTTPStatus = HTTPStatus.OK, **context: Any) -> HTMLResponse:
    """One page from its template."""
    return HTMLResponse(rendered(request, template, **context), status)


def older(request: Request, path: str, following: object) -> str | None:
    """The link to what lies further back on a page, under the filters that it is seen with; none at the end."""
    return f"{path}?{request.url.include_query_params(before=following).query}" if following else None


def rendered(request: Request, template: str, **context: Any) -> str:
    """A template with what every template has at hand: texts, user, the form token, links to static files."""
    user = current_user(request)
    common = {
        "t": translator_of(request),
        "user": user,
        "form_token": sessions_of(request).form_token(user),
        "path": request.url.path,
        "here": _here(request),
        "can_be_overheard": can_be_overheard(request),
        "languages": NAMES,
        "emergencies": getattr(request.state, "emergencies", 0),  # an address that there is not has no route
        "static": static,
    }
    return _environment().get_template(template).render(common | context)


def refusal(request: Request, error: Exception) -> Response:
    """An error as a person should meet it: a page, or for a script of the pages the same words as JSON."""
    problem = describe_problem(error)
    if problem["status"] == HTTPStatus.INTERNAL_SERVER_ERROR:
        structlog.get_logger("trabecula").error("unforeseen", exc_info=error)
    if wants_json(request):
        return JSONResponse(problem, problem["status"])
    if isinstance(error, NotAuthenticated):
        # After a form that came too late the way back is the page that it was on: the browser has kept what was typed.
        back = _here(request) if request.method == "GET" else _page_of(request)
        return RedirectResponse(f"/sign-in?again=1&next={quote(back, safe='/')}", HTTPStatus.SEE_OTHER)
    return page(request, "problem.html", HTTPStatus(problem["status"]), problem=problem, request_id=request_id())


def describe_problem(error: Exception) -> dict[str, Any]:
    """An error's status, stable slug, words and fields."""
    if isinstance(error, TrabeculaError):
        row = problem_for(error)
        return {"status": row.status.value, "slug": row.slug, "detail": error.detail, **error.members}
    if isinstance(error, RequestValidationError | ValidationError):
        fields = describe_errors(error.errors())
        return {"status": 422, "slug": "invalid-input", "detail": joined(fields), "errors": fields}
    if isinstance(error, HTTPException):
        slugs = {413: "upload-too-large", 408: "upload-stalled", 404: "not-found"}
        slug = slugs.get(error.status_code, "bad-request")
        return {"status": error.status_code, "slug": slug, "detail": str(error.detail)}
    return {"status": 500, "slug": "internal-error", "detail": "Something unforeseen went wrong here."}


def wants_json(request: Request) -> bool:
    """Whether a script of the pages asks, and not the browser itself."""
    return "json" in request.headers.get("accept", "")


def with_headers(response: Response, request: Request) -> Response:
    """The answer with the pages' headers, and the cookies that this session needs."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    user = current_user(request)
    if getattr(request.state, "told", False):
        delete_cookie(response, request, "trab_once")
    if user.new_tokens:
        set_token_cookies(response, request, sessions_of(request), user.new_tokens, stay=user.stay)
    if user.binding:
        set_anonymous_cookie(response, request, user)
    return response


def static(name: str) -> str:
    """The address of a static file; it changes when any of them does, so that browsers may keep them for ever."""
    return f"/static/{stamp()}/{name}"


@cache
def stamp() -> str:
    """What the static files are, in twelve characters."""
    whole = hashlib.sha256()
    for file in sorted(STATIC.rglob("*")):
        if file.is_file():
            whole.update(file.name.encode() + file.read_bytes())
    return whole.hexdigest()[:12]


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(HERE / "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["num"] = lambda value: f"{value:g}"
    return environment


async def _emergencies(request: Request, user: CurrentUser) -> int:
    """How many emergencies nobody has closed yet, for the navigation of staff; programs and scripts see none."""
    if not user.is_staff or user.known().owes or "text/html" not in request.headers.get("accept", ""):
        return 0
    context: AppContext = request.app.state.context
    return await context.cases.emergencies(user.known())


def _page_of(request: Request) -> str:
    """The page that a form was on, by the browser's own word for it; the start where that is no page of this site."""
    page = urlsplit(request.headers.get("referer", ""))
    return local_path(page.path) if page.netloc == request.headers.get("host") else "/"


def _here(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
