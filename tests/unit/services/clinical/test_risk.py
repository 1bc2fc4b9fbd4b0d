"""The shipped bone-density model: monotonic, additive, complete from two fields on, and overridden by measurement."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.clinical.encoding import COLUMN_NAMES
from services.clinical.finding import find
from services.clinical.risk import BoneDensityModel
from shared.contracts.findings import ClinicalFinding
from shared.contracts.record import ClinicalRecord

FULL = {
    "menopausal_status": "postmenopausal", "menopause_age": 47, "family_history": True, "parent_hip_fracture": False,
    "ethnicity": "asian", "weight_kg": 52, "height_cm": 156, "calcium_mg_per_day": 600, "vitamin_d_iu_per_day": 200,
    "physical_activity": "sedentary", "smoking": "current", "alcohol_units_per_day": 1,
    "medical_conditions": ["rheumatoid_arthritis", "diabetes_type_2"], "medications": ["glucocorticoids"],
    "prior_fractures": [{"site": "wrist", "low_trauma": True}], "oestrogen_use": False, "oestrogen_ever": True,
    "egfr_ml_per_min": 70,
}  # fmt: skip
OPTIONAL = st.fixed_dictionaries(
    {},
    optional={
        "weight_kg": st.floats(25, 200),
        "height_cm": st.floats(130, 210),
        "menopausal_status": st.sampled_from(["premenopausal", "perimenopausal", "postmenopausal"]),
        "menopause_age": st.floats(30, 40),
        "family_history": st.booleans(),
        "parent_hip_fracture": st.booleans(),
        "smoking": st.sampled_from(["never", "former", "current"]),
        "alcohol_units_per_day": st.floats(0, 30),
        "physical_activity": st.sampled_from(["sedentary", "active"]),
        "medical_conditions": st.lists(
            st.sampled_from(["diabetes_type_2", "copd", "rheumatoid_arthritis", "dialysis"])
        ),
        "medications": st.lists(st.sampled_from(["glucocorticoids", "hormone_therapy", "nsaids"])),
        "prior_fractures": st.one_of(st.booleans(), st.just([]), st.just([{"site": "hip"}, {"site": "ankle"}])),
        "oestrogen_use": st.booleans(),
        "oestrogen_ever": st.booleans(),
    },
)
GENDER = st.sampled_from(["female", "male"])


def finding(model: BoneDensityModel, age: float = 67, gender: str = "female", **more: object) -> ClinicalFinding:
    return find([ClinicalRecord.model_validate({"age": age, "gender": gender, **more})], model)[0]


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_two_fields_are_enough_and_all_of_them_are_not_too_many(model: BoneDensityModel) -> None:
    short, full = finding(model), finding(model, **FULL)
    for answer in (short, full):
        assert answer.probability is not None
        assert answer.low_bone_mass_probability is not None
        assert 0 < answer.probability < answer.low_bone_mass_probability < 1
        assert answer.category is not None
        assert answer.decided_by in ("model", "fracture")
    assert short.most_informative_missing[0].field == "weight_kg"
    assert {c.field for c in short.contributions} == {"age", "gender"}


@pytest.mark.parametrize("age", [0, 18, 39.9])
def test_below_40_there_is_no_probability_and_a_reason(model: BoneDensityModel, age: float) -> None:
    answer = finding(model, age, "male", weight_kg=70)
    assert answer.probability is None
    assert answer.category is None
    assert "below 40" in (answer.reason or "")
    assert finding(model, 40, "male").probability is not None


def test_ages_count_as_80_from_80_on(model: BoneDensityModel) -> None:
    assert finding(model, 80).probability == finding(model, 97).probability
    assert any(w.type == "clipped" for w in finding(model, 97).warnings)


@settings(max_examples=60, deadline=None)
@given(gender=GENDER, age=st.floats(40, 95), older=st.floats(0, 20), more=OPTIONAL)
def test_never_falls_with_age(model: BoneDensityModel, gender: str, age: float, older: float, more: dict) -> None:
    young, old = finding(model, age, gender, **more), finding(model, age + older, gender, **more)
    assert old.probability >= young.probability - 1e-7
    assert old.low_bone_mass_probability >= young.low_bone_mass_probability - 1e-7


@settings(max_examples=60, deadline=None)
@given(gender=GENDER, age=st.floats(40, 95), weight=st.floats(25, 180), gain=st.floats(0, 60), more=OPTIONAL)
def test_never_rises_with_weight(
    model: BoneDensityModel, gender: str, age: float, weight: float, gain: float, more: dict
) -> None:
    light = finding(model, age, gender, **{**more, "weight_kg": weight})
    heavy = finding(model, age, gender, **{**more, "weight_kg": weight + gain})
    body = {"weight_kg", "height_cm"}
    assume(not any(w.field in body and w.type in ("wrong_unit", "implausible_value") for w in heavy.warnings))
    assert heavy.probability <= light.probability + 1e-7
    assert heavy.low_bone_mass_probability <= light.low_bone_mass_probability + 1e-7


@settings(max_examples=60, deadline=None)
@given(gender=GENDER, age=st.floats(40, 100), more=OPTIONAL)
def test_contributions_add_up_to_the_answer(model: BoneDensityModel, gender: str, age: float, more: dict) -> None:
    answer = finding(model, age, gender, **more)
    total = answer.reference_log_odds + sum(c.effect for c in answer.contributions)
    assert total == pytest.approx(logit(answer.probability), abs=1e-4)


HARMFUL = {
    "family_history": True, "prior_fractures": True, "smoking": "current", "medications": ["glucocorticoids"],
    "medical_conditions": ["chronic_kidney_disease"], "menopausal_status": "postmenopausal", "oestrogen_use": False,
}  # fmt: skip
HARMLESS = {
    "family_history": False, "prior_fractures": False, "smoking": "never", "oestrogen_use": True,
    "menopausal_status": "premenopausal", "physical_activity": "active",
}  # fmt: skip


@pytest.mark.parametrize("gender", ["female", "male"])
def test_learning_of_a_risk_never_lowers_and_of_its_absence_never_raises(model: BoneDensityModel, gender: str) -> None:
    known = {"menopausal_status", "oestrogen_use"} if gender == "male" else set()
    unknown = finding(model, 62, gender).probability
    for field, value in HARMFUL.items():
        if field not in known:
            assert finding(model, 62, gender, **{field: value}).probability >= unknown, field
    for field, value in HARMLESS.items():
        if field not in known:
            assert finding(model, 62, gender, **{field: value}).probability <= unknown, field


def test_what_is_for_women_only_does_not_move_a_man(model: BoneDensityModel) -> None:
    plain = finding(model, 62, "male").probability
    answer = finding(model, 62, "male", menopausal_status="postmenopausal", oestrogen_use=True)
    assert answer.probability == plain
    assert any(w.field == "menopausal_status" for w in answer.warnings)


def test_ethnicity_is_no_input(model: BoneDensityModel) -> None:
    assert len({finding(model, ethnicity=e).probability for e in ("asian", "black", "hispanic", "white")}) == 1
    assert not any("ethnic" in name for name in COLUMN_NAMES)
    assert model.parameters.columns == list(COLUMN_NAMES)


def test_a_batch_answers_as_one_by_one(model: BoneDensityModel) -> None:
    records = [
        ClinicalRecord.model_validate(
            {"age": 30 + i % 60, "gender": "female" if i % 2 else "male", "weight_kg": 50 + i % 50}
        )
        for i in range(1100)
    ]
    together = find(records, model)
    for index in (0, 499, 500, 1099):
        alone = find([records[index]], model)[0]
        assert together[index].category == alone.category
        assert together[index].probability == pytest.approx(alone.probability)


def test_dxa_overrides_the_estimate_and_says_so(model: BoneDensityModel) -> None:
    t = {"t_scores": [{"site": "total_hip", "value": -2.7}]}
    severe = finding(model, **t, prior_fractures=[{"site": "wrist", "low_trauma": True}])
    assert severe.category == "high"
    assert severe.decided_by == "dxa"
    assert "severe osteoporosis (WHO), by DXA".lower() in severe.conclusion.lower()
    assert "overridden" in severe.conclusion
    normal = finding(model, 85, weight_kg=42, t_scores=[{"site": "total_hip", "value": 0.5}])
    assert normal.probability > model.parameters.cut_offs["female"].high_from
    assert (normal.category, normal.decided_by) == ("low", "dxa")


def test_fractures_and_frax_decide_where_they_should(model: BoneDensityModel) -> None:
    osteopenia = {"t_scores": [{"site": "femoral_neck", "value": -1.8}]}
    assert finding(model, **osteopenia).category == "moderate"
    assert finding(model, **osteopenia, frax_hip=3.0, frax_country="us").decided_by == "frax"
    assert finding(model, **osteopenia, frax_hip=2.9, frax_major=19.9, frax_country="us").category == "moderate"
    assert finding(model, **osteopenia, frax_hip=3.0).category == "moderate"  # no country, no sourced line
    assert finding(model, **osteopenia, frax_hip=3.5, frax_country="uk").category == "high"
    assert finding(model, **osteopenia, frax_hip=3.0, frax_country="uk").category == "moderate"
    normal = {"t_scores": [{"site": "femoral_neck", "value": 0.0}]}
    assert finding(model, **normal, prior_fractures=[{"site": "hip", "low_trauma": True}]).decided_by == "fracture"
    assert finding(model, **normal, prior_fractures=[{"site": "rib", "low_trauma": True}]).category == "moderate"
    assert finding(model, prior_fractures=[{"site": "vertebra"}]).category == "high"


def test_categories_follow_the_stated_cut_offs(model: BoneDensityModel) -> None:
    cut_offs = model.parameters.cut_offs["female"]
    assert 0 < cut_offs.low_below < cut_offs.high_from < 1
    assert cut_offs.category(np.nextafter(cut_offs.low_below, 0)) == "low"
    assert cut_offs.category(cut_offs.low_below) == "moderate"
    assert cut_offs.category(cut_offs.high_from) == "high"


@pytest.mark.parametrize(
    ("record", "field", "value"),
    [
        ({"family_history": True}, "family_history", True),
        ({"parent_hip_fracture": True}, "parent_hip_fracture", True),
        ({"family_history": False, "parent_hip_fracture": True}, "parent_hip_fracture", True),
        ({"family_history": False, "parent_hip_fracture": False}, "family_history", False),
        ({"medical_conditions": ["dialysis", "copd"]}, "medical_conditions", "dialysis"),
        ({"medical_conditions": []}, "medical_conditions", "none of those the model uses"),
        ({"medications": ["glucocorticoids"]}, "medications", "glucocorticoids"),
        ({"glucocorticoid_mg_per_day": 5}, "glucocorticoid_mg_per_day", 5),
        ({"medications": ["hormone_therapy"]}, "oestrogen_use", "hormone_therapy"),
        ({"prior_fractures": [{"site": "hip"}, {"site": "ankle"}]}, "prior_fractures", "ankle, hip"),
        ({"prior_fractures": True}, "prior_fractures", True),
        ({"menopause_age": 48}, "menopausal_status", "postmenopausal"),
        ({"smoking": "former"}, "smoking", "former"),
    ],
)
def test_contributions_speak_the_records_own_terms(
    model: BoneDensityModel, record: dict, field: str, value: object
) -> None:
    answer = finding(model, **record)
    shown = {item.field: item for item in answer.contributions}
    assert shown[field].value == value
    assert shown[field].summary
    assert field not in {item.field for item in answer.most_informative_missing} or field.startswith("medic")


def test_what_is_missing_is_ranked_and_its_range_holds_the_estimate(model: BoneDensityModel) -> None:
    answer = finding(model, 62, "male", height_cm=175)
    effects = [item.effect for item in answer.most_informative_missing]
    assert effects == sorted(effects, reverse=True)
    assert answer.most_informative_missing[0].field == "weight_kg"
    for item in answer.most_informative_missing:
        assert item.lowest_probability <= answer.probability <= item.highest_probability
        assert item.field not in ("height_cm", "menopausal_status", "oestrogen_use", "menopause_age")


def test_a_weight_that_may_be_in_pounds_lowers_no_estimate(model: BoneDensityModel) -> None:
    slipped, unknown = finding(model, 70, weight_kg=150, height_cm=165), finding(model, 70)
    assert slipped.probability == unknown.probability
    assert not {contribution.field for contribution in slipped.contributions} & {"weight_kg", "height_cm"}
    assert not slipped.scores.ost.applicable


def test_a_very_low_weight_is_not_thrown_away(model: BoneDensityModel) -> None:
    assert finding(model, 70, weight_kg=34, height_cm=165).probability > finding(model, 70).probability


@pytest.mark.parametrize(
    ("more", "told"),
    [({"pregnant": True}, "premenopausal"), ({"breastfeeding": True}, "premenopausal"),
     ({"menopause_age": 41}, "postmenopausal"), ({"gonadectomy": True}, "postmenopausal")],
)  # fmt: skip
def test_the_menopause_is_told_as_it_was_read(model: BoneDensityModel, more: dict[str, object], told: str) -> None:
    values = {contribution.field: contribution.value for contribution in finding(model, 44, **more).contributions}
    assert values["menopausal_status"] == told
