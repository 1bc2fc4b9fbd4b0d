"""The contraindication table: what blocks a drug class, what asks for a check, and what unknown does."""
# ruff: noqa: E501 (a table is read by its rows)

from typing import Any

import pytest

from services.recommender.rule_evaluation import RuleEvaluation
from tests.unit.services.recommender.cases import CLEARED, RULES, WOMAN_72, answer_for, case, drugs, dxa

# At very high risk every class but hormone therapy is named; at 58 that is named as well.
SEVERE = {**WOMAN_72, "age": 58.0, "menopause_age": 50.0, "t_scores": dxa(-3.6)}
ALL = (
    "oral_bisphosphonate",
    "iv_bisphosphonate",
    "denosumab",
    "anabolic",
    "romosozumab",
    "raloxifene",
    "hormone_therapy",
)


def has(*conditions: str) -> dict[str, Any]:
    return {"medical_conditions": list(conditions), "medical_conditions_excluded": everything_but(*conditions)}


def takes(*medications: str) -> dict[str, Any]:
    return {"medications": list(medications), "medications_excluded": everything_but(*medications, field="medications")}


def everything_but(*named: str, field: str = "medical_conditions") -> list[str]:
    from typing import get_args

    from shared.contracts.record import MedicalCondition, Medication

    vocabulary = get_args(MedicalCondition if field == "medical_conditions" else Medication)
    return [word for word in vocabulary if word not in named]


def kidney(creatinine_mg_dl: float, weight: float, age: float = 58.0) -> dict[str, Any]:
    return {"creatinine_umol_per_l": creatinine_mg_dl * 88.4, "weight_kg": weight, "egfr_ml_per_min": None, "age": age}


