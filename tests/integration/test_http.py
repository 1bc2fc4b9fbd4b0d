"""What HTTP offers to whoever builds on the API: HEAD, ETags, compression, traces, limits, pages of lists, CORS."""

import json

import pytest
import structlog

from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.integration.people import client, system_of

RECORD = {"clinical": (None, '{"age": 67, "gender": "female"}')}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ORIGIN = "https://app.hospital.example"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("http"), cors_origins=(ORIGIN,), store_renderings=True, _env_file=None
    )


@pytest.fixture(scope="module")
async def made(api, knee_jpeg):
    for _ in range(3):
        await api.post("/v1/assessments", files=RECORD)
    return (await api.post("/v1/assessments", files={"image": ("knee.jpg", knee_jpeg)})).json()["id"]


@pytest.mark.parametrize(
    "path",
    ["/v1/assessments", "/v1/assessments/{made}", "/v1/models", "/fhir/metadata", "/fhir/DiagnosticReport/{made}",
     "/health/live", "/openapi.json", "/v1/assessments/{made}/preview.png", "/v1/nothing", "/fhir/Nothing/1"],
)  # fmt: skip
async def test_head_is_the_get_without_its_body(path, api, made):
    address = path.format(made=made)
    plain = {"Accept-Encoding": "identity"}
    get, head = await api.get(address, headers=plain), await api.head(address, headers=plain)
    assert (head.status_code, head.content) == (get.status_code, b"")
    for name in ("content-type", "content-length", "etag", "link", "x-content-type-options"):
        assert head.headers.get(name) == get.headers.get(name), name


async def test_head_changes_nothing_and_is_in_the_trail_as_reading_is(settings, api, made):
    reader = await system_of(settings, api, "audit:read")
    subject = {"subject": made, "limit": 500}
    before = (await reader.get("/v1/audit", params=subject)).json()["items"]
    assert (await api.head(f"/v1/assessments/{made}")).status_code == 200
    after = (await reader.get("/v1/audit", params=subject)).json()["items"]
    assert [line["action"] for line in after[: len(after) - len(before)]] == ["assessment read"]
    async with client(api) as stranger:
        assert (await stranger.head(f"/v1/assessments/{made}")).status_code == 401
        assert (await stranger.head("/sign-in")).status_code == 405
        assert (await stranger.head("/language/hi")).status_code == 405
    for path in ("/v1/tokens", f"/v1/assessments/{made}/release", "/fhir/$assess"):
        assert (await api.head(path)).status_code in (404, 405), path


@pytest.mark.parametrize("path", ["/v1/assessments/{made}", "/v1/assessments", "/v1/models", "/openapi.json"])
async def test_what_one_has_is_not_sent_again(path, api, made):
    address = path.format(made=made)
    first = await api.get(address)
    etag = first.headers["etag"]
    for sent in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        again = await api.get(address, headers={"If-None-Match": sent})
        assert (again.status_code, again.content) == (304, b""), sent
        assert again.headers["etag"] == etag
    assert (await api.get(address, headers={"If-None-Match": '"other"'})).content == first.content
    assert (await api.head(address, headers={"If-None-Match": etag})).status_code == 304


async def test_a_list_links_to_its_next_page_in_both_directions(api, made):
    first = await api.get("/v1/assessments", params={"limit": 2, "fields": "brief"})
    link = first.headers["link"]
    address = link.partition("<")[2].partition(">")[0]
    assert link.endswith('; rel="next"')
    second = await api.get(address)
    assert second.status_code == 200
    assert set(second.json()["items"][0]) == set(first.json()["items"][0])
    assert not {item["id"] for item in first.json()["items"]} & {item["id"] for item in second.json()["items"]}
    oldest = (await api.get("/v1/assessments?limit=100")).json()["items"][-1]["id"]
    forward = await api.get("/v1/assessments", params={"limit": 1, "after": oldest})
    assert f"after={forward.json()['next']}" in forward.headers["link"]
    whole = await api.get("/v1/assessments?limit=100")
    assert "link" not in whole.headers
    assert "link" not in (await api.get(f"/v1/assessments/{made}")).headers


async def test_answers_are_compressed_where_it_helps_and_never_pictures_reports_or_pages(api, made):
    taken = {"Accept-Encoding": "gzip"}
    for path in ("/v1/assessments", f"/v1/assessments/{made}", "/fhir/metadata", "/openapi.json"):
        answer = await api.get(path, headers=taken)
        assert answer.headers["content-encoding"] == "gzip", path
        assert "Accept-Encoding" in answer.headers["vary"]
    long = [{"resource": {"resourceType": "Observation", "id": f"scan-{number}"}} for number in range(60)]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": long}
    mapped = await api.post("/fhir/$map", json=bundle, headers=taken)
    assert len(mapped.content) < 1500 or mapped.headers["content-encoding"] == "gzip"
    for path in (f"/v1/assessments/{made}/preview.png", f"/v1/assessments/{made}/report.pdf", "/sign-in"):
        assert "content-encoding" not in (await api.get(path, headers=taken)).headers, path
    assert "content-encoding" not in (await api.get("/health/live", headers=taken)).headers


async def test_a_trace_goes_on_in_the_answer_the_log_and_to_the_services(api):
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        answer = await api.post("/v1/assessments", files=RECORD, headers={"traceparent": TRACE})
    version, trace, span, flags = answer.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE.split("-")[1], "01")
    assert span != TRACE.split("-")[2]
    traced = [line for line in lines if line.get("trace_id") == trace and line["event"] == "request"]
    assert {"gateway", "clinical", "recommender"} <= {line["component"] for line in traced}
    for wrong in (
        "",
        "00-1-2-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        TRACE.upper(),
        TRACE + "-more",
        "01" + TRACE[2:],
    ):
        assert "traceparent" not in (await api.get("/health/live", headers={"traceparent": wrong})).headers


async def test_each_answer_says_what_is_left_of_the_limit(tmp_path):
    few = GatewaySettings(state_dir=tmp_path, requests_per_minute=5, _env_file=None)
    async with open_gateway(few, shared_services()) as api:
        answers = [await api.get("/v1/models") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"requests";q=5;w=60'}
    left = [int(answer.headers["ratelimit"].split(";r=")[1].split(";")[0]) for answer in answers]
    assert left == [4, 3, 2, 1, 0, 0]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_other_origins_call_the_api_if_the_site_says_so_and_never_the_pages(api, made):
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    preflight = await api.options("/v1/assessments", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, ORIGIN)
    answer = await api.get(f"/v1/assessments/{made}", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    other = await api.options("/v1/assessments", headers={**asked, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-origin" not in (await api.get("/sign-in", headers={"Origin": ORIGIN})).headers


async def test_without_the_setting_no_other_origin_is_let_in(shared_api):
    answer = await shared_api.get("/v1/models", headers={"Origin": ORIGIN})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["*", "http://app.hospital.example", "https://app.example/path", "app.example"])
def test_an_origin_is_named_whole(origin, tmp_path):
    with pytest.raises(ValueError, match="origin"):
        GatewaySettings(state_dir=tmp_path, cors_origins=(origin,), _env_file=None)


async def test_a_slip_in_a_parameter_is_named_with_those_that_exist(api, made):
    for path in ("/v1/assessments?sinse=x", "/v1/events?before=x", f"/v1/assessments/{made}?x=1", "/health/live?x=1"):
        answer = await api.get(path)
        assert answer.status_code == 422, path
    told = json.loads((await api.get("/v1/assessments?sinse=x")).content)["detail"]
    assert all(name in told for name in ("after", "before", "fields", "limit", "since", "status", "until"))
