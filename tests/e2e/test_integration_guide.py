""" "Integrate in a day" does what it says: its three ways are walked as they are written."""

import json

import pytest
from fhir.resources.R4B.bundle import Bundle

from tests.e2e.guides import installation, run_commands

GUIDE = "how-to/integrate-in-a-day.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What is left of having run the guide's commands in a folder of their own."""
    with installation(tmp_path_factory.mktemp("integration-guide")) as place:
        assert run_commands(GUIDE, place).count("curl") >= 10
        yield place[0]


def read(folder, name):
    return json.loads((folder / name).read_text())


def test_rest_gives_an_assessment(folder):
    assert read(folder, "assessment.json")["patient_number"] == "MRN-1042"


def test_fhir_gives_a_token_of_five_minutes_and_a_bundle_that_goes_on(folder):
    assert 290 <= read(folder, "token.json")["expires_in"] <= 300
    assert Bundle.model_validate(read(folder, "transaction.json")).type == "transaction"
    assert read(folder, "report.json")["resourceType"] == "DiagnosticReport"


def test_cds_hooks_give_a_card(folder):
    hooks = [service["hook"] for service in read(folder, "services.json")["services"]]
    assert hooks == ["patient-view", "order-select"]
    cards = read(folder, "cards.json")["cards"]
    assert any("scan (DXA) is due" in card["summary"] for card in cards)