# limit id -> what makes it hold, the classes it stops, and how
TABLE: list[tuple[str, dict[str, Any], str, str]] = [
    ("limit.oral_bisphosphonate.kidney", {"egfr_ml_per_min": 29.0}, "oral_bisphosphonate", "blocked"),
    ("limit.oral_bisphosphonate.kidney", kidney(1.6, 45), "oral_bisphosphonate", "blocked"),
    ("limit.oral_bisphosphonate.alendronate_kidney", kidney(1.6, 52), "oral_bisphosphonate", "check_first"),
    ("limit.oral_bisphosphonate.egfr_alone", {"egfr_ml_per_min": 44.0}, "oral_bisphosphonate iv_bisphosphonate", "check_first"),
    ("limit.iv_bisphosphonate.kidney", {"egfr_ml_per_min": 29.0}, "iv_bisphosphonate", "blocked"),
    ("limit.iv_bisphosphonate.kidney", kidney(1.6, 52), "iv_bisphosphonate", "blocked"),
    ("limit.dialysis", has("dialysis"), "oral_bisphosphonate iv_bisphosphonate anabolic raloxifene", "blocked"),
    ("limit.kidney_measures_disagree", kidney(1.2, 40, 60.0), "denosumab romosozumab", "check_first"),
    ("limit.denosumab.kidney", {"egfr_ml_per_min": 29.0}, "denosumab", "check_first"),
    ("limit.denosumab.kidney", has("dialysis"), "denosumab", "check_first"),
    ("limit.romosozumab.kidney", {"egfr_ml_per_min": 20.0}, "romosozumab", "check_first"),
    ("limit.anabolic.kidney", {"egfr_ml_per_min": 29.0}, "anabolic", "blocked"),
    ("limit.anabolic.moderate_kidney", {"egfr_ml_per_min": 59.0}, "anabolic", "check_first"),
    ("limit.raloxifene.kidney", {"egfr_ml_per_min": 29.0}, "raloxifene", "blocked"),
    ("limit.hypocalcaemia", {"serum_calcium_mmol_per_l": 2.1}, "oral_bisphosphonate iv_bisphosphonate denosumab romosozumab", "blocked"),
    ("limit.hypocalcaemia", has("hypocalcaemia"), "oral_bisphosphonate iv_bisphosphonate denosumab romosozumab", "blocked"),
    ("limit.anabolic.hypercalcaemia", {"serum_calcium_mmol_per_l": 2.7}, "anabolic", "blocked"),
    ("limit.vitamin_d_before_parenteral", {"vitamin_d_25oh_nmol_per_l": 40.0}, "iv_bisphosphonate denosumab romosozumab", "check_first"),
    ("limit.denosumab.prone_to_hypocalcaemia", has("hypoparathyroidism"), "denosumab", "check_first"),
    ("limit.denosumab.prone_to_hypocalcaemia", has("malabsorption"), "denosumab", "check_first"),
    ("limit.oral_bisphosphonate.oesophagus", has("oesophageal_stricture"), "oral_bisphosphonate", "blocked"),
    ("limit.oral_bisphosphonate.oesophagus", has("achalasia"), "oral_bisphosphonate", "blocked"),
    ("limit.oral_bisphosphonate.upright", has("cannot_sit_upright_30_min"), "oral_bisphosphonate", "blocked"),
    ("limit.oral_bisphosphonate.upper_gut", has("barretts_oesophagus"), "oral_bisphosphonate", "check_first"),
    ("limit.oral_bisphosphonate.upper_gut", has("gastro_oesophageal_reflux"), "oral_bisphosphonate", "check_first"),
    ("limit.oral_bisphosphonate.nsaids", takes("nsaids"), "oral_bisphosphonate", "check_first"),
    ("limit.clots", has("venous_thromboembolism"), "raloxifene hormone_therapy", "blocked"),
    ("limit.hormone_therapy.thrombophilia", has("thrombophilia"), "hormone_therapy", "blocked"),
    ("limit.romosozumab.cardiovascular", has("stroke"), "romosozumab", "blocked"),
    ("limit.romosozumab.cardiovascular", has("myocardial_infarction"), "romosozumab", "blocked"),
    ("limit.romosozumab.cardiovascular", {"months_since_cardiovascular_event": 240.0}, "romosozumab", "blocked"),
    ("limit.raloxifene.cardiovascular", has("coronary_heart_disease"), "raloxifene", "check_first"),
    ("limit.hormone_therapy.cardiovascular", has("stroke"), "hormone_therapy", "blocked"),
    ("limit.hormone_therapy.cardiovascular", has("uncontrolled_hypertension"), "hormone_therapy", "blocked"),
    ("limit.hormone_therapy.cancer", has("breast_cancer"), "hormone_therapy", "blocked"),
    ("limit.raloxifene.cancer", has("endometrial_cancer"), "raloxifene", "blocked"),
    ("limit.anabolic.skeleton", has("paget_disease"), "anabolic", "blocked"),
    ("limit.anabolic.skeleton", has("skeletal_radiation"), "anabolic", "blocked"),
    ("limit.anabolic.skeleton", has("raised_alkaline_phosphatase"), "anabolic", "blocked"),
    ("limit.anabolic.hyperparathyroidism", has("primary_hyperparathyroidism"), "anabolic", "blocked"),
    ("limit.anabolic.kidney_stones", has("kidney_stones"), "anabolic", "check_first"),
    ("limit.uterine_bleeding", has("undiagnosed_vaginal_bleeding"), "raloxifene hormone_therapy", "blocked"),
    ("limit.raloxifene.liver", has("chronic_liver_disease"), "raloxifene", "blocked"),
    ("limit.hormone_therapy.liver", has("chronic_liver_disease"), "hormone_therapy", "check_first"),
    ("limit.hormone_therapy.porphyria", has("porphyria"), "hormone_therapy", "blocked"),
    ("limit.hormone_therapy.caution", has("epilepsy"), "hormone_therapy", "check_first"),
    ("limit.hormone_therapy.late_start", {"menopause_age": 45.0}, "hormone_therapy", "check_first"),
    ("limit.atypical_fracture", has("atypical_femoral_fracture"), "iv_bisphosphonate denosumab", "blocked"),
    ("limit.atypical_fracture_romosozumab", has("atypical_femoral_fracture"), "romosozumab", "check_first"),
    ("limit.thigh_pain", {"thigh_or_groin_pain": True}, "oral_bisphosphonate romosozumab", "check_first"),
    ("limit.vitamin_d_very_low", {"vitamin_d_25oh_nmol_per_l": 24.0}, "oral_bisphosphonate anabolic", "check_first"),
    ("limit.vitamin_d_toxic", {"vitamin_d_25oh_nmol_per_l": 376.0}, " ".join(ALL), "blocked"),
    ("limit.hypercalcaemia", {"serum_calcium_mmol_per_l": 2.7}, "oral_bisphosphonate denosumab raloxifene", "check_first"),
    ("limit.breastfeeding", {"breastfeeding": True}, "denosumab anabolic raloxifene", "blocked"),
    ("limit.jaw", has("osteonecrosis_of_jaw"), "oral_bisphosphonate iv_bisphosphonate denosumab", "check_first"),
    ("limit.oral_bisphosphonate.in_use", takes("oral_bisphosphonate"), "oral_bisphosphonate", "check_first"),
    ("limit.iv_bisphosphonate.in_use", takes("iv_bisphosphonate"), "iv_bisphosphonate", "check_first"),
    ("limit.denosumab.in_use", takes("denosumab"), "denosumab", "check_first"),
    ("limit.anabolic.in_use", takes("teriparatide"), "anabolic", "check_first"),
    ("limit.romosozumab.in_use", takes("romosozumab"), "romosozumab", "check_first"),
    ("limit.bone_builder_after_denosumab", takes("denosumab"), "anabolic romosozumab", "check_first"),
    ("limit.raloxifene.oestrogen", {"oestrogen_use": True}, "raloxifene", "blocked"),
    ("limit.raloxifene.oestrogen", takes("hormone_therapy"), "raloxifene", "blocked"),
    ("limit.raloxifene.in_use", takes("raloxifene"), "raloxifene", "check_first"),
    ("limit.hormone_therapy.in_use", takes("hormone_therapy"), "hormone_therapy", "check_first"),
    ("limit.hormone_therapy.in_use", takes("raloxifene"), "hormone_therapy", "check_first"),
]  # fmt: skip


