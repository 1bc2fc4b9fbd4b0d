"""Impossible values are refused with the field; unlikely ones are accepted and pointed out."""

import pytest
from pydantic import ValidationError

from shared.clinic.plausibility import implausible
from shared.contracts.record import ClinicalRecord
from tests.unit.shared.clinic.readings import read


def warned(**fields: object) -> set[tuple[str, str]]:
    return {(warning.field, warning.type) for warning in implausible(read(**fields))}


def test_an_ordinary_record_raises_nothing() -> None:
    assert warned(weight_kg=60, height_cm=160, menopausal_status="postmenopausal", menopause_age=50) == set()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"weight_kg": 31, "height_cm": 161}, ("weight_kg", "implausible_value")),  # BMI 12
        ({"age": 104}, ("age", "implausible_value")),
        ({"gender": "male", "menopausal_status": "postmenopausal"}, ("menopausal_status", "contradiction")),
        ({"gender": "male", "pregnant": True}, ("pregnant", "contradiction")),
        ({"pregnant": True}, ("pregnant", "contradiction")),
        ({"menopausal_status": "premenopausal"}, ("menopausal_status", "implausible_value")),
        ({"height_cm": 90}, ("height_cm", "implausible_value")),
        ({"t_scores": [{"site": "total_hip", "value": -8}]}, ("t_scores", "implausible_value")),
        (
            {"medical_conditions": ["copd"], "medical_conditions_excluded": ["copd"]},
            ("medical_conditions", "contradiction"),
        ),
        ({"prior_fractures": [{"site": "hip"}]}, ("prior_fractures", "check")),
        ({"age": 12}, ("age", "out_of_scope")),
    ],
)
def test_unlikely_values_are_pointed_out(fields: dict[str, object], expected: tuple[str, str]) -> None:
    assert expected in warned(**fields)


def test_a_man_who_is_not_pregnant_is_no_contradiction() -> None:
    assert warned(gender="male", pregnant=False) == set()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"age": -1}, "age"),
        ({"age": 121}, "age"),
        ({"age": "67"}, "age"),
        ({"weight_kg": 0}, "weight_kg"),
        ({"gender": "f"}, "gender"),
        ({"smoking": True}, "smoking"),
        ({"menopause_age": 68}, "menopause_age"),
        ({"prior_fractures": [{"site": "wrist", "age": 70}]}, "prior_fractures"),
        ({"prior_fractures": "no"}, "prior_fractures"),
        ({"frax_hip": 101}, "frax_hip"),
        ({"wieght_kg": 60}, "wieght_kg"),
    ],
)
def test_impossible_values_name_their_field(fields: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ClinicalRecord.model_validate({"age": 67, "gender": "female", **fields})
    assert field in {error["loc"][0] for error in caught.value.errors()}


def test_a_weight_that_may_be_in_pounds_lets_no_drug_past_a_kidney_limit() -> None:
    slipped = read(age=70, weight_kg=150, height_cm=165, creatinine_umol_per_l=130)
    in_kg = read(age=70, weight_kg=150 / 2.2046, height_cm=165, creatinine_umol_per_l=130)
    assert slipped.body_in_doubt
    assert not in_kg.body_in_doubt
    assert slipped.creatinine_clearance == pytest.approx(in_kg.creatinine_clearance)


def test_a_score_in_doubt_makes_nobody_normal() -> None:
    alone = read(age=78, weight_kg=50, t_scores=[{"site": "femoral_neck", "value": 2.5}])
    beside_a_low_one = read(
        age=70, weight_kg=70,
        t_scores=[{"site": "femoral_neck", "value": 2.4}, {"site": "total_hip", "value": -2.3}],
    )  # fmt: skip
    assert alone.doubtful_scores
    assert alone.density_class is None
    assert beside_a_low_one.doubtful_scores
    assert beside_a_low_one.density_class == "low_bone_mass"
