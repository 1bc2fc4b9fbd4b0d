"""The largest request body, refused with a problem document.

Starlette's own `max_body_size` counts as well, but answers in plain text whatever the handlers say.
"""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problem_responses import problem_response
from shared.problems import PROBLEMS, UploadTooLarge


class BodySizeLimitMiddleware:
    """Refuses a body by its announced length before any of it is read, and counts one that announces none.

    Args:
        max_bytes: the largest body, multipart overhead included.
        larger: paths that take more, each with its own limit.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int] | None = None) -> None:
        self.app, self.max_bytes, self.larger = app, max_bytes, larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.larger.get(scope["path"], self.max_bytes)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            await self._refuse(limit, scope, receive, send)
            return
        await self.app(scope, self._counted(receive, limit), send)

    def _counted(self, receive: Receive, limit: int) -> Receive:
        total = 0

        async def count() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > limit:
                # An HTTPException is what passes through the framework's body parsing unchanged.
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _detail(limit))
            return message

        return count

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        problem = PROBLEMS[UploadTooLarge]
        response = problem_response(problem.status, problem.slug, problem.title, _detail(limit))
        await response(scope, receive, send)


def _detail(limit: int) -> str:
    return f"The upload is larger than the {limit / 1e6:g} MB that are accepted: send a smaller file."
