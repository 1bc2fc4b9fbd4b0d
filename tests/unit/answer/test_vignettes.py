"""The answer as a whole, for patients whose answer was once wrong: each row stands for a kind."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from shared.contracts.recommendation import Urgency
from tests.unit.answer.contradictions import contradictions
from tests.unit.answer.whole import Answer, answer_to

VIGNETTES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("vignettes.yaml").read_text())
URGENCIES = get_args(Urgency)
CLEARED: dict[str, Any] = {
    "medical_conditions": [], "medications": [], "prior_fractures": False, "creatinine_umol_per_l": 70.0,
    "serum_calcium_mmol_per_l": 2.35, "vitamin_d_25oh_nmol_per_l": 75.0, "weight_kg": 62.0, "height_cm": 160.0,
    "back_pain": False, "thigh_or_groin_pain": False, "oestrogen_use": False, "oestrogen_ever": False,
    "falls_past_year": 0,
}  # fmt: skip


def made(row: dict[str, Any]) -> Answer:
    base = CLEARED if row.get("cleared", True) else {}
    record = {key: value for key, value in {**base, **row["record"]}.items() if value is not None}
    return answer_to(record, row.get("image"), row.get("kl"))


def level(urgency: str | None) -> int:
    return -1 if urgency is None else URGENCIES.index(urgency)


@pytest.mark.parametrize("row", VIGNETTES, ids=lambda row: row["id"])
def test_vignette(row: dict[str, Any]) -> None:
    found = made(row)
    check_risk(row, found)
    check_items(row, found)
    check_drugs(row, found)


@pytest.mark.parametrize("row", VIGNETTES, ids=lambda row: row["id"])
def test_no_answer_contradicts_itself(row: dict[str, Any]) -> None:
    assert contradictions(made(row)) == []


def check_risk(row: dict[str, Any], found: Answer) -> None:
    assert found.combined.category == row.get("category", found.combined.category)
    assert found.combined.category != row.get("category_not", "none of them")
    urgency = found.recommendation.consult.urgency
    assert urgency == row.get("consult", urgency)
    assert level(urgency) >= level(row.get("at_least"))
    if "warns" in row:
        assert tuple(row["warns"]) in {(warning.field, warning.type) for warning in found.clinical.warnings}
    if "dxa_by" in row:
        assert found.recommendation.next_dxa is not None
        assert found.recommendation.next_dxa.by_months <= row["dxa_by"]


def check_items(row: dict[str, Any], found: Answer) -> None:
    assert set(row.get("present", [])) <= found.ids
    for pattern in row.get("absent", []):
        assert not [name for name in found.ids if fnmatch(name, pattern)], pattern
    assert row.get("says", "") in found.prose
    assert row.get("never", "\0") not in found.prose
    if "to" in row:
        assert found.recommendation.letter is not None
        assert row["to"] in " ".join(found.recommendation.letter.to)
    for kind in row.get("no_kind", []):
        assert [item.id for item in found.items if item.kind == kind] == []


def check_drugs(row: dict[str, Any], found: Answer) -> None:
    status = {item.drug_class: item.status for item in found.items if item.drug_class}
    offered = {drug for drug, state in status.items() if state != "blocked"}
    assert set(row.get("offered", [])) <= offered
    assert not set(row.get("not_offered", [])) & offered
    ready = {drug for drug, state in status.items() if state == "consider"}
    assert set(row.get("ready", [])) <= ready
    assert not set(row.get("not_ready", [])) & ready
    assert not (row.get("ready") == [] and ready)
