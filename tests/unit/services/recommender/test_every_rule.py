"""Every rule fires for one patient and not for another, has a source, and follows its own review."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.recommender.medication import medications
from services.recommender.rule_evaluation import RuleEvaluation
from services.recommender.schema import ConsultRule, Rule, Statement
from tests.unit.services.recommender.cases import RULES, case

CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("rule_cases.yaml").read_text())
BY_ID: dict[str, Rule | ConsultRule] = {rule.id: rule for rule in (*RULES.rules, *RULES.consults)}


def outcome(rule_id: str, short: dict[str, Any]) -> str:
    evaluation = RuleEvaluation.of(RULES, case(short))
    evaluation = evaluation.with_statuses({drug.drug_class: drug.status for drug in medications(evaluation)})
    return evaluation.outcome(BY_ID[rule_id])


def test_every_rule_has_its_two_patients() -> None:
    assert set(CASES) == set(BY_ID)


@pytest.mark.parametrize("rule_id", CASES)
def test_rule_fires_for_one_patient(rule_id: str) -> None:
    assert outcome(rule_id, CASES[rule_id]["fires"]) == "fired"


@pytest.mark.parametrize("rule_id", CASES)
def test_rule_does_not_fire_for_another(rule_id: str) -> None:
    assert outcome(rule_id, CASES[rule_id]["silent"]) != "fired"


@pytest.mark.parametrize("statement", list(RULES.statements()), ids=lambda statement: statement.id)
def test_every_statement_has_a_source_and_an_honest_review(statement: Statement) -> None:
    assert statement.citation.guideline
    assert statement.citation.year
    assert statement.citation.section or statement.citation.doi
    assert statement.read in ("primary", "house") or statement.review == "needs clinician sign-off"
    assert (statement.review == "house") <= (statement.read == "house")


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_no_text_names_a_dose_of_a_drug_or_orders_one(rule: Rule) -> None:
    words = rule.output.text.lower()
    assert not any(order in words for order in ("prescribe", "take one", "once weekly", "twice daily", "tablets a day"))
    if rule.output.kind == "medication":
        assert " mg" not in words


@pytest.mark.parametrize("framework", ["aace", "nogg", "acr"])
def test_a_framework_of_very_high_risk_refers_to_no_other(framework: str) -> None:
    """They are different sets of criteria, never merged."""
    text = RULES.definitions[f"{framework}_very_high_risk"].model_dump_json()
    assert not any(f"{other}_very_high_risk" in text for other in {"aace", "nogg", "acr"} - {framework})
