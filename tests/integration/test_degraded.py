"""A service that is down makes an assessment partial; it never makes it fail."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from gateway.embedded import in_process
from shared.client import ServiceClient, service_http
from shared.components import SERVICE_NAMES
from tests.conftest import open_gateway

RECORD = {"clinical": (None, '{"age": 67, "gender": "female", "weight_kg": 58}')}


def without(name, secret):
    """The services, one of them behind a port where nobody listens."""

    @asynccontextmanager
    async def start():
        async with in_process(secret)() as services, service_http("http://127.0.0.1:9") as http:
            yield services.with_client(ServiceClient(name, http, secret))

    return start


@pytest.mark.parametrize("name", SERVICE_NAMES)
async def test_the_rest_is_answered_and_the_missing_part_named(settings, knee_jpeg, name):
    async with open_gateway(settings, without(name, settings.internal_key())) as client:
        answer = await client.post("/v1/assessments", files={"image": ("knee.jpg", knee_jpeg), **RECORD})
        health = (await client.get("/health/ready")).json()
        cards = (await client.get("/v1/models")).json()
    assert answer.status_code == 201, answer.text
    assessment = answer.json()
    assert assessment["status"] == "partial"
    assert [warning["component"] for warning in assessment["warnings"]] == [name]
    assert assessment["warnings"][0]["type"] == "urn:trabecula:problem:service-unavailable"
    field = "recommendation" if name == "recommender" else name
    assert assessment[field] is None
    assert health["status"] == "degraded"
    assert health["dependencies"][name] == "unavailable"
    assert cards["unavailable"] == [name]


async def test_a_partial_answer_is_replayed_and_a_new_key_tries_again(settings):
    service_is_back = False

    @asynccontextmanager
    async def recovering():
        async with in_process(settings.internal_key())() as services:

            async def answer(request):
                if not service_is_back:
                    raise httpx.ConnectError("nobody is there")
                return await services.clinical._http.send(request)

            transport = httpx.MockTransport(answer)
            async with service_http("http://clinical", transport) as http:
                yield services.with_client(ServiceClient("clinical", http, settings.internal_key()))

    async with open_gateway(settings, recovering) as client:
        first = (await client.post("/v1/assessments", files=RECORD, headers={"Idempotency-Key": "one"})).json()
        service_is_back = True
        again = (await client.post("/v1/assessments", files=RECORD, headers={"Idempotency-Key": "one"})).json()
        anew = (await client.post("/v1/assessments", files=RECORD, headers={"Idempotency-Key": "two"})).json()
    assert first["status"] == "partial"
    assert again == first
    assert anew["status"] == "complete"
    assert anew["id"] != first["id"]


async def test_two_sides_that_do_not_share_their_secret(settings):
    @asynccontextmanager
    async def strangers():
        async with in_process("one secret that is long enough for this")() as services:
            http = services.clinical._http
            yield services.with_client(ServiceClient("clinical", http, settings.internal_key()))

    async with open_gateway(settings, strangers) as client:
        assessment = (await client.post("/v1/assessments", files=RECORD)).json()
    assert assessment["clinical"] is None
    assert assessment["warnings"][0]["component"] == "clinical"


class Held(httpx.AsyncBaseTransport):
    """Calls wait at this door until it opens, and then go on to the real service."""

    def __init__(self, service: httpx.AsyncClient) -> None:
        self.service, self.arrived, self.opened = service, asyncio.Event(), asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.arrived.set()
        await self.opened.wait()
        return await self.service.send(request)


async def test_more_than_may_be_in_flight_is_refused_and_not_queued(settings):
    crowded = settings.model_copy(update={"max_in_flight": 1, "place_wait_s": 0.1})
    secret, doors = crowded.internal_key(), []

    @asynccontextmanager
    async def held():
        async with in_process(secret)() as services:
            doors.append(Held(services.clinical._http))
            async with service_http("http://clinical", doors[0]) as http:
                yield services.with_client(ServiceClient("clinical", http, secret))

    async with open_gateway(crowded, held) as client:
        first = asyncio.create_task(client.post("/v1/assessments", files=RECORD))
        await doors[0].arrived.wait()
        busy = await client.post("/v1/assessments", files=RECORD)
        doors[0].opened.set()
        assert (await first).status_code == 201
        assert (await client.post("/v1/assessments", files=RECORD)).status_code == 201
    assert busy.status_code == 503
    assert busy.json()["type"] == "urn:trabecula:problem:too-busy"
    assert int(busy.headers["retry-after"]) > 0


async def test_an_upload_over_the_limit(settings):
    small = settings.model_copy(update={"max_upload_bytes": 1000})
    async with open_gateway(small, in_process(small.internal_key())) as client:
        answer = await client.post("/v1/assessments", files={"image": ("big.jpg", b"\xff\xd8\xff" + b"x" * 2000)})
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:trabecula:problem:upload-too-large"
