"""Kidney function, WHO class, fractures and lists: what one reading of a record makes of it."""

from typing import Any

import pytest

from shared.clinic import fractures, kidney
from shared.clinic.history import has, hypocalcaemia
from shared.contracts.record import ClinicalRecord
from tests.unit.shared.clinic.readings import read


def dxa(value: float, site: str = "femoral_neck", **more: Any) -> list[dict[str, Any]]:
    return [{"site": site, "value": value, **more}]


def record(**fields: Any) -> ClinicalRecord:
    return ClinicalRecord.model_validate({"age": 70.0, "gender": "female", **fields})


@pytest.mark.parametrize(
    ("female", "age", "weight", "creatinine_mg_dl", "clearance", "egfr"),
    [
        (True, 70, 60, 1.0, 49.6, 60.6),
        (True, 80, 50, 1.2, 29.5, 45.8),
        (False, 65, 70, 1.5, 48.6, 51.3),
        (True, 75, 55, 0.6, 70.3, 93.5),
    ],
)
def test_kidney_formulas_give_the_published_vectors(
    female: bool, age: float, weight: float, creatinine_mg_dl: float, clearance: float, egfr: float
) -> None:
    creatinine = creatinine_mg_dl * 88.4
    assert kidney.creatinine_clearance(age, weight, creatinine, female) == pytest.approx(clearance, abs=0.1)
    assert kidney.estimated_gfr(age, creatinine, female) == pytest.approx(egfr, abs=0.1)


def test_the_two_kidney_measures_can_disagree() -> None:
    light = read(age=80.0, weight_kg=50.0, creatinine_umol_per_l=106.08)
    assert light.creatinine_clearance is not None
    assert light.egfr is not None
    assert kidney.measures_disagree(light.creatinine_clearance, light.egfr)
    assert not kidney.measures_disagree(60, 70)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-0.99, "normal"),
        (-1.0, "normal"),
        (-1.01, "low_bone_mass"),
        (-2.49, "low_bone_mass"),
        (-2.5, "osteoporosis"),
        (-3.6, "osteoporosis"),
    ],
)
def test_who_class_at_its_boundaries(value: float, expected: str) -> None:
    assert read(t_scores=dxa(value)).who_class == expected


def test_who_class_is_severe_with_a_fracture_and_takes_the_lowest_of_the_allowed_sites() -> None:
    scores = [*dxa(-1.2), *dxa(-2.6, "lumbar_spine"), *dxa(-4.0, "wards_triangle"), *dxa(-5.0, method="ultrasound")]
    found = read(t_scores=scores, prior_fractures=[{"site": "wrist", "low_trauma": True}])
    assert (found.who_class, found.lowest_t) == ("severe_osteoporosis", -2.6)


@pytest.mark.parametrize(
    "scores", [dxa(-3.0, "calcaneus"), dxa(-3.0, method="ultrasound"), dxa(-3.0, "trochanter"), []]
)
def test_other_sites_and_methods_give_no_class(scores: list[dict[str, Any]]) -> None:
    assert read(t_scores=scores).who_class is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"age": 45.0, "gender": "male", "z_scores": dxa(-2.0)}, "below_expected_for_age"),
        ({"age": 45.0, "gender": "male", "z_scores": dxa(-1.9), "t_scores": dxa(-3.0)}, None),
        ({"age": 45.0, "menopausal_status": "premenopausal", "t_scores": dxa(-3.0)}, None),
        ({"age": 45.0, "t_scores": dxa(-3.0)}, None),
        ({"age": 45.0, "menopausal_status": "perimenopausal", "t_scores": dxa(-3.0)}, "osteoporosis"),
        ({"age": 52.0, "t_scores": dxa(-3.0)}, "osteoporosis"),
        ({"age": 50.0, "gender": "male", "t_scores": dxa(-2.5)}, "osteoporosis"),
    ],
)
def test_below_the_menopause_and_in_young_men_only_the_z_score_counts(fields: dict[str, Any], expected: str) -> None:
    assert read(**fields).who_class == expected


HIP = {"site": "hip", "low_trauma": True}


@pytest.mark.parametrize(
    ("prior", "expected"),
    [
        (None, None),
        (True, None),
        (False, False),
        ([], False),
        ([HIP], True),
        ([{"site": "hip"}], None),
        ([{"site": "hip", "low_trauma": False}], None),
        ([{"site": "wrist", "low_trauma": True}], None),
        ([{"site": "hip", "low_trauma": True, "age": 9.0}], None),
    ],
)
def test_a_hip_fracture_is_denied_only_by_no_fractures(prior: Any, expected: bool | None) -> None:
    assert fractures.low_trauma_at(record(prior_fractures=prior), "hip") is expected


def test_several_fractures_need_two_on_the_record() -> None:
    assert fractures.several_low_trauma(record(prior_fractures=[HIP, {"site": "wrist", "low_trauma": True}])) is True
    assert fractures.several_low_trauma(record(prior_fractures=[HIP])) is None
    assert fractures.several_low_trauma(record(prior_fractures=False)) is False


def test_months_since_a_fracture_by_date_or_at_most_by_age() -> None:
    assert fractures.months_since_latest(record(prior_fractures=[{**HIP, "months_ago": 5.0}])) == 5
    assert fractures.months_since_latest(record(prior_fractures=[{**HIP, "age": 69.0}])) == 24
    assert fractures.months_since_latest(record(prior_fractures=[HIP])) is None


def test_a_list_that_names_one_condition_says_nothing_of_the_others() -> None:
    assert has(record(), "stroke") is None
    assert has(record(medical_conditions=[]), "stroke") is False
    assert has(record(medical_conditions=["copd"]), "stroke") is None
    assert has(record(medical_conditions=["copd"], medical_conditions_excluded=["stroke"]), "stroke") is False
    assert has(record(medical_conditions=["stroke"], medical_conditions_excluded=["stroke"]), "stroke") is True


def test_calcium_needs_a_measurement_before_it_is_called_normal() -> None:
    assert hypocalcaemia(record(medical_conditions=[])) is None
    assert hypocalcaemia(record(serum_calcium_mmol_per_l=2.3)) is False
    assert hypocalcaemia(record(serum_calcium_mmol_per_l=2.19)) is True
    assert hypocalcaemia(record(medical_conditions=["hypocalcaemia"], serum_calcium_mmol_per_l=2.3)) is True


def test_pregnancy_is_settled_by_age_from_sixty_and_never_by_an_assumed_menopause() -> None:
    assert read(age=45.0).pregnant is None
    assert read(age=55.0).pregnant is None
    assert read(age=60.0).pregnant is False
    assert read(age=40.0, gender="male").pregnant is False
    assert read(age=61.0, pregnant=True).pregnant is True
    assert read(age=55.0, menopause_age=50.0).pregnant is False
