"""What an answer, a browser, a log and a disk keep: nothing of a patient, no secret, and nothing for other users."""

import json
import logging
import re
import stat

import httpx
import pytest

from gateway.pages.sessions import ACCESS, REFRESH
from gateway.settings import GatewaySettings
from shared.logs import configure_logging
from tests.integration.people import PASSWORD, bearer, client, tokens_of
from tests.integration.test_authorisation_matrix import MATRIX

CASE = {"clinical": (None, '{"age": 67, "gender": "female"}')}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("behind"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


def browser(api, scheme="https", host="clinic.example"):
    return httpx.AsyncClient(transport=api._transport, base_url=f"{scheme}://{host}", headers={"Accept": "text/html"})


async def form_token(visitor, path):
    return re.search(r'name="csrf" value="(\w+)"', (await visitor.get(path)).text)[1]


async def sign_in(visitor):
    form = {"csrf": await form_token(visitor, "/sign-in"), "email": "root@clinic.example", "password": PASSWORD}
    answer = await visitor.post("/sign-in", data=form)
    assert answer.status_code == 303, answer.text
    return answer


@pytest.mark.parametrize("name", [name for name in MATRIX if " /v1/" in name])
async def test_no_answer_of_the_api_is_kept_in_a_cache(admin, stranger, name):
    method, template = name.split(" ")
    path = re.sub("{.*?}", "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d", template)
    for caller in (admin, stranger):
        answer = await caller.request(method, path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_neither_are_refusals_from_before_a_route(stranger):
    too_large = await stranger.post("/v1/keys", content=b"x" * 100_000)
    unknown = await stranger.get("/v1/nothing-here")
    assert [too_large.status_code, unknown.status_code] == [413, 404]
    for answer in (too_large, unknown):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_no_answer_in_json_and_no_page_is_framed_or_runs_what_is_in_it(api, stranger):
    for path in ("/v1/assessments", "/v1/nothing-here", "/health/live", "/openapi.json"):
        policy = (await api.get(path)).headers["content-security-policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'"
    for path in ("/docs", "/sign-in"):
        policy = (await stranger.get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy


async def test_cookies_over_https_belong_to_this_host_alone(api, admin):
    async with browser(api) as visitor:
        answer = await sign_in(visitor)
        for line in answer.headers.get_list("set-cookie"):
            name, attributes = line.split("=", 1)[0], {part.strip().lower() for part in line.split(";")[1:]}
            assert name.startswith("__Host-")
            assert {"secure", "httponly", "path=/"} <= attributes
            assert not any(attribute.startswith("domain") for attribute in attributes)
        assert (await visitor.get("/account")).status_code == 200
        # A cookie that a neighbour below the same domain could set is no session here.
        tokens = {name: visitor.cookies[f"__Host-{name}"] for name in (ACCESS, REFRESH)}
    async with browser(api) as victim:
        victim.cookies.update(tokens)
        assert (await victim.get("/account")).status_code == 303


async def test_signing_out_clears_what_the_browser_kept(api, admin):
    async with browser(api) as visitor:
        await sign_in(visitor)
        token = await form_token(visitor, "/account")
        answer = await visitor.post("/sign-out", data={"csrf": token})
        assert answer.headers["clear-site-data"] == '"cache", "storage"'
        assert not {name for name in visitor.cookies if ACCESS in name or REFRESH in name}
        assert (await visitor.get("/account")).status_code == 303


@pytest.mark.parametrize(
    ("scheme", "host", "warned"),
    [("http", "10.0.0.5", True), ("http", "clinic.example", True), ("https", "clinic.example", False),
     ("http", "127.0.0.1:8080", False), ("http", "localhost:8080", False)],
)  # fmt: skip
async def test_a_page_says_when_it_can_be_overheard(api, scheme, host, warned):
    async with browser(api, scheme, host) as visitor:
        answer = await visitor.get("/sign-in")
    assert ("This connection is not encrypted" in answer.text) is warned
    assert all(line.startswith("trab_") for line in answer.headers.get_list("set-cookie")) is (scheme == "http")


@pytest.mark.parametrize(("host", "proxies", "private"), [
    ("127.0.0.1", (), True), ("0.0.0.0", (), False), ("10.0.0.5", (), False), ("0.0.0.0", ("10.231.77.0/24",), True),  # noqa: S104
])  # fmt: skip
def test_the_start_knows_when_it_can_be_overheard(tmp_path, host, proxies, private):
    settings = GatewaySettings(state_dir=tmp_path, host=host, trusted_proxies=proxies, _env_file=None)
    assert settings.is_private() is private


async def test_no_log_line_names_a_patient_whatever_the_path(api, admin, capsys):
    number, root = "MRN-LOGLEAK-1", logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("INFO")
    try:
        await api.post("/v1/assessments", files={**CASE, "patient_number": (None, number)})
        for path in ("/v1/patients/{}", "/v1/patients/{}/timeline", "/patients/{}", "//v1/patients/{}",
                     "/v1/Patients/{}", "/V1/patients/{}", "/v1/patients%2F{}", "/{}", "/static/{}"):  # fmt: skip
            await admin.get(path.format(number))
        await admin.delete(f"/v1/patients/{number}")
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    paths = {line["path"] for line in lines if line["event"] == "request" and line["component"] == "gateway"}
    assert not [line for line in lines if number in json.dumps(line)]
    assert paths == {
        "/v1/assessments", "/v1/patients/{patient:path}", "/v1/patients/{patient:path}/timeline",
        "/patients/{patient_id}", "/static", "unmatched",
    }  # fmt: skip


async def test_metrics_are_for_who_has_the_token(settings, api, stranger, admin):
    assert (await stranger.get("/metrics")).status_code == 401
    for wrong in ("Bearer ", "Bearer nonsense", f"Basic {settings.metrics_key()}", settings.metrics_key()):
        assert (await stranger.get("/metrics", headers={"Authorization": wrong})).status_code == 401
    tokens = await tokens_of(stranger, "root@clinic.example")
    assert (await stranger.get("/metrics", headers=bearer(tokens))).status_code == 401
    answer = await stranger.get("/metrics", headers={"Authorization": f"Bearer {settings.metrics_key()}"})
    assert answer.status_code == 200
    assert "http_requests_total" in answer.text


async def test_nobody_else_on_the_machine_reads_the_state(settings, api):
    assert settings.metrics_key()
    async with client(api) as nobody:
        assert (await nobody.get("/health/ready")).status_code == 200
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in settings.state_dir.iterdir()}
    assert {"trabecula.db", "trabecula.db-wal", "data_secret", "token_secret", "metrics_token"} <= set(files)
    assert set(files.values()) == {0o600}


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path):
    from gateway.assessing.administration import prepare

    settings = GatewaySettings(state_dir=tmp_path, _env_file=None)
    prepare(settings)
    (tmp_path / "trabecula.db").chmod(0o644)
    prepare(settings)
    assert stat.S_IMODE((tmp_path / "trabecula.db").stat().st_mode) == 0o600
