"""What each resource says, and above all what it does not."""

import datetime as dt
import json
from typing import Any

import pytest

from gateway.assessing.release import for_patient
from gateway.assessing.results import ResultContent
from gateway.interop.fhir.writing.bundles import bundle_of
from shared.clinic.drug_names import bone_drug_named
from shared.contracts.assessment import DISCLAIMER
from shared.contracts.assessment import Warning as Missing
from shared.contracts.review import Review, ReviewStep
from tests.unit.answer.whole import answer_to
from tests.unit.gateway.interop.invariants import everything
from tests.unit.gateway.interop.results import ASSESSMENT_ID, PATIENT_ID, content_of, result_of, vignettes
from tests.unit.services.recommender.cases import MODEL, image, stage

WOMAN = {"age": 72, "gender": "female", "menopausal_status": "postmenopausal", "weight_kg": 58.0}
OSTEOPOROSIS = WOMAN | {"t_scores": [{"site": "femoral_neck", "value": -3.1, "date": "2026-01-10"}]}
# Kidneys too weak for most drugs, and nothing known of the rest.
BLOCKED = OSTEOPOROSIS | {"egfr_ml_per_min": 20.0}


def resources(content: ResultContent, patient_system: str | None = None) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle_of(result_of(content, patient_system), "collection")["entry"]]


def of_type(content: ResultContent, kind: str) -> list[dict[str, Any]]:
    return [resource for resource in resources(content) if resource["resourceType"] == kind]


def only(content: ResultContent, kind: str) -> dict[str, Any]:
    [found] = of_type(content, kind)
    return found


def with_film(**changes: Any) -> ResultContent:
    """A record beside a film that shows something, with some of the assessment changed."""
    answer = answer_to(WOMAN, "osteoporosis", 3)
    return content_of(answer, **changes)


def test_probabilities_are_per_cent_in_a_risk_assessment_and_shares_in_observations() -> None:
    answer = answer_to(WOMAN, "osteoporosis", 3)
    risk = only(content_of(answer), "RiskAssessment")
    assert answer.clinical.probability is not None
    assert abs(risk["prediction"][0]["probabilityDecimal"] - 100 * answer.clinical.probability) < 0.01
    [bone] = [one for one in of_type(content_of(answer), "Observation") if one["id"].endswith("-bone")]
    shares = [part["valueQuantity"]["value"] for part in bone["component"]]
    assert sum(shares) == pytest.approx(1)


def test_where_the_sex_is_open_both_estimates_are_told_apart() -> None:
    predictions = only(content_of(answer_to(WOMAN | {"gender": "unknown"})), "RiskAssessment")["prediction"]
    assert [one["rationale"] for one in predictions[:2]] == [
        "If the patient's sex is female", "If the patient's sex is male",
    ]  # fmt: skip


def test_no_prediction_is_about_the_future() -> None:
    assert "whenPeriod" not in json.dumps(only(with_film(), "RiskAssessment"))


def test_each_knee_has_its_grade_and_its_side() -> None:
    staging = stage(3)
    left, right = staging.knees[0], staging.knees[0].model_copy(update={"side": "right", "stage": 1})
    nowhere = right.model_copy(update={"side": "unknown", "quality": "uncertain", "note": "It is cut off."})
    content = with_film(staging=staging.model_copy(update={"knees": [left, right, left, nowhere]}))
    knees = {one["id"].removeprefix(f"{ASSESSMENT_ID}"): one for one in of_type(content, "Observation")}
    assert {"-kl-left", "-kl-right", "-kl-left-2", "-kl-unknown"} <= set(knees)
    assert [knees[name]["valueInteger"] for name in ("-kl-left", "-kl-right")] == [3, 1]
    assert [part["code"] for part in knees["-kl-right"]["bodySite"]["coding"]] == ["49076000", "24028007"]
    assert [part["code"] for part in knees["-kl-unknown"]["bodySite"]["coding"]] == ["49076000"]
    assert knees["-kl-unknown"]["interpretation"] == [{"text": "Low confidence"}]
    assert {"text": "It is cut off."} in knees["-kl-unknown"]["note"]


def test_a_grade_has_no_code_of_loinc() -> None:
    grades = [one for one in of_type(with_film(), "Observation") if "-kl" in one["id"]]
    assert {one["code"]["coding"][0]["system"] for one in grades} == {"urn:trabecula:code-system:finding"}


def test_an_indeterminate_reading_has_no_value_and_no_percentages() -> None:
    content = content_of(answer_to(WOMAN, "indeterminate"))
    [bone] = [one for one in of_type(content, "Observation") if one["id"].endswith("-bone")]
    assert bone["interpretation"][0]["coding"][0]["code"] == "IND"
    assert "dataAbsentReason" in bone
    assert not {"component", "valueCodeableConcept"} & set(bone)


