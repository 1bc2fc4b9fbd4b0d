"""The setting that chooses a runtime, the protocol's scorer against an answering socket, and readiness through it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import numpy as np
import pytest
from pydantic import SecretStr, ValidationError

from services.staging.app import create_app
from services.staging.settings import Settings as StagingSettings
from shared.inference.choice import open_scorer
from shared.inference.oip import OipScorer
from shared.inference.onnx import OnnxScorer
from shared.problems import ServiceUnavailable
from shared.radiograph import joints
from shared.settings import ServiceSettings

SECRET = SecretStr("a secret that is long enough for a test")
NOWHERE = "http://127.0.0.1:9"


def settings(**given):
    return ServiceSettings(internal_secret=SECRET, _env_file=None, **given)


@pytest.fixture
def server():
    """A server whose answers the test writes: (status, body) by path."""
    answers, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            asked.append((self.path, self.rfile.read(int(self.headers.get("content-length", 0)))))
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815 -- the base class calls them so

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}", answers, asked
    http.shutdown()
    thread.join()
    http.server_close()


def test_onnx_in_this_process_is_the_default():
    scorer = open_scorer(settings(), "knee_joints", joints.MODEL)
    assert isinstance(scorer, OnnxScorer)
    assert scorer.check() is None


@pytest.mark.parametrize("inference", ["tfserving", "oip"])
def test_a_server_without_an_address_is_refused_by_name(inference):
    with pytest.raises(ValidationError, match="TRABECULA_INFERENCE_ADDRESS"):
        settings(inference=inference)


def test_a_runtime_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="oip"):
        settings(inference="abacus")


def test_the_protocol_is_spoken_with_the_version_asked_for(server):
    address, answers, asked = server
    given = settings(inference="oip", inference_address=address, inference_versions={"staging": 3})
    scorer = open_scorer(given, "staging", joints.MODEL)
    assert isinstance(scorer, OipScorer)
    output = {"name": "probabilities", "shape": [1, 2], "datatype": "FP32", "data": [0.25, 0.75]}
    answers["/v2/models/staging/versions/3/infer"] = (200, json.dumps({"outputs": [output]}).encode())
    answer = scorer.score({"radiograph": np.ones((1, 2, 2), np.float32)})
    assert answer["probabilities"].tolist() == [[0.25, 0.75]]
    assert answer["probabilities"].dtype == np.float32
    (sent,) = json.loads(asked[-1][1])["inputs"]
    assert sent == {"name": "radiograph", "shape": [1, 2, 2], "datatype": "FP32", "data": [1.0] * 4}


@pytest.mark.parametrize("body", [b"no json", b"{}", b'{"outputs": [{"name": "a"}]}', b'{"outputs": 7}'])
def test_an_answer_that_is_not_of_the_protocol_is_unavailable(server, body):
    address, answers, _ = server
    answers["/v2/models/staging/infer"] = (200, body)
    with pytest.raises(ServiceUnavailable, match="staging"):
        OipScorer(address, "staging").score({"x": np.zeros(1, np.float32)})


@pytest.mark.parametrize("address", ["missing model", NOWHERE])
def test_a_missing_model_and_a_missing_server_are_unavailable(server, address):
    scorer = OipScorer(server[0] if address != NOWHERE else NOWHERE, "staging")
    with pytest.raises(ServiceUnavailable):
        scorer.check()
    with pytest.raises(ServiceUnavailable):
        scorer.score({"x": np.zeros(1, np.float32)})


async def test_a_service_is_ready_when_its_inference_server_is(server):
    """It starts without the server, says that it is not ready, and is once the server has the models."""
    address, answers, _ = server
    given = StagingSettings(internal_secret=SECRET, inference="oip", inference_address=address, _env_file=None)
    app = create_app(given)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://staging") as client:
            assert (await client.get("/health/ready")).status_code == 503
            assert (await client.get("/health/live")).status_code == 200
            answers["/v2/models/staging/ready"] = answers["/v2/models/knee_joints/ready"] = (200, b"{}")
            assert (await client.get("/health/ready")).status_code == 200
