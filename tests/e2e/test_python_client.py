"""The Python client against a running server: cases, problems, pages, and retries that make nothing twice."""

import hashlib
import hmac
import json
import sys
import time
from pathlib import Path

import httpx
import pytest

from shared.radiograph.phantom import as_jpeg, knee
from tests.e2e.conftest import running, trabecula

PACKAGE = Path(__file__).parents[2] / "clients" / "python"
SCOPES = "assessments:write assessments:read patients:read patients:write models:read admin"


@pytest.fixture(scope="module")
def client_package():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PACKAGE)
        import trabecula_client

        yield trabecula_client
    for name in [name for name in sys.modules if name.startswith("trabecula_client")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    state = tmp_path_factory.mktemp("client")
    with running("serve", state=state, log=state / "server.log") as server:
        made = trabecula("create-key", "--name", "client", "--scopes", SCOPES, "--json", state=state)
        yield server.url, json.loads(made.stdout)["key"]


class Unsteady(httpx.HTTPTransport):
    """A network on which an answer is lost, or a proxy answers in place of the server, as often as it is told."""

    def __init__(self):
        super().__init__()
        self.troubles, self.sent = [], []

    def handle_request(self, request):
        self.sent.append(request)
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == "proxy":
            return httpx.Response(503, headers={"Retry-After": "0"}, request=request)
        answer = super().handle_request(request)
        if trouble == "lost":
            answer.read()
            raise httpx.ReadError("the answer was lost", request=request)
        return answer


@pytest.fixture
def api(server, client_package, monkeypatch):
    url, key = server
    monkeypatch.setattr(sys.modules["trabecula_client.transport"], "FIRST_WAIT_S", 0.01)
    network = Unsteady()
    with client_package.Client(url, api_key=key, http=httpx.Client(transport=network, timeout=60)) as api:
        api.network = network
        yield api


def test_a_case_is_assessed_read_listed_and_reported(api):
    made = api.make_assessment(
        image=as_jpeg(knee(bone_density=0.7, size=(1200, 1000))),
        clinical={"age": 67, "gender": "female", "weight_kg": 58},
        patient_number="MRN-1042",
        idempotency_key="order-4711",
    )
    assert (made["status"], made["patient_number"]) == ("complete", "MRN-1042")
    assert api.get_assessment(made["id"]) == made
    assert made["id"] in {brief["id"] for brief in api.every(api.list_assessments, fields="brief")}
    assert api.get_report(made["id"]).startswith(b"%PDF")
    assert api.list_models()["models"]
    assert api.get_patient("MRN-1042")["patient_number"] == "MRN-1042"


def test_every_page_of_a_list_is_read_both_ways(api):
    ids = [api.make_assessment(clinical={"age": 60 + number, "gender": "male"})["id"] for number in range(5)]
    listed = [brief["id"] for brief in api.every(api.list_assessments, limit=2, fields="brief")]
    assert listed[:5] == ids[::-1]
    forward = [brief["id"] for brief in api.every(api.list_assessments, limit=2, fields="brief", after=ids[0])]
    assert forward == ids[1:]


def test_a_batch_with_a_picture_is_handed_in(api):
    cases = [{"reference": "a", "image": "knee.jpg"}, {"reference": "b", "clinical": {"age": 70, "gender": "female"}}]
    batch = api.make_batch(manifest={"cases": cases}, image={"knee.jpg": as_jpeg(knee(size=(1200, 1000)))})
    for _ in range(300):
        if api.get_batch(batch["id"])["status"] == "done":
            break
        time.sleep(0.1)
    assert [case["status"] for case in api.every(api.list_cases, batch["id"], limit=1)] == ["done", "done"]


def test_a_problem_is_an_exception_with_all_that_it_says(api, client_package):
    with pytest.raises(client_package.Problem) as caught:
        api.make_assessment(clinical={"age": -3, "gender": "female"})
    problem = caught.value
    assert (problem.status, problem.type) == (422, "urn:trabecula:problem:invalid-record")
    assert problem.document["errors"][0]["field"].endswith("age")
    assert problem.documentation_url == "/docs/problems/invalid-record"
    with pytest.raises(client_package.Problem, match="404"):
        api.get_assessment("0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d")


@pytest.mark.parametrize("troubles", [["lost"], ["proxy"], ["lost", "proxy", "lost", "proxy"]])
def test_a_call_that_failed_is_made_again_and_makes_nothing_twice(troubles, api):
    before = len(list(api.every(api.list_assessments, fields="brief")))
    api.network.sent.clear()
    api.network.troubles = list(troubles)
    api.make_assessment(clinical={"age": 71, "gender": "female"})
    assert len(api.network.sent) == len(troubles) + 1
    assert len({request.headers["Idempotency-Key"] for request in api.network.sent}) == 1
    assert len(list(api.every(api.list_assessments, fields="brief"))) == before + 1


def test_what_has_no_key_is_sent_once_and_an_end_comes_to_everything(api, client_package):
    made = api.make_assessment(clinical={"age": 72, "gender": "female"}, patient_number="MRN-1")
    api.network.sent.clear()
    api.network.troubles = ["lost"]
    with pytest.raises(httpx.TransportError):
        api.release_assessment(made["id"])
    assert len(api.network.sent) == 1
    api.network.sent.clear()
    api.network.troubles = ["proxy"] * 9
    with pytest.raises(client_package.Problem, match="503"):
        api.list_models()
    assert len(api.network.sent) == 5


def test_a_message_of_a_webhook_is_checked(client_package):
    body, at = b'{"id": "x"}', int(time.time())
    good = hmac.new(b"whsec_1", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert client_package.is_genuine("whsec_1", f"t={at},v1={'0' * 64},v1={good}", body)
    for header in (f"t={at},v1={'0' * 64}", f"t={at - 400},v1={good}", f"v1={good}", "", "t=,v1=", f"t={at},v0={good}"):
        assert not client_package.is_genuine("whsec_1", header, body), header
    assert not client_package.is_genuine("whsec_1", f"t={at},v1={good}", body + b" ")
