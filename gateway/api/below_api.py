"""Which addresses are the API's: what programs read, and never a page with somebody's session."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

API_PATHS = ("/v1/", "/fhir/", "/cds-services", "/health/")
DOCUMENT = "/openapi.json"


def is_api(path: str) -> bool:
    """Whether an address belongs to the API."""
    return path.startswith(API_PATHS) or path == DOCUMENT


class BelowApiMiddleware:
    """Puts another middleware before the API alone.

    Args:
        wrap: makes that middleware around an app.
    """

    def __init__(self, app: ASGIApp, wrap: Callable[[ASGIApp], ASGIApp]) -> None:
        self.app, self.wrapped = app, wrap(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        below = scope["type"] == "http" and is_api(scope["path"])
        await (self.wrapped if below else self.app)(scope, receive, send)
