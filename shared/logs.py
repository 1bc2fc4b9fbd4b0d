"""JSON logs to standard output, every line with the id of the request it belongs to.

Nothing a patient would recognise is logged: no image bytes, no record, no name, no query string.
"""

import logging
import re
import secrets
import sys
import time
import uuid
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "x-request-id"
TRACE_PARENT = "traceparent"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
# W3C Trace Context: version, trace, span of the caller, flags.
_TRACE = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
_QUIET = ("/health/", "/metrics")
# Where no route was reached: what stands in such a path may be anything, a patient's number too.
_UNMATCHED = "unmatched"


def configure_logging(level: str = "INFO") -> None:
    """Send the project's logs and those of the libraries as one JSON object a line to standard output."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Without the values of local variables, among which are records and passwords.
                structlog.processors.ExceptionRenderer(
                    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
                ),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # httpx logs every address it calls, which says nothing that the access line does not; alembic each time it looks.
    for name in ("httpx", "httpcore", "alembic", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


def request_id() -> str | None:
    """The id of the request being served, to be passed on over the next hop."""
    identity: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return identity


def trace_parent() -> str | None:
    """The trace that the request being served belongs to, with this hop as its span; null where the caller has none."""
    trace: str | None = structlog.contextvars.get_contextvars().get(TRACE_PARENT)
    return trace


def _continued(given: str) -> dict[str, str]:
    """What the log says of a caller's trace, and what is passed on; nothing where there is none."""
    found = _TRACE.fullmatch(given)
    if found is None:
        return {}
    trace, flags = found.groups()
    return {"trace_id": trace, TRACE_PARENT: f"00-{trace}-{secrets.token_hex(8)}-{flags}"}


class AccessLogMiddleware:
    """Gives every request an id (the caller's, if it is a plausible one), returns it and writes the access line.

    A caller's trace (W3C Trace Context) goes on: it is on the line, in the answer, and with the calls to the services.

    Pure ASGI: Starlette's BaseHTTPMiddleware costs half a millisecond a request.
    """

    def __init__(self, app: ASGIApp, component: str) -> None:
        self.app, self.component = app, component
        self._log = structlog.get_logger("trabecula.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        identity = given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        status, trace = 500, _continued(Headers(scope=scope).get(TRACE_PARENT, ""))

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = identity
                if trace:
                    headers[TRACE_PARENT] = trace[TRACE_PARENT]
            await send(message)

        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=identity, component=self.component, **trace):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                self._write(scope, status, time.perf_counter() - began)

    def _write(self, scope: dict[str, Any] | Scope, status: int, seconds: float) -> None:
        if status < 400 and scope["path"].startswith(_QUIET):
            return
        ms = round(seconds * 1000, 1)
        self._log.info("request", method=scope["method"], path=_template(scope), status=status, ms=ms)


def _template(scope: dict[str, Any] | Scope) -> str:
    """The path as the route has it, with the names of what stands in it in place of ids and patients' numbers."""
    if route := scope.get("route"):
        return str(route.path)
    return str(scope["root_path"]) if "app_root_path" in scope else _UNMATCHED  # a mount has its path there
