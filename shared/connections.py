"""Connections that bring no request are ended, and bounded in number: uvicorn itself would keep them without end."""

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as HttpProtocol
else:  # httptools, or h11 where that is not to be had
    from uvicorn.protocols.http.auto import AutoHTTPProtocol as HttpProtocol

# What a request's head may take, from the connection's start or its first byte on, and how large it may be.
HEAD_S, LARGEST_HEAD_BYTES = 10.0, 65_536
# What the rest of a body may take whose request has been answered already: an upload that was refused at once.
REST_OF_BODY_S = 120.0
# Far below the 1,024 files that a process may have open on most systems, and far above what an edge opens.
MOST_CONNECTIONS = 500


class BoundedConnection(HttpProtocol):
    """One client's connection. One too many ends the one that has said nothing for longest and awaits no answer."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._end: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._heard_at_s = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._end_after(HEAD_S)
        if len(self.connections) > MOST_CONNECTIONS:
            self._end_the_idlest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes: of a head, which must soon be whole, or of a body, which the app waits for as it likes."""
        self._heard_at_s = self.loop.time()
        request = self.cycle
        super().data_received(data)
        if self.cycle is not request:
            self._stop_waiting()
        elif self.is_idle():
            is_rest_of_body = request is not None and request.more_body
            self._end_after(REST_OF_BODY_S if is_rest_of_body else HEAD_S)
            self._head_bytes += 0 if is_rest_of_body else len(data)
            if self._head_bytes > LARGEST_HEAD_BYTES:
                self.transport.abort()

    def is_idle(self) -> bool:
        """Whether no request here waits for its answer."""
        return self.cycle is None or self.cycle.response_complete

    def _end_after(self, seconds: float) -> None:
        """Unless something is waited for already: single bytes win no time."""
        if self._end is None:
            self._end = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end, self._head_bytes = None, 0

    def _end_the_idlest(self) -> None:
        idle = [one for one in self.connections if isinstance(one, BoundedConnection) and one.is_idle()]
        idlest = min(idle, key=lambda one: one._heard_at_s)
        idlest.transport.abort()
        self.connections.discard(idlest)  # the event loop tells it only later
