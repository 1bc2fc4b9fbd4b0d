"""`trabecula fhir explain`: the mapping of a file, for people and for programs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from shared.problems import InvalidInput, MalformedBody
from tests.unit.gateway.interop.sent import PATIENT, bundle, condition, observation

run = CliRunner()
FEMUR = observation("38263-0", -2.7, "{T-score}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "bundle.json"
    found.write_text(json.dumps(bundle(observation("29463-7", 58), condition("M81.0"), FEMUR)))
    return found


def test_it_says_what_is_used_and_what_is_not_and_why(file: Path) -> None:
    done = run.invoke(app, ["fhir", "explain", str(file)])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["used", "unused", "unused", "record"]
    assert "weight_kg = 58" in lines[0]
    assert "[no_field]" in lines[1]
    assert "[site_ambiguous]" in lines[2]


def test_it_says_the_same_to_programs_and_heeds_the_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABECULA_FHIR_FEMUR_SITE", "femoral_neck")
    found = json.loads(run.invoke(app, ["fhir", "explain", str(file), "--json"]).stdout)
    assert found["record"]["t_scores"] == [{"site": "femoral_neck", "value": -2.7, "date": "2026-06-01"}]
    assert [one["reason"] for one in found["unused"]] == ["no_field"]


def test_what_keeps_a_record_from_being_made_ends_it_with_1(tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle(patient={**PATIENT, "birthDate": "1959"})))
    done = run.invoke(app, ["fhir", "explain", str(file)])
    assert done.exit_code == 1
    assert "fault   Patient.birthDate" in done.stdout


@pytest.mark.parametrize(("text", "error"), [("{", MalformedBody), ("[]", InvalidInput), (None, InvalidInput)])
def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path, text: str | None, error: type[Exception]) -> None:
    file = tmp_path / "bundle.json"
    if text is not None:
        file.write_text(text)
    done = run.invoke(app, ["fhir", "explain", str(file)])
    assert isinstance(done.exception, error)
