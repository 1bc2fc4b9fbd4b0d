"""What a patient's own account, and a sheet printed for the patient, show of an assessment.

Everything at once and in the patient's own words; medicines only once a clinician has released them. Sentences that are
written for clinicians (rationale, source, reasons, letter, rules) stay with the clinic: any of them may name a medicine
that is not released yet, or the order in which medicines are used.
"""

from dataclasses import dataclass
from typing import Any, Literal

from gateway.platform.identity.scopes import Principal
from gateway.platform.language import translator_for
from shared.clinic.density import OSTEOPOROSIS
from shared.clinic.drug_names import bone_drug_named
from shared.contracts.assessment import Assessment, Combined, Diagnosis
from shared.contracts.findings import BoneDensity, ClinicalFinding, RecordWarning
from shared.contracts.recommendation import MessageKey, Recommendation, RecommendationSet
from shared.contracts.review import Review

ReleaseRule = Literal["by_clinician", "at_once"]
Audience = Literal["patient", "clinician"]
NEXT_SCAN = "the next bone density scan"
# What a patient sees of an assessment that was taken back.
WITHDRAWN: dict[str, Any] = {
    **dict.fromkeys(("source", "imaging", "staging", "clinical", "recommendation")),
    "combined": Combined(category=None, basis=[]),
    "warnings": [],
}
BY_SCAN, BY_FRACTURE = "by a bone density scan", "by a fracture"


@dataclass(frozen=True)
class VisibleAssessment:
    """An assessment as somebody may see it; `withheld`: its medicines wait for a clinician's release."""

    assessment: Assessment
    withheld: bool = False


def visible_to(who: Principal, assessment: Assessment, rule: ReleaseRule) -> VisibleAssessment:
    """The assessment as this caller may see it.

    Args:
        who: a patient's account sees less than everybody else.
        assessment: as it is stored.
        rule: the site's choice; `at_once` shows medication without a release.
    """
    return for_patient(assessment, rule) if who.is_patient else VisibleAssessment(assessment)


def for_patient(assessment: Assessment, rule: ReleaseRule) -> VisibleAssessment:
    """The assessment in the patient's words, without the medicines where they are withheld: the one place for it."""
    review = _review(assessment.review)
    if assessment.is_withdrawn:
        return VisibleAssessment(assessment.model_copy(update={**WITHDRAWN, "review": review}))
    withheld = rule == "by_clinician" and assessment.released_at is None
    parts = {
        "clinical": _clinical(assessment.clinical),
        "combined": _combined(assessment.combined, assessment.clinical),
        "recommendation": _recommendation(assessment.recommendation, withheld),
        "review": review,
        # A medicine on the hospital's list may be among what was not used.
        "warnings": [warning for warning in assessment.warnings if not warning.was_left_out],
    }
    return VisibleAssessment(assessment.model_copy(update=parts), withheld)


def _review(review: Review) -> Review:
    """What a clinician found instead; why, and who it was, is the clinic's."""
    steps = [step.model_copy(update={"reason": None, "by": "clinician"}) for step in review.steps]
    return review.model_copy(update={"steps": steps})


def _recommendation(recommendation: RecommendationSet | None, without: bool) -> RecommendationSet | None:
    if recommendation is None:
        return None
    # One without words for the patient is the clinician's alone: an assessment stored before there were any has none.
    items = [item for item in recommendation.items if item.patient_text and not (without and item.kind == "medication")]
    parts = {
        "items": [_item(item, position, without) for position, item in enumerate(items, start=1)],
        "consult": recommendation.consult.model_copy(update={"reason": recommendation.consult.patient_reason}),
        "next_dxa": recommendation.next_dxa and recommendation.next_dxa.model_copy(update={"basis": NEXT_SCAN}),
        "letter": None,
    }
    return recommendation.model_copy(update=parts)


def _item(item: Recommendation, position: int, without: bool) -> Recommendation:
    named = without and bone_drug_named(f"{item.id} {item.message.model_dump_json()}")
    parts = {
        "id": f"{item.kind}.{position}" if named else item.id,
        "message": MessageKey(key=f"{item.kind}.{position}") if named else item.message,
        "url": None if without and bone_drug_named(item.url) else item.url,
        "text": item.patient_text,
        "rationale": "",
        "citation": "",
        "strength": None,
        "reasons": [],
        "further_sources": [],
        "checks": None if item.checks is None else [],
    }
    return item.model_copy(update=parts)


def _clinical(finding: ClinicalFinding | None) -> ClinicalFinding | None:
    if finding is None:
        return None
    density = finding.bone_density
    parts = {
        "category_basis": None,
        "conclusion": None,
        "reason": None if bone_drug_named(finding.reason) else finding.reason,
        "bone_density": density and density.model_copy(update={"basis": _found_by(finding, density)}),
        "contributions": [
            part for part in finding.contributions if not bone_drug_named(f"{part.field} {part.value} {part.summary}")
        ],
        "most_informative_missing": [
            part for part in finding.most_informative_missing if not bone_drug_named(f"{part.field} {part.summary}")
        ],
        "warnings": [_warning(warning) for warning in finding.warnings],
    }
    return finding.model_copy(update=parts)


def _combined(combined: Combined, clinical: ClinicalFinding | None) -> Combined:
    diagnosis: Diagnosis | None = combined.diagnosis
    if diagnosis is not None and clinical is not None and clinical.bone_density is not None:
        diagnosis = diagnosis.model_copy(update={"basis": _found_by(clinical, clinical.bone_density)})
    return combined.model_copy(update={"basis": [], "diagnosis": diagnosis})


def _found_by(finding: ClinicalFinding, density: BoneDensity) -> str:
    return BY_FRACTURE if by_fracture(finding, density) else BY_SCAN


def by_fracture(finding: ClinicalFinding, density: BoneDensity) -> bool:
    """Whether a fracture, and not the scan, is what the class rests on."""
    measured = density.t_score is not None or density.z_score is not None
    return density.who_class in OSTEOPOROSIS and (not measured or finding.decided_by == "fracture")


def _warning(warning: RecordWarning) -> RecordWarning:
    field = "medications" if bone_drug_named(warning.field) else warning.field
    return warning.model_copy(update={"field": field, "detail": translator_for("en")(f"warning.{warning.type}")})
