"""A body that stalls is given up, with a problem document; uvicorn itself would wait without end."""

import math
from http import HTTPStatus

import anyio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyTimeoutMiddleware:
    """Ends a request whose body does not arrive.

    Args:
        piece_s: seconds that the next piece of the body may take.
        whole_s: seconds that the whole body may take, so that a trickle of single bytes ends as well.
    """

    def __init__(self, app: ASGIApp, piece_s: float, whole_s: float) -> None:
        self.app, self.piece_s, self.whole_s = app, piece_s, whole_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, self._timed(receive) if scope["type"] == "http" else receive, send)

    def _timed(self, receive: Receive) -> Receive:
        arrived, deadline = False, math.inf

        async def wait() -> Message:
            nonlocal arrived, deadline
            if arrived:  # what is waited for now is the client's leaving, which may take as long as it likes
                return await receive()
            if math.isinf(deadline):
                deadline = anyio.current_time() + self.whole_s
            try:
                with anyio.fail_after(min(self.piece_s, max(0.0, deadline - anyio.current_time()))):
                    message = await receive()
            except TimeoutError as error:
                # An HTTPException is what passes through the framework's body parsing unchanged.
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, self._detail(), {"Connection": "close"}) from error
            arrived = not message.get("more_body", False)
            return message

        return wait

    def _detail(self) -> str:
        return (
            f"The upload stalled: no part of it came for {self.piece_s:g} s, or it took more than {self.whole_s:g} s. "
            "Nothing was stored; send it again."
        )
