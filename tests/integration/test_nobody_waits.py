"""No request holds everybody else up: `/health/live` is asked while each attack runs, and the event loop is watched."""

import asyncio
import gc
import json
import time
from dataclasses import dataclass, field

import pytest

from gateway.assessing.batches import MOST_CASES
from gateway.settings import GatewaySettings

# What one turn of the event loop may take of the processor.
LONGEST_TURN_S = 0.05
KEYS = {str(number): 1 for number in range(18_000)}
WHOLE_RECORD = {"age": 67, "gender": "female", "weight_kg": 58, "height_cm": 160, "smoking": "never"}
CASE = {"reference": "case-1"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("waits"),
        logins_per_minute=100_000,
        logins_per_address_per_minute=100_000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def frozen(api):
    """As in a server that has served: what was made at the start is not looked through for garbage any more."""
    assert (await api.post("/v1/batches", files=manifest([CASE]))).status_code == 422
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@dataclass
class Watch:
    """The longest turn of the event loop in seconds of this thread's processor time, and the answers of the probe."""

    longest_s: float = 0
    probes: list[int] = field(default_factory=list)

    async def turns(self):
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.001)
            self.longest_s = max(self.longest_s, time.thread_time() - began)

    async def probe(self, stranger):
        while True:
            self.probes.append((await stranger.get("/health/live")).status_code)
            await asyncio.sleep(0.005)


async def attacked(caller, stranger, method, path, **sent):
    request = caller.build_request(method, path, **sent)
    await request.aread()  # what the attacker does to make it is not the gateway's affair
    watch = Watch()
    watchers = [asyncio.create_task(watch.turns()), asyncio.create_task(watch.probe(stranger))]
    await asyncio.sleep(0.01)
    try:
        answer = await caller.send(request)
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    assert set(watch.probes) == {200}
    return answer, watch.longest_s


def manifest(cases):
    text = cases if isinstance(cases, str) else json.dumps({"cases": cases})
    return {"manifest": ("manifest.json", text.encode(), "application/json")}


def nested(depth):
    return "[" * depth + "]" * depth


BATCHES = {
    "a record of 26,000 names": manifest([{**CASE, "clinical": {str(number): 1 for number in range(26_000)}}]),
    "a record of 26,000 fractures": manifest([{**CASE, "clinical": {**WHOLE_RECORD, "prior_fractures": [1] * 26_000}}]),
    "half a million names": manifest([{**CASE, "clinical": {str(number): 1 for number in range(500_000)}}]),
    "a million lists": manifest('{"cases": [{"reference": "a", "clinical": {"x": [' + "[]," * 1_000_000 + "1]}}]}"),
    "100,000 cases that are none": manifest([{}] * 100_000),
    "50,000 cases that are numbers": manifest([1] * 50_000),
    "a thousand wrong records": manifest(
        [{"reference": f"case-{number}", "clinical": {"age": -number, "x": 1}} for number in range(MOST_CASES)]
    ),
    "a thousand times the same reference": manifest([{**CASE, "clinical": WHOLE_RECORD}] * MOST_CASES),
    "deep": manifest('{"cases": [{"reference": "a", "clinical": {"x": ' + nested(90_000) + "}}]}"),
    "a number of 5,000 digits": manifest('{"cases": [{"reference": "a", "clinical": {"age": ' + "9" * 5000 + "}}]}"),
    "three megabytes of escapes": manifest('{"cases": [{"reference": "' + "\\u00e9" * 600_000 + '"}]}'),
}  # fmt: skip


@pytest.mark.parametrize("sent", BATCHES.values(), ids=BATCHES)
async def test_no_manifest_holds_everybody_up(api, stranger, frozen, sent):
    answer, longest_s = await attacked(api, stranger, "POST", "/v1/batches", files=sent)
    assert answer.status_code in (400, 413, 422), answer.text[:500]
    assert len(answer.content) < 20_000
    assert longest_s < LONGEST_TURN_S


async def test_a_thousand_whole_cases_are_taken_beside_everybody_else(api, stranger, frozen):
    cases = [{"reference": f"case-{number}", "clinical": WHOLE_RECORD} for number in range(MOST_CASES)]
    answer, longest_s = await attacked(api, stranger, "POST", "/v1/batches", files=manifest(cases))
    assert answer.status_code == 202, answer.text
    assert longest_s < LONGEST_TURN_S
    assert (await api.post(f"/v1/batches/{answer.json()['id']}/cancel")).status_code == 200


