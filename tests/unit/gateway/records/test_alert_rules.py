"""Days of follow-ups, and what counts as worse."""

import copy
import datetime as dt

import pytest

from gateway.api.examples.assessments import ASSESSMENT
from gateway.records.alert_rules import follow_ups, months_later, worsening
from gateway.records.encrypted import StoredAssessment
from shared.contracts.assessment import Assessment
from shared.contracts.risk import RiskRequest


def assessed(day, category="moderate", knees=(), fractures=None, items=()):
    document = copy.deepcopy(ASSESSMENT)
    document["created_at"] = f"{day}T09:00:00Z"
    document["combined"]["category"] = category
    knee = document["staging"]["knees"][0]
    document["staging"]["knees"] = [
        {**knee, "side": side, "stage": stage, "quality": quality} for side, stage, quality in knees
    ]
    item = next(entry for entry in document["recommendation"]["items"] if entry["kind"] != "medication")
    document["recommendation"]["items"] = [
        {**item, "id": name, "kind": "follow_up", "interval": {"after_months": first, "by_months": last}}
        for name, first, last in items
    ]
    risk = RiskRequest.model_validate({"record": {"age": 70, "gender": "female", "prior_fractures": fractures}})
    return StoredAssessment(Assessment.model_validate(document), risk, None)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-11-24", 12, "2027-11-24"), ("2026-11-24", 1, "2026-12-24"), ("2026-12-31", 2, "2027-02-28"),
        ("2024-01-31", 1, "2024-02-29"), ("2026-11-24", 0, "2026-11-24"), ("2026-11-24", 0.5, "2026-12-09"),
    ],
)  # fmt: skip
def test_months_later(day, months, expected):
    assert months_later(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(expected)


def test_a_recommendation_with_a_set_time_becomes_a_follow_up():
    (only,) = follow_ups(assessed("2026-11-24", items=[("follow_up.treated_dxa", 12, 36)]).assessment)
    assert (only.code, only.due_from, only.due_by) == (
        "follow_up.treated_dxa", dt.date(2027, 11, 24), dt.date(2029, 11, 24),
    )  # fmt: skip


def codes(new, *earlier):
    return [item.code for item in worsening(new, earlier)]


def test_a_category_that_rises_is_worse_and_one_that_falls_is_not():
    low, high, none = (assessed(f"2026-0{n}-01", category) for n, category in enumerate(("low", "high", None), 1))
    assert codes(high, low) == ["category_rose"]
    assert codes(high, low, none) == ["category_rose"]
    assert codes(low, high) == codes(none, low) == codes(high) == codes(high, high) == []


def test_a_grade_is_worse_only_where_it_was_read_well_both_times():
    before = assessed("2026-01-01", knees=[("left", 1, "good"), ("right", 2, "uncertain")])
    after = assessed("2026-06-01", knees=[("left", 2, "good"), ("right", 4, "good")])
    alerts = list(worsening(after, [before]))
    assert [alert.code for alert in alerts] == ["knee_grade_rose"]
    assert "left" in alerts[0].text


def test_a_fracture_since_the_last_time_is_new():
    before = assessed("2026-01-01")
    recent, old = {"site": "hip", "months_ago": 2}, {"site": "wrist", "months_ago": 40}
    assert codes(assessed("2026-06-01", fractures=[recent, old]), before) == ["new_fracture"]
    assert codes(assessed("2026-06-01", fractures=[old]), before) == []
    assert codes(assessed("2026-06-01", fractures=True), before) == []
