"""A call is made again where that is safe and may help, and never otherwise."""

import httpx
import pytest

from shared.client import ATTEMPTS, ServiceClient, service_http
from shared.contracts.base import ModelReference
from shared.problems import InvalidInput, ServiceUnavailable, TooBusy

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