def test_a_refused_image_is_an_observation_without_a_value_and_a_partial_report() -> None:
    reason = "This is no knee and no spine."
    refused = Missing(component="imaging", type="urn:trabecula:problem:image-refused", detail=reason, reason="not_bone")
    content = content_of(answer_to(WOMAN), warnings=[refused], status="partial")
    [bone] = [one for one in of_type(content, "Observation") if one["id"].endswith("-bone")]
    assert bone["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert bone["note"] == [{"text": reason}]
    report = only(content, "DiagnosticReport")
    assert report["status"] == "partial"
    assert reason in report["conclusion"]


def test_what_is_odd_about_a_film_is_a_note_of_its_observation() -> None:
    odd = Missing(component="imaging", type="blurred", detail="The picture is blurred.")
    [bone] = [one for one in of_type(with_film(warnings=[odd]), "Observation") if one["id"].endswith("-bone")]
    assert {"text": "The picture is blurred."} in bone["note"]


def test_a_score_that_does_not_apply_is_left_out() -> None:
    man = content_of(answer_to(WOMAN | {"gender": "male", "menopausal_status": None, "medical_conditions": []}))
    scores = {one["id"].rpartition("-")[2] for one in of_type(man, "Observation") if "-score-" in one["id"]}
    assert "mores" in scores
    assert not {"orai", "osiris"} & scores


def test_a_blocked_medicine_is_a_condition_alert_and_nothing_to_perform() -> None:
    content = content_of(answer_to(BLOCKED))
    recommendation = content.assessment.recommendation
    assert recommendation is not None
    blocked = [item for item in recommendation.items if item.status == "blocked"]
    issues = of_type(content, "DetectedIssue")
    high = [issue for issue in issues if issue["severity"] == "high"]
    assert len(high) == len(blocked) > 0
    assert {issue["code"]["coding"][0]["code"] for issue in issues} == {"COND"}
    details = [one["detail"] for one in only(content, "CarePlan")["activity"] if "detail" in one]
    assert sum(detail.get("doNotPerform", False) for detail in details) == len(blocked)
    assert {issue["severity"] for issue in issues} <= {"high", "moderate"}


def test_no_medicine_has_a_product_code_or_is_an_order() -> None:
    for content in vignettes().values():
        found = resources(content)
        assert not [one for one in found if one["resourceType"].startswith("Medication")]
        for plan in (one for one in found if one["resourceType"] == "CarePlan"):
            assert not [
                value for value in everything(plan.get("activity", [])) if isinstance(value, dict) and "coding" in value
            ]


def test_what_somebody_else_would_do_is_a_draft_request_and_a_scan_has_its_code() -> None:
    requests = of_type(content_of(answer_to(WOMAN)), "ServiceRequest")
    scans = [
        one for one in requests if one.get("instantiatesUri", [""])[0].startswith("urn:trabecula:rule:referral.dxa")
    ]
    assert scans[0]["code"]["coding"][0]["code"] == "312681000"
    assert {(one["status"], one["intent"]) for one in requests} == {("draft", "proposal")}


def test_an_emergency_makes_the_visit_urgent_and_no_scan() -> None:
    record = WOMAN | {"back_pain": True, "neurological_signs": True, "saddle_or_bladder_signs": True}
    requests = of_type(content_of(answer_to(record)), "ServiceRequest")
    priorities = {one["id"].removeprefix(f"{ASSESSMENT_ID}-"): one["priority"] for one in requests}
    assert priorities["consult"] == "stat"
    scans = [one for one in requests if (one["code"].get("coding") or [{}])[0].get("code") == "312681000"]
    assert {one["priority"] for one in scans} <= {"routine"}


def test_a_due_date_is_counted_from_the_day_of_the_assessment() -> None:
    answer = answer_to(OSTEOPOROSIS)
    dated = [item for item in answer.items if item.interval]
    periods = [
        one["occurrencePeriod"] for one in of_type(content_of(answer), "ServiceRequest") if "occurrencePeriod" in one
    ]
    assert dated
    assert periods
    assert all(dt.date.fromisoformat(one["end"]) >= dt.date.fromisoformat(one["start"]) for one in periods)


def test_the_patient_is_a_number_and_a_gender() -> None:
    patient = only(content_of(answer_to(WOMAN)), "Patient")
    assert set(patient) == {"resourceType", "id", "meta", "identifier", "gender"}
    assert patient["id"] == str(PATIENT_ID)
    assert patient["identifier"][0]["system"].startswith("urn:trabecula:organisation:")
    [own] = [
        one for one in resources(content_of(answer_to(WOMAN)), "urn:oid:1.2.3") if one["resourceType"] == "Patient"
    ]
    assert own["identifier"] == [{"system": "urn:oid:1.2.3", "value": "MRN-1"}]


def test_the_study_and_the_order_come_from_the_dicom_file() -> None:
    study = only(with_film(), "ImagingStudy")
    assert study["identifier"][0] == {"system": "urn:dicom:uid", "value": "urn:oid:1.2.826.0.1.5"}
    assert study["series"][0]["modality"]["code"] == "DX"
    assert only(with_film(), "DiagnosticReport")["basedOn"][0]["identifier"]["value"] == "A-1"
    assert of_type(content_of(answer_to(WOMAN)), "ImagingStudy") == []


@pytest.mark.parametrize("uid", ["1.2.3\n", "x" * 65, "1..2", "9.1", "1.2.03", ""])
def test_a_uid_that_is_none_names_no_study(uid: str) -> None:
    source = with_film().assessment.source
    assert source is not None
    assert of_type(with_film(source=source.model_copy(update={"study_uid": uid})), "ImagingStudy") == []


def test_provenance_names_software_organisation_rules_and_sources() -> None:
    provenance = only(with_film(), "Provenance")
    assert [agent["type"]["coding"][0]["code"] for agent in provenance["agent"]] == ["assembler", "custodian"]
    assert {one["what"]["identifier"]["system"] for one in provenance["entity"]} == {
        "urn:trabecula:sha256:image", "urn:trabecula:sha256:record",
    }  # fmt: skip
    assert provenance["policy"][0].startswith("urn:trabecula:rules:")


def test_texts_begin_with_the_disclaimer_and_can_run_nothing() -> None:
    hostile = MODEL.model_copy()
    looks = image("osteoporosis").model_copy(update={"summary": "<script>alert(1)</script> & more", "model": hostile})
    content = with_film(imaging=looks, combined=with_film().assessment.combined.model_copy(update={"basis": []}))
    for kind in ("DiagnosticReport", "CarePlan"):
        assert only(content, kind)["text"]["div"].split("<p>")[1].startswith(DISCLAIMER[:30])
    assert "<script" not in only(content, "DiagnosticReport")["text"]["div"]


def test_what_is_not_released_is_nowhere_in_a_patients_bundle() -> None:
    for content in vignettes().values():
        visible = for_patient(content.assessment, "by_clinician").assessment
        text = json.dumps(resources(ResultContent(visible, content.organisation_id, PATIENT_ID, for_patient=True)))
        assert bone_drug_named(text) is None
        assert "DetectedIssue" not in text


def test_a_released_assessment_has_changed() -> None:
    released = dt.datetime(2026, 11, 27, 8, tzinfo=dt.UTC)
    report = only(with_film(released_at=released), "DiagnosticReport")
    assert report["meta"]["lastUpdated"] == "2026-11-27T08:00:00.000Z"
    assert report["status"] == "preliminary"


ME = "account:0199f7a0-7b1c-7c3e-8f00-3a5d9b1e2c4d"
LATER = dt.datetime(2026, 11, 28, 8, tzinfo=dt.UTC)


def reviewed(action: str, **more: Any) -> ResultContent:
    step = ReviewStep.model_validate({"action": action, "at": LATER, "by": ME, **more})
    return with_film(review=Review(status=step.action, changed_at=LATER, steps=[step]))


@pytest.mark.parametrize(
    ("action", "status", "plan"),
    [
        ("signed", "final", "draft"),
        ("amended", "amended", "draft"),
        ("withdrawn", "entered-in-error", "entered-in-error"),
    ],
)
def test_the_status_is_what_a_clinician_made_of_it(action: str, status: str, plan: str) -> None:
    found = resources(reviewed(action, reason="Read again"))
    for resource in found:
        kind = resource["resourceType"]
        if kind in ("DiagnosticReport", "Observation", "RiskAssessment", "DetectedIssue", "Composition"):
            assert resource["status"] == status, kind
        if kind in ("CarePlan", "ServiceRequest"):
            assert resource["status"] == plan, kind
    report = next(item for item in found if item["resourceType"] == "DiagnosticReport")
    assert report["meta"]["lastUpdated"] == "2026-11-28T08:00:00.000Z"
    assert "Read again" in report["conclusion"]


def test_a_clinicians_grade_is_the_value_and_the_networks_a_note() -> None:
    content = reviewed(
        "amended",
        reason="Osteophytes",
        findings={"knees": [{"side": "left", "kl_grade": 4}, {"side": "right", "kl_grade": 4}], "category": "low"},
    )
    grades = [item for item in resources(content) if "-kl" in item["id"] and item["resourceType"] == "Observation"]
    sides = [knee.side for knee in content.assessment.staging.knees]
    for side, grade in zip(sides, grades, strict=True):
        if side != "unknown":
            assert grade["valueInteger"] == 4
            assert "Graded 4 by a clinician" in str(grade["note"])
    assert "unknown" not in sides
    levels = [
        one["qualitativeRisk"] for one in only(content, "RiskAssessment")["prediction"] if "qualitativeRisk" in one
    ]
    assert all("low" in str(level).lower() for level in levels)


def test_what_was_not_used_of_the_hospitals_record_is_a_note_of_the_risk() -> None:
    left_out = Missing(component="clinical", type="fhir_not_used", detail="Observation/1: its unit is unknown.")
    content = content_of(answer_to(WOMAN), warnings=[left_out])
    assert {"text": "Not used: Observation/1: its unit is unknown."} in only(content, "RiskAssessment")["note"]
    assert content.assessment.status == "complete"