RECORDS = {
    "names": json.dumps(KEYS, separators=(",", ":")),
    "the same name": "{" + ",".join(f'"{number % 9000}": 1' for number in range(18_000)) + "}",
    "fractures": json.dumps({**WHOLE_RECORD, "prior_fractures": [1] * 18_000}),
    "deep": '{"x": ' + nested(90_000) + "}",
    "digits": '{"age": ' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
async def test_no_record_holds_everybody_up(api, stranger, frozen, record):
    answer, longest_s = await attacked(api, stranger, "POST", "/v1/assessments", files={"clinical": (None, record)})
    assert answer.status_code == 422
    assert len(answer.content) < 20_000
    assert longest_s < LONGEST_TURN_S


JSON_BODIES = {
    "names": json.dumps(KEYS),
    "scopes": json.dumps({"name": "x", "scopes": ["x"] * 7_000}),
    "megabytes of lists": json.dumps({"name": "x", "scopes": [[]] * 1_000_000}),
    "deep": '{"scopes": ' + nested(15_000) + "}",
    "digits": '{"name": "x", "scopes": ["admin"], "days": ' + "9" * 30_000 + "}",
}
PLACES = [
    ("POST", "/v1/accounts"), ("POST", "/v1/invitations/accept"), ("POST", "/v1/keys"), ("POST", "/v1/invitations"),
    ("PUT", "/v1/accounts/me/password"), ("POST", "/v1/patients/MRN-1/measurements"),
]  # fmt: skip


@pytest.mark.parametrize("body", JSON_BODIES.values(), ids=JSON_BODIES)
async def test_no_json_holds_everybody_up(admin, stranger, frozen, body):
    for method, path in PLACES:
        headers = {"Content-Type": "application/json"}
        answer, longest_s = await attacked(admin, stranger, method, path, content=body.encode(), headers=headers)
        assert answer.status_code in (400, 404, 413, 422), (path, answer.text[:500])
        assert len(answer.content) < 20_000, path
        assert longest_s < LONGEST_TURN_S, path


async def test_no_form_holds_everybody_up(api, stranger, frozen):
    forms = {
        "/v1/tokens": {"data": {"username": "a@b", "password": "x" * 5_000_000}},
        "/v1/tokens/revoke": {"content": b"&".join(b"t%d=1" % number for number in range(1_000_000))},
        "/sign-in": {"content": b"a=1&" * 1_000_000},
        "/new": {"files": {f"q{number}": (None, "x") for number in range(20_000)}},
    }
    for path, sent in forms.items():
        headers = {} if "files" in sent else {"Content-Type": "application/x-www-form-urlencoded"}
        answer, longest_s = await attacked(stranger, stranger, "POST", path, headers=headers, **sent)
        assert answer.status_code < 500, (path, answer.text[:500])
        assert longest_s < LONGEST_TURN_S, path


async def test_an_error_list_ends(api):
    wrong = [{"reference": f"case-{number}", "clinical": {"x": 1}} for number in range(200)]
    answer = await api.post("/v1/batches", files=manifest(wrong))
    errors = answer.json()["errors"]
    assert len(errors) == 51
    assert errors[-1]["message"].startswith("and ")


async def test_no_header_holds_everybody_up(api, stranger, frozen):
    headers = {"Accept-Language": "a," * 30_000, "Accept": "text/html", "Cookie": "a=1; " * 10_000}
    answer, longest_s = await attacked(stranger, stranger, "GET", "/sign-in", headers=headers)
    assert answer.status_code == 200
    assert longest_s < LONGEST_TURN_S


async def test_a_megabyte_image_under_an_idempotency_key_is_hashed_beside_everybody_else(api, stranger, frozen):
    files, headers = {"image": ("x.jpg", b"\xff\xd8\xff" + bytes(30_000_000))}, {"Idempotency-Key": "large"}
    answer, longest_s = await attacked(api, stranger, "POST", "/v1/assessments", files=files, headers=headers)
    assert answer.status_code == 422
    assert longest_s < 3 * LONGEST_TURN_S  # the form's parser takes some of it, and the services are in this process


async def test_no_answer_shows_a_password_that_was_refused(stranger):
    secret = "orbit-lantern\ud800-cedar"
    body = json.dumps({"email": "a@home.example", "password": secret})
    answer = await stranger.post("/v1/accounts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "lantern" not in answer.text
    answer = await stranger.post("/v1/accounts", json={"email": "a@home.example", "password": 123456789012})
    assert "123456789012" not in answer.text


def test_the_probe_would_notice():
    """The watch itself: what holds the loop shows."""

    async def hold():
        watch = Watch()
        turns = asyncio.create_task(watch.turns())
        await asyncio.sleep(0.005)
        began = time.thread_time()
        while time.thread_time() - began < 2 * LONGEST_TURN_S:
            pass
        await asyncio.sleep(0.005)
        turns.cancel()
        return watch.longest_s

    with asyncio.Runner() as runner:
        assert runner.run(hold()) > LONGEST_TURN_S
