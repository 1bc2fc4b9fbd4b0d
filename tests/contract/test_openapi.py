"""The OpenAPI document is what integrators build against."""

import json
import os
from pathlib import Path

import pytest
from pydantic import BaseModel

from gateway.api.examples.assessments import ASSESSMENT, RECORD
from shared.contracts.assessment import Assessment
from shared.contracts.record import ClinicalRecord

EXAMPLE = Path("gateway/api/examples/assessment.json")
OPEN = {
    "POST /v1/accounts",
    "GET /v1/problems",
    "POST /v1/invitations/accept",
    "POST /v1/provider/sign-out",
    "GET /fhir/metadata",
    "GET /fhir/CodeSystem/finding",
    "GET /cds-services",
    "GET /fhir/.well-known/smart-configuration",
}
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
async def document(shared_api):
    return (await shared_api.get("/openapi.json")).json()


def operations(document):
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items() for method, operation in methods.items() if method in METHODS
    ]  # fmt: skip


async def test_every_operation_is_described_and_shows_an_example(document):
    for name, operation in operations(document):
        assert operation.get("description"), name
        success = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        for answer in success:
            content = answer.get("content", {}).get("application/json")
            assert content is None or "example" in content or "examples" in content, name


async def test_operation_ids_are_short_names_and_unique(document):
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names), names
    assert {"make_assessment", "get_assessment", "sign_in", "make_key"} <= set(names)


async def test_every_error_is_a_problem_document_and_below_fhir_an_outcome(document):
    for name, operation in operations(document):
        kind = "application/fhir+json" if " /fhir/" in name else "application/problem+json"
        for status, answer in operation["responses"].items():
            if status == "409" and " /dicom-web/" in name:
                continue  # STOW-RS says of each file why it was not stored, in DICOM's JSON
            if status.startswith(("4", "5")) and not name.endswith("/health/ready"):
                assert set(answer["content"]) == {kind}, (name, status)


async def test_every_operation_but_the_open_ones_needs_a_credential(document):
    for name, operation in operations(document):
        is_open = "/health/" in name or "/v1/tokens" in name or name in OPEN
        assert bool(operation.get("security")) is not is_open, name


async def test_all_references_resolve(document):
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        found = document
        for key in reference.removeprefix("#/").split("/"):
            found = found[key]
        assert found


async def test_the_record_is_described_with_every_field(document):
    schema = document["components"]["schemas"]["ClinicalRecord"]
    assert set(schema["properties"]) == set(ClinicalRecord.model_fields)
    assert schema["required"] == ["age", "gender"]
    assert schema["additionalProperties"] is False


def test_the_examples_are_what_the_contracts_say():
    assert Assessment.model_validate(ASSESSMENT).status == "complete"
    assert ClinicalRecord.model_validate_json(RECORD).age == 67


async def test_the_example_is_what_the_gateway_answers_today(shared_api, knee_jpeg):
    """The example is a real answer; a change of any contract shows here until it is renewed."""
    files = {"image": ("knee.jpg", knee_jpeg), "clinical": (None, RECORD)}
    answer = (await shared_api.post("/v1/assessments", files=files)).json()
    if os.environ.get("RENEW_EXAMPLE"):
        answer |= {name: ASSESSMENT[name] for name in ("id", "created_at")}
        renew(answer)
        return
    renewal = "RENEW_EXAMPLE=1 make test ARGS=tests/contract/test_openapi.py"
    assert shape(answer) == shape(ASSESSMENT), f"{renewal} renews {EXAMPLE}"


def renew(answer):
    EXAMPLE.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def shape(value):
    """Names all the way down, without values; a list is as its first item."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if isinstance(value, BaseModel) else type(value).__name__
