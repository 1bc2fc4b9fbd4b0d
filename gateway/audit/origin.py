"""Where a request came from, for the audit trail and nothing else: no log line carries an address."""

from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

_ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)
LONGEST = 45  # an IPv6 address that embeds an IPv4 one


def address() -> str | None:
    """The network address of the request being served; null outside of one."""
    return _ADDRESS.get()


class Origin:
    """Keeps the caller's address at hand while a request is served. Behind an edge it is what the edge forwards."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        token = _ADDRESS.set(client[0][:LONGEST] if client else None)
        try:
            await self.app(scope, receive, send)
        finally:
            _ADDRESS.reset(token)
