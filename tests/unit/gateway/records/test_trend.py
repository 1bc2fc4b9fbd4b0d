"""Trends of measured bone density, on values that can be checked by hand."""

import datetime as dt
from uuid import UUID

import pytest

from gateway.records.measurement import DensityMeasured, FractureSuffered, TScoreMeasured
from gateway.records.timeline import Entry, Measurement, timeline
from gateway.records.trend import trends

ID = UUID(int=7)


def t_score(year, value, site="total_hip", method="dxa"):
    return Measurement(
        ID, TScoreMeasured(kind="t_score", date=dt.date(year, 1, 1), site=site, value=value, method=method)
    )


def density(year, value, site="lumbar_spine", device="hologic"):
    measured = DensityMeasured(kind="bone_density", date=dt.date(year, 1, 1), site=site, g_per_cm2=value, device=device)
    return Measurement(ID, measured)


def found(*measurements, **lsc):
    return trends(timeline([], measurements), lsc)


def test_the_slope_and_the_least_significant_change_of_t_scores():
    (only,) = found(t_score(2020, -1.5), t_score(2022, -1.9), t_score(2024, -2.3))
    assert (only.site, only.measure, only.change) == ("total_hip", "t_score", -0.8)
    assert only.per_year == pytest.approx(-0.2, abs=0.001)
    # 5.0 % of 0.942 - 1.5 x 0.122 = 0.759 g/cm2, in standard deviations of 0.122 g/cm2
    assert only.least_significant_change == pytest.approx(0.3111, abs=0.0005)
    assert only.significant
    assert "loss" in only.summary


def test_a_change_within_the_measurements_error_is_none():
    (only,) = found(t_score(2020, -1.5), t_score(2024, -1.7))
    assert only.significant is False
    assert "No change" in only.summary


def test_a_centres_own_precision_decides():
    (only,) = found(t_score(2020, -1.5), t_score(2024, -1.7), total_hip=2.0)
    assert only.significant is True


def test_a_density_is_judged_as_a_share_of_the_first():
    (only,) = found(density(2020, 1.0), density(2021, 0.947))
    assert (only.unit, only.least_significant_change, only.significant) == ("g/cm2", 0.053, True)
    (only,) = found(density(2020, 1.0), density(2021, 1.052))
    assert only.significant is False


def test_a_spine_t_score_has_no_least_significant_change():
    """Its reference is each maker's own: nobody can say what share of the density a standard deviation is."""
    (only,) = found(t_score(2020, -1.0, "lumbar_spine"), t_score(2024, -2.0, "lumbar_spine"))
    assert only.significant is only.least_significant_change is None
    assert "g/cm2" in only.summary


def test_what_cannot_be_compared_is_not():
    assert found(t_score(2020, -1.0)) == []
    assert found(t_score(2020, -1.0), t_score(2022, -2.0, "femoral_neck")) == []
    assert found(t_score(2020, -1.0, method="ultrasound"), t_score(2022, -2.0, method="ultrasound")) == []
    assert found(density(2020, 1.0), density(2022, 0.9, device="ge_lunar")) == []


def test_two_measurements_of_one_day_have_no_slope():
    (only,) = found(t_score(2020, -1.0), t_score(2020, -1.2))
    assert only.per_year is None


def test_an_undated_t_score_is_shown_and_makes_no_trend():
    undated = Entry(
        date=dt.date(2024, 1, 1), dated=False, kind="t_score", site="total_hip", value=-2.5, method="dxa",
        source="assessment", source_id=ID,
    )  # fmt: skip
    assert trends([*timeline([], [t_score(2020, -1.0)]), undated], {}) == []


def test_a_fracture_stands_in_the_timeline():
    broken = FractureSuffered(kind="fracture", date=dt.date(2023, 5, 1), site="wrist", low_trauma=True)
    only, two = timeline([], [t_score(2024, -1.0), Measurement(ID, broken)])
    assert (only.kind, only.site, only.low_trauma) == ("fracture", "wrist", True)
    assert two.kind == "t_score"
