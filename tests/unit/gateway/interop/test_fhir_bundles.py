"""Whole answers as FHIR: valid, complete in themselves, the same bytes each time."""

import json
from random import Random
from typing import Any, get_args

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.codesystem import CodeSystem

from gateway.assessing.results import ResultContent
from gateway.interop.fhir.conformance import capability_statement, code_system
from gateway.interop.fhir.resource import to_bytes
from gateway.interop.fhir.writing.bundles import BundleType, bundle_of
from tests.unit.answer.records import some_record
from tests.unit.answer.whole import answer_to
from tests.unit.gateway.interop.invariants import faults_of
from tests.unit.gateway.interop.results import ROOT, content_of, films, result_of, vignettes

KINDS: tuple[BundleType, ...] = get_args(BundleType)
SEED, RECORDS = 20261127, 150


def checked(content: ResultContent, kind: BundleType = "collection") -> dict[str, Any]:
    """The Bundle of a result, which has no fault and comes out the same twice."""
    written = to_bytes(bundle_of(result_of(content), kind))
    assert written == to_bytes(bundle_of(result_of(content), kind))
    bundle: dict[str, Any] = json.loads(written)
    Bundle.model_validate(bundle)
    assert faults_of(bundle, f"{ROOT}/fhir") == []
    return bundle


@pytest.mark.parametrize("kind", KINDS)
def test_every_vignette_is_a_valid_bundle(kind: BundleType) -> None:
    for content in vignettes().values():
        assert checked(content, kind)["type"] == kind


def test_every_kind_of_film_is_a_valid_bundle() -> None:
    for content in films():
        checked(content)


def test_random_records_are_valid_bundles() -> None:
    random = Random(SEED)
    for _ in range(RECORDS):
        record, looks = some_record(random), random.choice((None, "osteoporosis", "indeterminate"))
        checked(content_of(answer_to(record, looks, random.randint(0, 4) if looks else None)))


def test_a_document_begins_with_its_composition_and_names_every_part_that_it_has() -> None:
    bundle = checked(films()[0], "document")
    composition = bundle["entry"][0]["resource"]
    assert composition["resourceType"] == "Composition"
    assert bundle["identifier"]["value"].startswith("urn:uuid:")
    assert {section["title"] for section in composition["section"]} == {"Results", "Risk", "What to consider"}


def test_a_transaction_puts_every_resource_at_its_own_name() -> None:
    for entry in checked(films()[0], "transaction")["entry"]:
        resource = entry["resource"]
        assert entry["request"] == {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}


def test_what_the_server_says_of_itself_is_valid() -> None:
    statement = capability_statement(f"{ROOT}/fhir", "0.1.0")
    CapabilityStatement.model_validate(statement)
    CodeSystem.model_validate(code_system())
    assert statement["fhirVersion"] == "4.0.1"
    assert {part["type"] for part in statement["rest"][0]["resource"]} > {"DiagnosticReport", "Observation"}
