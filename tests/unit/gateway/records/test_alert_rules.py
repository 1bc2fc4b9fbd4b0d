"""Days of follow-ups, and what counts as worse."""

import copy
import datetime as dt
from uuid import UUID

import pytest

from gateway.api.examples.assessments import ASSESSMENT
from gateway.records.alert_rules import bone_loss, emergency, follow_ups, months_later, worsening
from gateway.records.encrypted import StoredAssessment
from gateway.records.measurement import DensityMeasured, TScoreMeasured
from gateway.records.timeline import Measurement, timeline
from shared.contracts.assessment import Assessment
from shared.contracts.risk import RiskRequest


def sure_of(stage, share):
    """Probabilities of a reading that gives one grade this share, and the rest to the others."""
    return [share if grade == stage else (1 - share) / 4 for grade in range(5)]


def assessed(day, category="moderate", knees=(), fractures=None, items=()):
    document = copy.deepcopy(ASSESSMENT)
    document["created_at"] = f"{day}T09:00:00Z"
    document["combined"]["category"] = category
    knee = document["staging"]["knees"][0]
    document["staging"]["knees"] = [
        {**knee, "side": side, "stage": stage, "quality": quality, "probabilities": sure_of(stage, share)}
        for side, stage, quality, share in ((*given, 0.98)[:4] for given in knees)
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


def test_a_rise_within_the_networks_own_error_is_none():
    before = assessed("2026-01-01", knees=[("left", 1, "good", 0.6)])
    assert codes(assessed("2026-06-01", knees=[("left", 2, "good", 0.6)]), before) == []
    assert codes(assessed("2026-06-01", knees=[("left", 2, "good", 0.97)]), before) == []
    sure = assessed("2026-01-01", knees=[("left", 1, "good", 0.97)])
    assert codes(assessed("2026-06-01", knees=[("left", 2, "good", 0.97)]), sure) == ["knee_grade_rose"]


def test_what_got_worse_is_told_from_what_to_what_and_when():
    low, high = assessed("2026-01-01", "low"), assessed("2026-06-01", "high")
    (only,) = worsening(high, [low])
    assert "from low to high between 2026-01-01 and 2026-06-01" in only.text
    assert (only.change.before, only.change.after) == ("low", "high")
    assert (only.change.before_date, only.change.after_date) == (dt.date(2026, 1, 1), dt.date(2026, 6, 1))


def scanned(year, site, t_score, g_per_cm2):
    day = dt.date(year, 5, 1)
    score = TScoreMeasured(kind="t_score", date=day, site=site, value=t_score, method="dxa")
    density = DensityMeasured(kind="bone_density", date=day, site=site, g_per_cm2=g_per_cm2, device="hologic")
    return [Measurement(UUID(int=year), score), Measurement(UUID(int=year), density)]


def test_one_decline_is_one_alert_however_many_sites_and_measures_tell_of_it():
    first = [*scanned(2023, "total_hip", -1.6, 0.75), *scanned(2023, "femoral_neck", -1.7, 0.65)]
    second = [*scanned(2025, "total_hip", -2.4, 0.65), *scanned(2025, "femoral_neck", -2.9, 0.52)]
    third = scanned(2026, "total_hip", -2.5, 0.64)
    (only,) = bone_loss(timeline([], first), timeline([], [*first, *second]), {})
    assert (only.change.measure, only.change.before, only.change.after) == ("t_score", "-1.7", "-2.9")
    assert (only.change.site, only.change.before_date) == ("femoral_neck", dt.date(2023, 5, 1))
    assert "Also at the total hip." in only.text
    known = [*first, *second]
    assert not list(bone_loss(timeline([], known), timeline([], [*known, *third]), {}))


def test_an_advised_emergency_is_urgent():
    calm = assessed("2026-01-01").assessment
    assert not list(emergency(calm))
    consult = calm.recommendation.consult.model_copy(update={"urgency": "emergency", "reason": "Bladder trouble."})
    advice = calm.recommendation.model_copy(update={"consult": consult})
    (only,) = emergency(calm.model_copy(update={"recommendation": advice}))
    assert (only.kind, only.text, only.due_by) == ("urgent", "Bladder trouble.", None)


def test_a_fracture_since_the_last_time_is_new():
    before = assessed("2026-01-01")
    recent, old = {"site": "hip", "months_ago": 2}, {"site": "wrist", "months_ago": 40}
    assert codes(assessed("2026-06-01", fractures=[recent, old]), before) == ["new_fracture"]
    assert codes(assessed("2026-06-01", fractures=[old]), before) == []
    assert codes(assessed("2026-06-01", fractures=True), before) == []
