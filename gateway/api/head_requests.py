"""HEAD on everything of the API that can be read: the headers of the GET, without its body (RFC 9110 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A stream has no end to wait for: HEAD stays refused there.
STREAMS = ("/v1/batches/", "/events")


class HeadMiddleware:
    """Answers HEAD as GET. Reading is in the audit trail as it is for GET; nothing of the API changes on a GET.

    The pages are left alone: a GET there may begin a sign-in.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "HEAD" or _is_stream(scope["path"]):
            await self.app(scope, receive, send)
            return
        is_over = False

        async def send_head(message: Message) -> None:
            nonlocal is_over
            if message["type"] == "http.response.start":
                scope["method"] = "HEAD"  # before the server looks whether a body may follow
                await send(message)
            elif not is_over:
                is_over = True
                await send({"type": "http.response.body", "body": b""})

        scope["method"] = "GET"
        try:
            await self.app(scope, receive, send_head)
        finally:
            scope["method"] = "HEAD"


def _is_stream(path: str) -> bool:
    begins, ends = STREAMS
    return path.startswith(begins) and path.endswith(ends)
