"""ETag and 304 on what is read, and the way to the next page of a list."""

import hashlib
import re
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.deps import query_names

# The end of a page as it is written: its place is the last field (`gateway.platform.paging.Page`).
NEXT = re.compile(rb'"next":"?([0-9a-f-]{1,36})"?\}$')


class ConditionalMiddleware:
    """Gives every JSON document that is read an ETag of its bytes, and answers 304 to whoever has it (RFC 9110 13.1.2).

    A page of a list gets `Link: <...>; rel="next"` (RFC 8288). FHIR's answers have their own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        await self.app(scope, receive, answer.send)


class _Answer:
    """Passes an answer on; a JSON document is held until it is whole."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send, self._body = scope, send, bytearray()
        self._held: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_document(message):
            self._held = message
        elif self._held is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_whole(self._held, bytes(self._body))

    async def _send_whole(self, start: Message, body: bytes) -> None:
        headers = MutableHeaders(raw=list(start["headers"]))
        if address := next_page(self._scope, body):
            headers["Link"] = f'<{address}>; rel="next"'
        etag = etag_of(body)
        headers["ETag"] = etag
        if matches(Headers(scope=self._scope).get("if-none-match", ""), etag):
            for name in ("Content-Length", "Content-Type"):
                del headers[name]
            start, body = {**start, "status": 304}, b""
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def etag_of(content: bytes) -> str:
    """A weak tag of some bytes: what is sent compressed is the same document."""
    return f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'


def matches(sent: str, etag: str) -> bool:
    """Whether one of the tags of If-None-Match is this one, in the weak comparison that GET asks for."""
    tags = [tag.strip() for tag in sent.split(",")]
    return "*" in tags or etag.removeprefix("W/") in [tag.removeprefix("W/") for tag in tags]


def next_page(scope: Scope, body: bytes) -> str | None:
    """The address of the page after this one, relative to the host; null where it is no list, or its last page."""
    found, dependant = NEXT.search(body[-64:]), getattr(scope.get("route"), "dependant", None)
    if found is None or dependant is None:
        return None
    names, query = set(query_names(dependant)), dict(_query(scope))
    goes_on = "after" if "after" in query or "before" not in names else "before"
    if goes_on not in names:
        return None
    kept = [(name, value) for name, value in _query(scope) if name != goes_on]
    return f"{scope['path']}?{urlencode([*kept, (goes_on, found.group(1).decode())])}"


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _is_document(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    is_json = headers.get("content-type", "").partition(";")[0] == "application/json"
    return start["status"] == 200 and is_json and "etag" not in headers
