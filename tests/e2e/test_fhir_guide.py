"""The FHIR guide does what it says: its commands run as they are written, and give what it tells of."""

import json

import pytest
from fhir.resources.R4B.bundle import Bundle

from tests.e2e.guides import installation, run_commands

GUIDE = "fhir.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What is left of having run the guide's commands in a folder of their own."""
    with installation(tmp_path_factory.mktemp("fhir-guide")) as place:
        assert run_commands(GUIDE, place).count("curl") >= 8
        yield place[0]


def read(folder, name):
    return json.loads((folder / name).read_text())


def test_its_commands_give_valid_bundles(folder):
    for name, kind in {
        "result.json": "collection", "document.json": "document", "transaction.json": "transaction",
        "page.json": "searchset", "observations.json": "searchset",
    }.items():  # fmt: skip
        assert Bundle.model_validate(read(folder, name)).type == kind
    assert len(read(folder, "page.json")["entry"]) == 1
    assert read(folder, "risk.json")["resourceType"] == "RiskAssessment"


def test_the_record_is_what_the_guide_says(folder):
    [record] = [one for one in read(folder, "map.json")["parameter"] if one["name"] == "record"]
    assert json.loads(record["valueString"]) | {"age": 67.0} == {
        "age": 67.0, "gender": "female", "weight_kg": 58, "medical_conditions": ["rheumatoid_arthritis"],
    }  # fmt: skip