def holds(limit_id: str, record: dict[str, Any]) -> bool | None:
    limit = next(limit for limit in RULES.contraindications if limit.id == limit_id)
    return RuleEvaluation.of(RULES, case({"record": record})).evaluator.evaluate(limit.condition).truth


def test_with_everything_cleared_every_class_may_be_considered() -> None:
    assert drugs(answer_for(**SEVERE)) == dict.fromkeys(ALL, "consider")


def test_every_limit_stands_in_the_table() -> None:
    # Nobody who is pregnant or has cancer in bone is named a drug at all, and nobody in the table is premenopausal.
    apart = {"limit.pregnancy", "limit.cancer_in_bone", "limit.childbearing"}
    assert {row[0] for row in TABLE} == {limit.id for limit in RULES.contraindications} - apart


@pytest.mark.parametrize(("limit", "change", "classes", "status"), TABLE)
def test_limit(limit: str, change: dict[str, Any], classes: str, status: str) -> None:
    assert holds(limit, {**CLEARED, **SEVERE, **change}) is True
    assert holds(limit, {**CLEARED, **SEVERE}) is False
    found = drugs(answer_for(**{**SEVERE, **change}))
    for drug_class in classes.split():
        assert found[drug_class] == status


@pytest.mark.parametrize(("limit", "change", "classes", "status"), TABLE)
def test_the_reason_is_told(limit: str, change: dict[str, Any], classes: str, status: str) -> None:
    reason = next(entry.reason for entry in RULES.contraindications if entry.id == limit)
    for item in answer_for(**{**SEVERE, **change}).items:
        if item.drug_class in classes.split():
            assert item.status == status
            assert reason in item.reasons
            assert item.text.startswith("Not suitable" if status == "blocked" else "Check ")


@pytest.mark.parametrize(
    ("field", "classes"),
    [
        ("egfr_ml_per_min", ALL[:6]),
        ("serum_calcium_mmol_per_l", ("oral_bisphosphonate", "iv_bisphosphonate", "denosumab", "anabolic", "romosozumab")),
        ("vitamin_d_25oh_nmol_per_l", ("iv_bisphosphonate", "denosumab", "romosozumab")),
        ("medical_conditions", ALL),
        ("medications", ALL),
        ("oestrogen_use", ()),
        ("menopause_age", ("hormone_therapy",)),
    ],
)  # fmt: skip
def test_what_is_unknown_is_checked_first_and_named(field: str, classes: tuple[str, ...]) -> None:
    found = {item.drug_class: item for item in answer_for(**{**SEVERE, field: None}).items if item.drug_class}
    for drug_class in classes:
        assert found[drug_class].status == "check_first"
        assert field in (found[drug_class].checks or [])
    for drug_class in set(ALL) - set(classes):
        assert found[drug_class].status == "consider"


def test_a_list_that_names_one_condition_leaves_the_others_open() -> None:
    found = drugs(answer_for(**{**SEVERE, "medical_conditions": ["copd"]}))
    assert set(found.values()) == {"check_first"}


def test_pregnancy_unknown_is_checked_and_pregnancy_gets_no_drug_at_all() -> None:
    woman = {"age": 58.0, "gender": "female", "t_scores": dxa(-2.8), "pregnant": None}
    item = next(item for item in answer_for(**woman).items if item.drug_class == "oral_bisphosphonate")
    assert item.status == "check_first"
    assert item.checks == ["pregnant"]
    assert drugs(answer_for(**{**woman, "pregnant": True})) == {}
    assert holds("limit.pregnancy", {**CLEARED, **woman, "pregnant": True}) is True
    assert holds("limit.pregnancy", {**CLEARED, **SEVERE}) is False


def test_clearance_and_egfr_are_judged_each_on_its_own_drugs_and_flagged() -> None:
    """The published example: woman of 80, 50 kg, creatinine 1.2 mg/dL: clearance 29.5, eGFR 45.8."""
    light = {**WOMAN_72, "age": 80.0, "t_scores": dxa(-2.8), **kidney(1.2, 50, 80.0)}
    found = answer_for(**light)
    assert drugs(found)["oral_bisphosphonate"] == "blocked"
    assert drugs(found)["denosumab"] == "check_first"
    assert "discordant.kidney_measures" in {item.id for item in found.items}
    assert "29.5" in next(item.text for item in found.items if item.id == "discordant.kidney_measures")
