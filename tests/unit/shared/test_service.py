"""The service kit and its client against a real, small service, over ASGITransport as in one process."""

import threading

import anyio
import httpx
import pytest
from fastapi import APIRouter, Depends
from pydantic import BaseModel, SecretStr

from shared import internal_token
from shared.client import ServiceClient, service_http
from shared.contracts.models import ModelCard
from shared.problems import ImageRefused, NotAuthenticated, ServiceUnavailable, TooBusy
from shared.service import QUEUE_PER_WORKER, Workers, create_service_app, loaded_model, workers
from shared.settings import ServiceSettings

SECRET = "a secret that is long enough for a test"
CARD = ModelCard(
    name="echo", version="1", service="echo", summary="", intended_use="", excluded_use="", licence="", data=[],
    metrics={}, limits=[], trained="",
)  # fmt: skip


class Word(BaseModel):
    word: str


def echo_app(**given):
    router = APIRouter(prefix="/v1")

    @router.post("/echo")
    async def echo(word: Word, loaded: str = Depends(loaded_model), pool: Workers = Depends(workers)) -> Word:
        if word.word == "refuse":
            raise ImageRefused("a chest", reason="chest")
        if word.word == "break":
            raise RuntimeError("broken")
        return Word(word=await pool.run(lambda: loaded + word.word))

    settings = ServiceSettings(internal_secret=SecretStr(SECRET), _env_file=None, **given)
    return create_service_app(
        "echo", title="Echo", settings=settings, load=lambda: "loaded ", card=lambda _: CARD, router=router
    )


@pytest.fixture
async def app():
    app = echo_app()
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def http(app):
    async with service_http("http://echo", httpx.ASGITransport(app, raise_app_exceptions=False)) as http:
        yield http


@pytest.fixture
def client(http):
    return ServiceClient("echo", http, SECRET)


async def test_a_contract_goes_out_and_a_contract_comes_back(client):
    assert (await client.post_json("/v1/echo", Word(word="knee"), Word)).word == "loaded knee"


async def test_a_refusal_arrives_as_the_error_it_was(client):
    with pytest.raises(ImageRefused) as caught:
        await client.post_json("/v1/echo", Word(word="refuse"), Word)
    assert caught.value.detail == "a chest"
    assert caught.value.members == {"reason": "chest"}


async def test_an_error_within_the_service_means_unavailable(client):
    with pytest.raises(ServiceUnavailable, match="echo service"):
        await client.post_json("/v1/echo", Word(word="break"), Word)


async def test_an_answer_that_is_no_contract_means_unavailable(client):
    with pytest.raises(ServiceUnavailable, match="not its contract"):
        await client.get("/v1/model", Word)


async def test_another_installation_is_refused(http):
    stranger = ServiceClient("echo", http, "another secret, long enough as well")
    with pytest.raises(NotAuthenticated):
        await stranger.get("/v1/model", ModelCard)


async def test_nobody_listening_means_unavailable():
    async with service_http("http://127.0.0.1:9") as http:
        client = ServiceClient("echo", http, SECRET)
        assert not await client.is_ready()
        with pytest.raises(ServiceUnavailable, match="does not answer"):
            await client.get("/v1/model", ModelCard)


async def test_strangers_see_health_and_nothing_else(http):
    assert (await http.get("/health/live")).status_code == 200
    assert (await http.get("/health/ready")).json() == {"status": "ready"}
    refusal = await http.get("/v1/model")
    assert refusal.status_code == 401
    assert refusal.headers["content-type"] == "application/problem+json"
    assert refusal.json()["type"] == "urn:trabecula:problem:not-authenticated"


async def test_before_it_has_started_it_is_not_ready():
    transport = httpx.ASGITransport(echo_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://echo") as http:
        answer = await http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:trabecula:problem:service-unavailable"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/health/live", 405)])
async def test_the_frameworks_own_errors_are_problems_too(http, method, path, status):
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


async def test_a_request_id_is_taken_over_and_a_bad_one_is_not(http):
    assert (await http.get("/health/live", headers={"X-Request-ID": "ward-7-12345"})).headers[
        "x-request-id"
    ] == "ward-7-12345"
    assert (await http.get("/health/live", headers={"X-Request-ID": "x\ty" * 9})).headers["x-request-id"] != "x\ty" * 9


async def parts(data):
    for start in range(0, len(data), 50):
        yield data[start : start + 50]


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_over_the_limit_is_refused(announced):
    app = echo_app(max_upload_bytes=100)
    body = b'{"word": "%s"}' % (b"x" * 200)
    headers = {internal_token.HEADER: internal_token.issue(SECRET, "echo"), "content-type": "application/json"}
    async with app.router.lifespan_context(app), service_http("http://echo", httpx.ASGITransport(app)) as http:
        answer = await http.post("/v1/echo", content=body if announced else parts(body), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:trabecula:problem:upload-too-large"
    assert "0.0001 MB" in answer.json()["detail"]


async def test_metrics_count_requests(http):
    await http.get("/nowhere")
    assert "http_requests_total" in (await http.get("/metrics")).text


async def test_workers_refuse_what_they_cannot_hold():
    pool, go = Workers(1), threading.Event()
    async with anyio.create_task_group() as group:
        for _ in range(1 + QUEUE_PER_WORKER):
            group.start_soon(pool.run, go.wait)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(TooBusy) as caught:
            await pool.run(go.wait)
        go.set()
    assert caught.value.members["retry_after_s"] > 0
    assert await pool.run(lambda: "free again") == "free again"
