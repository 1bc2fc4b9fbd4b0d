"""The decision table: patients built from the guidelines, and what each should get."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts.recommendation import RecommendationSet
from tests.unit.services.recommender.cases import answer, drugs, ids

TABLE: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("decision_table.yaml").read_text())


def test_there_are_at_least_sixty_patients() -> None:
    assert len({row["id"] for row in TABLE}) == len(TABLE) >= 60


def rule_ids(found: RecommendationSet) -> set[str]:
    """The ids of the items, and of the drug rules that stand behind a class beside the first."""
    further = {source for item in found.items for source in item.further_sources}
    named = {f"medication.{name}.anabolic" for name in ("nogg", "aace") for line in further if name in line.lower()}
    return ids(found) | named


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["id"])
def test_patient(row: dict[str, Any]) -> None:
    found = answer(row["patient"])
    status = drugs(found)
    for drug_class, expected in row.get("drugs", {}).items():
        assert status.get(drug_class) == expected, drug_class
    for drug_class, fields in row.get("checks", {}).items():
        item = next(item for item in found.items if item.drug_class == drug_class)
        assert set(fields) <= set(item.checks or [])
    assert not row.get("no_drugs") or not status
    assert not set(row.get("absent", [])) & set(status)
    assert all(status.get(name) != "consider" for name in row.get("refused", []))
    check_items(row, found)
    check_consult(row, found)


def check_items(row: dict[str, Any], found: RecommendationSet) -> None:
    for wanted in row.get("items", []):
        assert wanted in ids(found) or wanted in rule_ids(found), wanted
    for unwanted in row.get("not_items", []):
        assert not [rule for rule in ids(found) if fnmatch(rule, unwanted)], unwanted
    if "only" in row:
        assert found.items
        assert [item.id for item in found.items if not item.id.startswith(row["only"])] == []
    assert row.get("says", "") in " ".join(item.text for item in found.items)


def check_consult(row: dict[str, Any], found: RecommendationSet) -> None:
    if "consult" in row:
        assert (found.consult.advised, found.consult.urgency) == (True, row["consult"])
        assert found.consult.reason
    assert not (row.get("no_consult") and found.consult.advised)
