"""The patient's view: the patient's words, nothing that is the clinic's, nothing that names what is withheld."""

import copy
import datetime as dt

import pytest

from gateway.api.examples.assessments import ASSESSMENT
from gateway.assessing.release import NEXT_SCAN, for_patient
from gateway.records.encrypted import _as_of_today
from shared.clinic.drug_names import bone_drug_named
from shared.contracts.assessment import Assessment

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
CLINIC = "Denosumab before a bisphosphonate"
ITEM = {
    "patient_text": "See a doctor soon.", "text": CLINIC, "rationale": CLINIC, "citation": CLINIC, "strength": CLINIC,
    "reasons": [CLINIC], "further_sources": [CLINIC],
}  # fmt: skip


def item(name, kind, **more):
    return {"id": name, "kind": kind, "message": {"key": name, "params": {}}, **ITEM, **more}


def made(*items):
    document = copy.deepcopy(ASSESSMENT)
    missing = {"effect": 1, "lowest_probability": 0, "highest_probability": 1, "summary": "w"}
    document["clinical"] |= {
        "category_basis": CLINIC, "conclusion": CLINIC, "reason": CLINIC, "decided_by": "fracture",
        "bone_density": {"who_class": "osteoporosis", "basis": CLINIC},
        "contributions": [
            {"field": "age", "value": 70, "effect": 1, "summary": "age"},
            {"field": "medications", "value": "oral_bisphosphonate", "effect": 1, "summary": "w"},
        ],
        "most_informative_missing": [missing | {"field": "denosumab_doses"}, missing | {"field": "smoking"}],
        "warnings": [{"field": "zoledronate_months_ago", "type": "contradiction", "detail": CLINIC}],
    }  # fmt: skip
    document["combined"] |= {"basis": [CLINIC], "diagnosis": {"who_class": "osteoporosis", "basis": CLINIC}}
    document["recommendation"] |= {
        "items": list(items),
        "consult": {"advised": True, "urgency": "soon", "reason": CLINIC, "patient_reason": "See a doctor."},
        "next_dxa": {"after_months": 12, "by_months": 24, "basis": CLINIC},
    }
    return Assessment.model_validate(document)


ITEMS = (
    item("medication.x.denosumab", "medication", drug_class="denosumab", status="consider", checks=["age"]),
    item("follow_up.denosumab_never_stop", "follow_up", url="https://clinic.example/denosumab"),
    item("diet.calcium", "diet", url="https://clinic.example/calcium"),
)  # fmt: skip


def test_nothing_of_it_names_what_is_withheld():
    seen = for_patient(made(*ITEMS), "by_clinician").assessment
    assert not bone_drug_named(seen.model_dump_json())
    assert [item.id for item in seen.recommendation.items] == ["follow_up.1", "diet.calcium"]
    assert [item.text for item in seen.recommendation.items] == ["See a doctor soon."] * 2
    assert [item.url for item in seen.recommendation.items] == [None, "https://clinic.example/calcium"]
    assert (seen.recommendation.consult.reason, seen.recommendation.letter) == ("See a doctor.", None)
    assert seen.recommendation.next_dxa.basis == NEXT_SCAN
    assert seen.combined.diagnosis.basis == seen.clinical.bone_density.basis == "by a fracture"
    assert [contribution.field for contribution in seen.clinical.contributions] == ["age"]
    assert [item.field for item in seen.clinical.most_informative_missing] == ["smoking"]
    assert [warning.field for warning in seen.clinical.warnings] == ["medications"]
    assert for_patient(seen, "by_clinician").assessment == seen


@pytest.mark.parametrize(("released", "rule"), [(True, "by_clinician"), (False, "at_once")])
def test_once_released_a_medicine_is_told_in_the_patients_words(released, rule):
    stored = made(*ITEMS).model_copy(update={"released_at": NOON if released else None})
    seen = for_patient(stored, rule).assessment
    first = seen.recommendation.items[0]
    assert [item.id for item in seen.recommendation.items] == [item["id"] for item in ITEMS]
    assert (first.text, first.checks, first.reasons, first.rationale) == ("See a doctor soon.", [], [], "")


def test_what_was_stored_without_words_for_the_patient_is_told_to_the_clinic_alone():
    document = made(*ITEMS).model_dump(mode="json")
    for item in document["recommendation"]["items"]:
        del item["patient_text"], item["message"]
    stored = Assessment.model_validate(_as_of_today(document))
    assert [item.text for item in stored.recommendation.items] == [CLINIC] * 3
    released = stored.model_copy(update={"released_at": NOON})
    assert for_patient(released, "by_clinician").assessment.recommendation.items == []
