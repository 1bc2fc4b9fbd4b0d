"""A call is made again where that is safe and may help, and never otherwise."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import pytest

from shared.client import ATTEMPTS, ServiceClient, service_http
from shared.contracts.base import ModelReference
from shared.problems import InvalidInput, ServiceBrokeOff, ServiceUnavailable, TooBusy

SECRET = "a secret that is long enough for it"
ANSWER = {"name": "n", "version": "1"}


def problem(status, slug):
    document = {"type": f"urn:trabecula:problem:{slug}", "title": "t", "status": status, "detail": "d"}
    return httpx.Response(status, json=document)


class Line(httpx.AsyncBaseTransport):
    """Plays one answer or error a call, in order."""

    def __init__(self, *played):
        self.played, self.calls = list(played), 0

    async def handle_async_request(self, request):
        self.calls += 1
        await request.aread()
        played = self.played.pop(0)
        if isinstance(played, Exception):
            raise played
        return played


async def call(line):
    async with service_http("http://service", line) as http:
        return await ServiceClient("clinical", http, SECRET).get("/v1/model", ModelReference)


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ConnectError("nobody"), httpx.ConnectTimeout("nobody"), httpx.ReadError("cut"),
        httpx.RemoteProtocolError("gone"), problem(503, "too-busy"), problem(503, "service-unavailable"),
    ],
)  # fmt: skip
async def test_a_broken_call_is_made_again(broken):
    line = Line(broken, httpx.Response(200, json=ANSWER))
    assert (await call(line)).name == "n"
    assert line.calls == 2


async def test_it_is_given_up_after_a_few():
    line = Line(*[httpx.ConnectError("nobody")] * ATTEMPTS)
    with pytest.raises(ServiceUnavailable):
        await call(line)
    assert line.calls == ATTEMPTS


async def test_a_service_that_stays_busy_is_told_as_such():
    line = Line(*[problem(503, "too-busy") for _ in range(ATTEMPTS)])
    with pytest.raises(TooBusy):
        await call(line)
    assert line.calls == ATTEMPTS


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ReadTimeout("slow"), ServiceUnavailable),
        (problem(422, "invalid-input"), InvalidInput),
        (problem(500, "internal-error"), ServiceUnavailable),
    ],
)
async def test_what_another_call_would_not_mend_is_not_repeated(answer, error):
    line = Line(answer)
    with pytest.raises(error):
        await call(line)
    assert line.calls == 1


IMAGE = b"a film of some size" * 200_000  # 3.8 MB: more than a socket takes at once


@contextmanager
def service_that_ends(after_bytes: int) -> Iterator[tuple[str, list[int]]]:
    """A server that ends each connection once it has read so much: its address, and how much it read of each."""
    read: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    # What ends with data unread is reset, as where a process is killed.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    read.append(0)
                    while read[-1] < after_bytes and (piece := connection.recv(65536)):
                        read[-1] += len(piece)

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", read
        server.shutdown(socket.SHUT_RDWR)


AS_IMAGE = ("application/octet-stream", ModelReference.model_validate_json, {})


@pytest.mark.parametrize(
    "after_bytes", [200, 1_000_000, len(IMAGE)], ids=["at once", "while it reads", "after it read"]
)
async def test_an_image_that_a_service_ended_with_is_not_sent_again(after_bytes):
    with service_that_ends(after_bytes) as (url, read):
        async with service_http(url) as http:
            with pytest.raises(ServiceBrokeOff, match="ended while it had the image"):
                await ServiceClient("imaging", http, SECRET).post_image("/v1/readings", IMAGE, *AS_IMAGE)
    assert len(read) == 1


async def test_a_record_that_a_service_ended_with_is_asked_again():
    with service_that_ends(200) as (url, read):
        async with service_http(url) as http:
            with pytest.raises(ServiceUnavailable):
                await ServiceClient("clinical", http, SECRET).post_json(
                    "/v1/risk", ModelReference(**ANSWER), ModelReference
                )
    assert len(read) == ATTEMPTS


@pytest.mark.parametrize(
    "broken", [httpx.ConnectError("nobody"), httpx.ConnectTimeout("nobody"), problem(503, "too-busy")]
)
async def test_an_image_that_nobody_took_is_sent_again(broken):
    line = Line(broken, httpx.Response(200, json=ANSWER))
    async with service_http("http://service", line) as http:
        await ServiceClient("imaging", http, SECRET).post_image("/v1/readings", b"film", *AS_IMAGE)
    assert line.calls == 2


async def test_an_image_for_a_service_that_is_not_there_is_no_suspect():
    with pytest.raises(ServiceUnavailable) as caught:
        async with service_http("http://127.0.0.1:9") as http:
            await ServiceClient("imaging", http, SECRET).post_image("/v1/readings", b"film", *AS_IMAGE)
    assert not isinstance(caught.value, ServiceBrokeOff)
