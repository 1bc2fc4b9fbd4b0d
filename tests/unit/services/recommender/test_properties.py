"""What must hold for every record, whoever the patient is."""

from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.recommender import recommend
from services.recommender.rule_evaluation import RuleEvaluation
from shared.contracts.recommendation import RecommendationRequest, RecommendationSet
from shared.contracts.record import BoneSite, ClinicalRecord, DensityMethod, FractureSite, MedicalCondition, Medication
from tests.unit.services.recommender.cases import RULES, case, drugs, image, stage

maybe = st.none() | st.booleans()


def numbers(low: float, high: float) -> st.SearchStrategy[float | None]:
    return st.none() | st.floats(low, high).map(lambda value: round(value, 1))


def some_of(vocabulary: Any) -> st.SearchStrategy[list[str] | None]:
    return st.none() | st.just([]) | st.lists(st.sampled_from(get_args(vocabulary)), max_size=3, unique=True)


fracture = st.fixed_dictionaries(
    {"site": st.sampled_from(get_args(FractureSite)), "low_trauma": maybe, "months_ago": numbers(0, 60)}
)
score = st.fixed_dictionaries(
    {
        "site": st.sampled_from(get_args(BoneSite)),
        "value": st.floats(-5, 2).map(lambda value: round(value, 1)),
        "method": st.sampled_from(get_args(DensityMethod)),
    }
)


def possible(record: dict[str, Any]) -> dict[str, Any]:
    """A record cannot tell of a menopause that lies ahead."""
    if (record["menopause_age"] or 0) > record["age"]:
        return {**record, "menopause_age": None}
    return record


records = st.fixed_dictionaries(
    {
        "age": st.floats(5, 99).map(round).map(float),
        "gender": st.sampled_from(["female", "male"]),
        "menopausal_status": st.sampled_from([None, "premenopausal", "perimenopausal", "postmenopausal"]),
        "menopause_age": numbers(38, 58),
        "weight_kg": numbers(35, 120),
        "medical_conditions": some_of(MedicalCondition),
        "medical_conditions_excluded": some_of(MedicalCondition),
        "medications": some_of(Medication),
        "medications_excluded": some_of(Medication),
        "prior_fractures": maybe | st.lists(fracture, max_size=3),
        "oestrogen_use": maybe,
        "pregnant": maybe,
        "egfr_ml_per_min": numbers(5, 120),
        "creatinine_umol_per_l": numbers(30, 400),
        "serum_calcium_mmol_per_l": numbers(1.8, 3.0),
        "vitamin_d_25oh_nmol_per_l": numbers(10, 120),
        "months_since_cardiovascular_event": st.none() | numbers(0, 300),
        "falls_past_year": st.none() | st.integers(0, 4),
        "glucocorticoid_mg_per_day": numbers(0, 40),
        "glucocorticoid_months": numbers(0, 24),
        "thigh_or_groin_pain": maybe,
        "t_scores": st.none() | st.lists(score, max_size=3),
        "frax_major": numbers(0, 50),
        "frax_hip": numbers(0, 15),
        "frax_country": st.sampled_from([None, "us", "uk", "india"]),
    }
).map(possible)
often = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def answered(record: dict[str, Any]) -> RecommendationSet:
    return recommend(RecommendationRequest(record=ClinicalRecord.model_validate(record)), RULES)


def named(found: RecommendationSet) -> set[str]:
    """The drug classes that are not blocked."""
    return {drug for drug, status in drugs(found).items() if status != "blocked"}


@often
@given(records)
def test_a_block_that_holds_blocks_and_an_open_question_is_asked(record: dict[str, Any]) -> None:
    """The limits are judged here one by one, without the code that resolves the status."""
    evaluation = RuleEvaluation.of(RULES, case({"record": record}))
    for drug_class, status in drugs(answered(record)).items():
        limits = [limit for limit in RULES.contraindications if drug_class in limit.drug_classes]
        truths = {limit.id: evaluation.evaluator.evaluate(limit.condition).truth for limit in limits}
        blocked = any(truths[limit.id] for limit in limits if limit.effect == "block")
        asked = any(truth is None for truth in truths.values()) or any(truths.values())
        assert (status == "blocked") == blocked
        assert not (status == "consider" and asked)


@often
@given(records)
def test_a_check_names_fields_of_the_record_and_the_rest_none(record: dict[str, Any]) -> None:
    for item in answered(record).items:
        if item.kind == "medication":
            assert item.checks is not None
            assert bool(item.checks) == (item.status == "check_first")
            assert set(item.checks) <= set(ClinicalRecord.model_fields)
            assert bool(item.reasons) == (item.status != "consider")
        else:
            assert item.status is item.checks is item.drug_class is None


# Of all conditions only this one is what a drug is given for: hormone therapy.
INDICATION = "premature_menopause"


@often
@given(records, st.sampled_from([name for name in get_args(MedicalCondition) if name != INDICATION]))
def test_adding_a_condition_never_adds_a_drug(record: dict[str, Any], condition: str) -> None:
    before = {**record, "medical_conditions": record["medical_conditions"] or []}
    after = {**before, "medical_conditions": [*before["medical_conditions"], condition]}
    assert named(answered(after)) <= named(answered(before))
    ready = {drug for drug, status in drugs(answered(after)).items() if status == "consider"}
    assert ready <= {drug for drug, status in drugs(answered(before)).items() if status == "consider"}


@often
@given(
    records,
    st.sampled_from(
        [
            "egfr_ml_per_min", "serum_calcium_mmol_per_l", "vitamin_d_25oh_nmol_per_l", "medical_conditions",
            "medications", "medical_conditions_excluded", "pregnant", "oestrogen_use",
        ]
    ),
)  # fmt: skip
def test_forgetting_a_field_never_makes_a_drug_ready(record: dict[str, Any], field: str) -> None:
    """Unknown is not no: what may be considered without an answer may be considered with every answer."""
    ready = {drug for drug, status in drugs(answered({**record, field: None})).items() if status == "consider"}
    if not ready or record[field] is None:
        return
    # The answer that is known may still block; but then it must not have been ready while it was unknown.
    assert ready <= named(answered(record))


@often
@given(records, st.sampled_from(["osteoporosis", "low_bone_mass", "normal"]), st.integers(0, 4))
def test_no_picture_and_no_stage_changes_a_drug(record: dict[str, Any], looks: str, grade: int) -> None:
    plain = answered(record)
    known = ClinicalRecord.model_validate(record)
    seen = recommend(RecommendationRequest(record=known, imaging=image(looks), staging=stage(grade)), RULES)
    assert drugs(seen) == drugs(plain)


@often
@given(records)
def test_children_and_pregnancy_get_no_drug(record: dict[str, Any]) -> None:
    for change in ({"age": 17.0, "menopause_age": None}, {"pregnant": True}):
        found = answered({**record, **change})
        assert drugs(found) == {}
        assert any(item.kind == "referral" for item in found.items)


@often
@given(records)
def test_a_drug_is_named_only_where_a_guideline_treats(record: dict[str, Any]) -> None:
    """Density, fracture, FRAX, an early menopause, denosumab or glucocorticoids: strip them and nothing is left."""
    bare = {
        **record,
        "t_scores": None,
        "prior_fractures": None,
        "medications": None,
        "glucocorticoid_mg_per_day": None,
        "frax_major": None,
        "frax_hip": None,
        "menopause_age": None,
        "menopausal_status": None,
        "medical_conditions": None,
    }
    assert drugs(answered(bare)) == {}
