"""Signs, units and spines in doubt: warned of, shown, never dropped."""

from typing import Any

import pytest

from shared.clinic.plausibility import implausible
from tests.unit.shared.clinic.readings import read


def warned(**fields: Any) -> set[tuple[str, str]]:
    reading = read(menopausal_status="postmenopausal", **fields)
    found = {(warning.field, warning.type) for warning in implausible(reading)}
    return found - {("t_scores", "undated"), ("z_scores", "undated")}


def t(value: float, site: str = "femoral_neck") -> dict[str, Any]:
    return {"site": site, "value": value}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"age": 78, "weight_kg": 50, "t_scores": [t(2.5)]}, "sign_slip"),
        ({"age": 78, "t_scores": [t(2.5)]}, "sign_slip"),
        ({"age": 67, "weight_kg": 70, "t_scores": [t(1.0)], "z_scores": [t(-0.6)]}, "sign_slip"),
        ({"age": 67, "weight_kg": 70, "t_scores": [t(2.4), t(-2.2, "total_hip")]}, "sign_slip"),
        ({"age": 67, "weight_kg": 70, "t_scores": [t(-1.8), t(1.9, "lumbar_spine")]}, "degenerative_change"),
    ],
)
def test_a_sign_in_doubt_is_told(fields: dict[str, Any], kind: str) -> None:
    assert ("t_scores", kind) in warned(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"age": 67, "weight_kg": 70, "t_scores": [t(-2.6), t(-2.2, "total_hip")]},
        {"age": 67, "weight_kg": 70, "t_scores": [t(0.8)], "z_scores": [t(2.0)]},
        {"age": 45, "weight_kg": 110, "t_scores": [t(2.0), t(1.8, "total_hip")]},
        {"age": 66, "weight_kg": 80, "t_scores": [t(-0.5), t(1.2, "lumbar_spine")]},
        {"age": 30, "weight_kg": 60, "t_scores": [t(3.4)]},
    ],
)
def test_an_ordinary_score_is_not_doubted(fields: dict[str, Any]) -> None:
    assert warned(**fields) - {("age", "out_of_scope"), ("menopausal_status", "implausible_value")} == set()


def test_a_doubtful_score_is_kept_and_lowers_nothing() -> None:
    found = read(age=78, weight_kg=50, t_scores=[t(2.5)])
    assert found.lowest_t == 2.5
    assert found.density_in_doubt
    assert not read(age=78, weight_kg=50, t_scores=[t(2.5), t(-2.8, "total_hip")]).density_in_doubt


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"weight_kg": 143, "height_cm": 160}, ("weight_kg", "wrong_unit")),
        ({"age": 70, "weight_kg": 122, "height_cm": 160}, ("weight_kg", "wrong_unit")),
        ({"age": 50, "weight_kg": 100, "height_cm": 160}, None),
        ({"weight_kg": 60, "height_cm": 63}, ("height_cm", "wrong_unit")),
        ({"creatinine_umol_per_l": 12}, ("creatinine_umol_per_l", "implausible_value")),
        ({"vitamin_d_25oh_nmol_per_l": 700}, ("vitamin_d_25oh_nmol_per_l", "implausible_value")),
    ],
)
def test_units(fields: dict[str, Any], warning: tuple[str, str] | None) -> None:
    assert (warning in warned(**fields)) if warning else not warned(**fields)
