"""The operator's commands about the rules, run as functions."""

import json

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.assess_files import explain_file
from shared.contracts.policy import ClinicPolicy
from shared.problems import InvalidInput

run = CliRunner()


def test_the_shipped_rules_pass_and_what_waits_for_a_clinician_is_listed():
    done = run.invoke(app, ["rules", "check"])
    assert done.exit_code == 0, done.output
    assert "unsigned" in done.output
    report = json.loads(run.invoke(app, ["rules", "check", "--json"]).output)
    assert report["faults"] == []


def test_a_broken_rule_is_named_and_ends_with_1(tmp_path):
    done = run.invoke(app, ["rules", "check", str(tmp_path)])
    assert done.exit_code == 1
    assert "fault" in done.output


def test_why_each_rule_did_or_did_not_fire(tmp_path):
    case = tmp_path / "case.json"
    case.write_text('{"record": {"age": 67, "gender": "female"}}')
    done = run.invoke(app, ["rules", "explain", str(case)])
    assert done.exit_code == 0, done.output
    assert "fired" in done.output
    assert "unknown" in done.output


@pytest.mark.parametrize("text", ["{", '{"age": 67}', '{"record": {"age": -1, "gender": "female"}}'])
def test_a_case_that_cannot_be_used_says_why(tmp_path, text):
    case = tmp_path / "case.json"
    case.write_text(text)
    with pytest.raises(InvalidInput):
        explain_file(case, ClinicPolicy())
