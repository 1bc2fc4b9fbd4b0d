"""The largest request body, refused with a problem document.

Starlette's own `max_body_size` counts as well, but answers in plain text whatever the handlers say.
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problem_responses import problem_response
from shared.problems import PROBLEMS, UploadTooLarge


class UploadLimit:
    """Refuses a body by its announced length before any of it is read, and counts one that announces none.

    Args:
        max_bytes: the largest body, multipart overhead included.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > self.max_bytes:
            await self._refuse(scope, receive, send)
            return
        await self.app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        total = 0

        async def count() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self.max_bytes:
                # An HTTPException is what passes through the framework's body parsing unchanged.
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._detail())
            return message

        return count

    def _detail(self) -> str:
        return f"The upload is larger than the {self.max_bytes / 1e6:g} MB that are accepted: send a smaller file."

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = PROBLEMS[UploadTooLarge]
        response = problem_response(problem.status, problem.slug, problem.title, self._detail())
        await response(scope, receive, send)
