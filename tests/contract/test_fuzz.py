"""Whatever the OpenAPI document allows, and much that it does not, is answered as the document says: no server error,
no status that it does not name."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.e2e.conftest import running, trabecula

# Of each operation and mode.
A_FEW, MANY = 2, 12
MODES = pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
SCOPES = "assessments:write assessments:read patients:read patients:write models:read audit:read admin"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    state = tmp_path_factory.mktemp("fuzz")
    with running("serve", state=state, log=state / "server.log") as server:
        made = trabecula("create-key", "--name", "fuzz", "--scopes", SCOPES, "--json", state=state)
        yield server, json.loads(made.stdout)


@MODES
def test_no_operation_breaks(server, mode):
    try_every_operation(server, mode, A_FEW)


@pytest.mark.long
@MODES
def test_no_operation_breaks_however_often_it_is_tried(server, mode):
    try_every_operation(server, mode, MANY)


def try_every_operation(server, mode, examples):
    running_server, made = server
    schema = schemathesis.openapi.from_url(f"{running_server.url}/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @hypothesis_settings(
            max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case):
            nonlocal tried
            tried += 1
            answer = case.call(headers={"X-API-Key": made["key"]})
            assert answer.status_code < 500, (case.method, case.path, answer.text)
            documented = case.operation.definition.raw["responses"]
            assert str(answer.status_code) in documented, (case.method, case.path, answer.status_code, answer.text)
            if answer.status_code >= 400:
                fhir = case.path.startswith("/fhir/")
                oauth = case.path == "/v1/tokens"  # errors of RFC 6749, where a client signs for itself
                kind = "application/fhir+json" if fhir else "application/problem+json"
                if oauth and "error_description" in answer.text:
                    kind = "application/json"
                assert answer.headers["content-type"][0] == kind, (case.path, answer.text)

        try:
            call()
        except (schemathesis.errors.SchemathesisError, Unsatisfiable):
            continue  # an operation without input has nothing that could be wrong
    assert tried > 3 * examples
    log = running_server.printed()
    assert '"unforeseen"' not in log
