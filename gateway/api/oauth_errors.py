"""Errors of the token endpoint as RFC 6749 (5.2) has them, for systems that send an assertion; and their success."""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from gateway.platform.identity.smart_scopes import UnknownScope
from shared.problem_responses import describe_errors, joined
from shared.problems import (
    NotAuthenticated,
    ServiceUnavailable,
    TooManyAttempts,
    TooManyRequests,
    TrabeculaError,
    problem_for,
)

ASSERTION_FIELDS = ("client_assertion", "client_assertion_type")
WAIT = (TooManyAttempts, TooManyRequests, ServiceUnavailable)


class OAuthError(TrabeculaError):
    """A request that RFC 6749 has a name for.

    Args:
        code: `invalid_request`, `unsupported_grant_type` and so on.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def oauth_error(error: TrabeculaError) -> JSONResponse:
    """An error by its name in RFC 6749; what is none of them has the name that fits best."""
    code, status, headers = _code(error), HTTPStatus.BAD_REQUEST, {}
    if isinstance(error, NotAuthenticated):
        status = HTTPStatus.UNAUTHORIZED
    elif isinstance(error, WAIT):
        status = problem_for(error).status
        headers["Retry-After"] = str(error.members.get("retry_after_s", 5))
    # RFC 6749 allows printable ASCII without quotation marks and backslashes here.
    allowed = (sign for sign in error.detail if " " <= sign <= "~" and sign not in '"\\')
    return JSONResponse({"error": code, "error_description": "".join(allowed)}, status.value, headers)


def _code(error: TrabeculaError) -> str:
    if isinstance(error, OAuthError):
        return error.code
    if isinstance(error, NotAuthenticated):
        return "invalid_client"
    if isinstance(error, WAIT):
        return "temporarily_unavailable"
    return "invalid_scope" if isinstance(error, UnknownScope) else "invalid_request"


class AssertionRoute(APIRoute):
    """A route whose form may hold an assertion: what is wrong with such a form is told as RFC 6749 has it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler, with that."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                if not _holds_assertion(error.body):
                    raise
                errors = describe_errors(error.errors())
                about_grant = any(part["field"].endswith("grant_type") for part in errors)
                return oauth_error(
                    OAuthError("unsupported_grant_type" if about_grant else "invalid_request", joined(errors))
                )

        return handle


def _holds_assertion(body: Any) -> bool:
    return isinstance(body, Mapping) and any(name in body for name in ASSERTION_FIELDS)
