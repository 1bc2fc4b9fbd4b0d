"""Bone density with its date and its age: what still holds, what stays, and when the next scan is due."""

from typing import Any

import pytest

from shared.clinic.intervals import Interval
from tests.unit.shared.clinic.readings import read


def scan(value: float, date: str | None = None, site: str = "femoral_neck") -> dict[str, Any]:
    return {"site": site, "value": value} | ({"date": date} if date else {})


@pytest.mark.parametrize(
    ("fields", "after", "by", "basis"),
    [
        ({"t_scores": [scan(-0.5)]}, 48, 60, "five_years"),
        ({"t_scores": [scan(-1.7)]}, 36, 60, "five_years"),
        ({"t_scores": [scan(-2.0)]}, 12, 24, "low_score"),
        ({"t_scores": [scan(-2.9)]}, 12, 24, "low_score"),
        ({"age": 80, "t_scores": [scan(-0.5)]}, 12, 24, "old_age"),
        ({"t_scores": [scan(-1.2)], "medications": ["oral_bisphosphonate"]}, 12, 36, "treated"),
        ({"age": 82, "t_scores": [scan(-1.2)], "medications": ["oral_bisphosphonate"]}, 12, 24, "treated"),
        ({"t_scores": [scan(-0.5)], "medications": ["aromatase_inhibitors"]}, 12, 24, "fast_loss"),
        ({"gender": "male", "t_scores": [scan(-0.5)], "medications": ["androgen_deprivation"]}, 12, 24, "fast_loss"),
        ({"t_scores": [scan(-0.5)], "medications": ["glucocorticoids"]}, 12, 24, "fast_loss"),
        (
            {"t_scores": [scan(-0.5)], "prior_fractures": [{"site": "wrist", "low_trauma": True, "months_ago": 24}]},
            12, 24, "fast_loss",
        ),
        ({"age": 40, "menopausal_status": "premenopausal", "z_scores": [scan(-2.3)]}, 12, 24, "low_score"),
        ({"age": 78, "weight_kg": 50, "t_scores": [scan(2.5)]}, 0, 12, "in_doubt"),
    ],
)  # fmt: skip
def test_how_long_a_scan_holds(fields: dict[str, Any], after: float, by: float, basis: str) -> None:
    found = read(**fields)
    assert found.next_scan == Interval(after, by, basis)
    assert found.has_current_scan


def test_the_interval_counts_from_the_scan() -> None:
    found = read(t_scores=[scan(-2.2, "2025-11-26")])
    assert found.next_scan is not None
    assert (round(found.next_scan.after), round(found.next_scan.by)) == (0, 12)


@pytest.mark.parametrize(
    ("value", "date", "age", "current"),
    [
        (-0.5, "2021-12-20", 67, True),
        (-0.5, "2021-10-20", 67, False),
        (-2.2, "2024-12-20", 67, True),
        (-2.2, "2024-10-20", 67, False),
        (-0.5, "2024-10-20", 80, False),
        (-0.5, None, 80, True),
    ],
)
def test_a_scan_older_than_its_value_allows_is_out_of_date(
    value: float, date: str | None, age: float, current: bool
) -> None:
    found = read(age=age, t_scores=[scan(value, date)])
    assert (found.has_current_scan, found.scan_is_out_of_date) == (current, not current)
    if not current:
        assert found.next_scan == Interval(0.0, 3.0, "out_of_date")


def test_of_several_scans_the_newest_of_each_site_counts() -> None:
    older, newer, ahead = scan(-1.2, "2020-01-01"), scan(-1.9, "2026-01-01"), scan(0.4, "2031-01-01")
    found = read(t_scores=[older, newer, scan(-1.1, "2019-01-01", "total_hip"), ahead])
    assert {score.site: score.value for score in found.densities.t_scores} == {"femoral_neck": -1.9, "total_hip": -1.1}
    assert found.lowest_t == -1.9


def test_a_score_without_a_date_is_read_as_current() -> None:
    assert read(t_scores=[scan(-1.2, "2026-01-01"), scan(-2.0)]).lowest_t == -2.0


def test_a_diagnosis_stays_when_a_later_score_is_better() -> None:
    found = read(t_scores=[scan(-2.6, "2018-01-01"), scan(-1.9, "2026-06-01")])
    assert found.who_class == "osteoporosis"
    assert found.lowest_t == -1.9
    worse = read(t_scores=[scan(-2.6, "2018-01-01"), scan(-2.9, "2026-06-01")])
    assert worse.densities.earlier_osteoporosis is None
    assert worse.who_class == "osteoporosis"


def test_cancer_in_bone_makes_no_osteoporosis_by_fracture() -> None:
    fracture = [{"site": "vertebra", "low_trauma": True}]
    assert read(prior_fractures=fracture).who_class == "osteoporosis"
    assert read(prior_fractures=fracture, medical_conditions=["multiple_myeloma"]).who_class is None


@pytest.mark.parametrize(
    ("fields", "late", "followed"),
    [
        ({"denosumab_last_dose_months_ago": 7.0, "denosumab_doses": 4}, False, False),
        ({"denosumab_last_dose_months_ago": 7.1, "denosumab_doses": 4}, True, False),
        ({"denosumab_last_dose_months_ago": 9.0}, True, False),
        ({"denosumab_last_dose_months_ago": 9.0, "denosumab_doses": 1}, False, False),
        ({"denosumab_last_dose_months_ago": 9.0, "zoledronate_months_ago": 3.0}, True, True),
        ({"denosumab_last_dose_months_ago": 9.0, "zoledronate_months_ago": 20.0}, True, False),
    ],
)
def test_denosumab_late_and_what_followed(fields: dict[str, Any], late: bool, followed: bool) -> None:
    found = read(**fields)
    assert (found.denosumab_late, found.zoledronate_followed) == (late, followed)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"medications": ["oral_bisphosphonate"], "bisphosphonate_years": 3, "months": 5}, True),
        ({"medications": ["oral_bisphosphonate"], "bisphosphonate_years": 1, "months": 5}, False),
        ({"medications": ["oral_bisphosphonate"], "months": 5}, None),
        ({"medications": ["denosumab"], "denosumab_doses": 6, "months": 5}, True),
        ({"medications": [], "months": 5}, False),
        ({"medications": ["oral_bisphosphonate"], "bisphosphonate_years": 3}, None),
    ],
)
def test_a_fracture_on_treatment(fields: dict[str, Any], expected: bool | None) -> None:
    months = fields.pop("months", None)
    fracture = {"site": "wrist", "low_trauma": True} | ({} if months is None else {"months_ago": months})
    assert read(**fields, prior_fractures=[fracture]).fracture_on_treatment is expected
