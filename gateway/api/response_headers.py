"""The headers that every answer has, whoever made it: nothing of a patient, and no new secret, stays in a cache."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Below these paths every answer is for its caller alone.
PRIVATE = ("/v1/", "/fhir/")


class ResponseHeadersMiddleware:
    """Sets `X-Content-Type-Options: nosniff` on all answers, and `Cache-Control: no-store` on those of the APIs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                if scope["path"].startswith(PRIVATE):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_with_headers)
