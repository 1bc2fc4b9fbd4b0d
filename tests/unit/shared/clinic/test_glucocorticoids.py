"""Glucocorticoids: one fact from dose or list, and the risk by ACR 2022 and NOGG 2024."""

from typing import Any

import pytest

from shared.clinic.plausibility import implausible
from tests.unit.shared.clinic.readings import read


@pytest.mark.parametrize(
    ("fields", "taken", "contradiction"),
    [
        ({}, None, False),
        ({"medications": []}, False, False),
        ({"medications": ["ssri"]}, None, False),
        ({"medications": ["glucocorticoids"]}, True, False),
        ({"glucocorticoid_mg_per_day": 5}, True, False),
        ({"glucocorticoid_mg_per_day": 5, "medications": ["ssri"]}, True, False),
        ({"glucocorticoid_mg_per_day": 5, "medications": []}, True, True),
        ({"glucocorticoid_mg_per_day": 5, "medications_excluded": ["glucocorticoids"]}, True, True),
        ({"glucocorticoid_mg_per_day": 0, "medications": ["glucocorticoids"]}, True, True),
        ({"glucocorticoid_mg_per_day": 0}, False, False),
        ({"glucocorticoid_mg_per_day": 0, "medications": []}, False, False),
    ],
)
def test_dose_and_list_are_one_fact(fields: dict[str, Any], taken: bool | None, contradiction: bool) -> None:
    found = read(**fields)
    assert (found.glucocorticoids.taken, found.glucocorticoids.contradiction) == (taken, contradiction)
    warned = {warning.field for warning in implausible(found) if warning.type == "contradiction"}
    assert warned == ({"medications", "glucocorticoid_mg_per_day"} if contradiction else set())


@pytest.mark.parametrize(
    ("mg", "months", "long_term", "nogg"),
    [
        (2.5, 3, False, False), (2.5, 3.1, True, False), (2.4, 12, False, False), (7.5, 3, False, True),
        (7.5, None, None, None), (None, 12, None, None), (None, 2, False, False), (5, None, None, False),
    ],
)  # fmt: skip
def test_for_how_long_and_how_much(
    mg: float | None, months: float | None, long_term: bool | None, nogg: bool | None
) -> None:
    found = read(medications=["glucocorticoids"], glucocorticoid_mg_per_day=mg, glucocorticoid_months=months)
    assert found.glucocorticoids.long_term is long_term
    assert found.glucocorticoids.nogg_very_high is nogg


def at(mg: float, months: float, age: float = 60, **fields: Any) -> str | None:
    return read(age=age, gender="male", glucocorticoid_mg_per_day=mg, glucocorticoid_months=months, **fields).acr_risk


def t(value: float) -> list[dict[str, Any]]:
    return [{"site": "total_hip", "value": value}]


@pytest.mark.parametrize(
    ("fields", "risk"),
    [
        ({"prior_fractures": [{"site": "rib", "low_trauma": True}]}, "very_high"),
        ({"t_scores": t(-3.5)}, "very_high"), ({"t_scores": t(-3.4)}, "high"), ({"t_scores": t(-2.5)}, "high"),
        ({"t_scores": t(-2.4)}, "moderate"), ({"t_scores": t(-1.0)}, "moderate"), ({"t_scores": t(-0.9)}, "low"),
        ({"frax_major": 30}, "very_high"), ({"frax_hip": 4.5}, "very_high"), ({"frax_major": 20}, "high"),
        ({"frax_hip": 3}, "high"), ({"frax_major": 10}, "moderate"), ({"frax_hip": 1.1}, "moderate"),
        ({"frax_major": 9.9, "frax_hip": 1.0}, "low"), ({}, None),
    ],
)  # fmt: skip
def test_the_levels_of_acr_from_40(fields: dict[str, Any], risk: str | None) -> None:
    assert at(5, 6, **fields) == risk


def test_above_7_5_mg_frax_is_raised() -> None:
    assert (at(10, 6, frax_major=17.4), at(7.5, 6, frax_major=17.4)) == ("high", "moderate")
    assert (at(10, 6, frax_hip=2.5), at(7.5, 6, frax_hip=2.5)) == ("high", "moderate")


def test_under_40_the_z_score_and_the_dose_decide_and_frax_never_does() -> None:
    z = [{"site": "total_hip", "value": -3.1}]
    assert at(7.5, 6, 35, z_scores=z) == "moderate"
    assert at(7.4, 6, 35, z_scores=z) == "low"
    assert at(7.5, 6, 35, z_scores=[{"site": "total_hip", "value": -3.0}]) == "low"
    assert at(7.5, 6, 35, frax_major=40) is None
    assert at(30, 1.1, 35) == "very_high"
    assert at(5, 6, 35, prior_fractures=[{"site": "vertebra", "low_trauma": True, "age": 34}]) == "very_high"


def test_short_or_small_has_no_level() -> None:
    assert at(5, 3, t_scores=t(-3.6)) is None
    assert at(2, 60, t_scores=t(-3.6)) is None
