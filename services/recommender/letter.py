"""What a referral letter should carry. A clinician completes and signs it; nothing is sent from here."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.recommender.field_words import in_words
from services.recommender.rule_evaluation import RuleEvaluation
from services.recommender.schema import Rule
from shared.contracts.base import ModelReference
from shared.contracts.recommendation import RecommendationRequest, ReferralLetter, Urgency


def referral_letter(
    evaluation: RuleEvaluation,
    referrals: Sequence[Rule],
    urgency: Urgency | None,
    reasons: Sequence[str],
    not_known: Iterable[str],
) -> ReferralLetter | None:
    """The letter's content, or None where no referral is suggested.

    Args:
        evaluation: the case.
        referrals: the referral rules that fired.
        urgency: that of the consult block; routine where it advises none.
        reasons: why a doctor should see the patient, in sentences.
        not_known: record fields that the rules asked for in vain.
    """
    if not referrals:
        return None
    return ReferralLetter(
        to=list(dict.fromkeys(rule.output.refer_to or "" for rule in referrals)),
        urgency=urgency or "routine",
        reasons=list(dict.fromkeys([*(rule.rationale for rule in referrals), *reasons])),
        findings=list(_findings(evaluation)),
        history=list(_history(evaluation.case.request)),
        not_known=sorted(not_known),
        models=list(_models(evaluation)),
    )


def _findings(evaluation: RuleEvaluation) -> Iterator[str]:
    request = evaluation.case.request
    if request.imaging:
        imaging = request.imaging
        yield f"Radiograph of the {imaging.anatomy}, read by a network: {imaging.summary} This is not a bone density."
    if request.staging:
        grade, name = request.staging.kl_grade, request.staging.kl_name
        yield f"Knee osteoarthritis, Kellgren-Lawrence grade {grade} ({name}), by a network."
    if request.clinical and request.clinical.category:
        yield f"Risk of osteoporosis by the record's model: {request.clinical.category}."
    if evaluation.case.who_class:
        score = "" if evaluation.case.lowest_t_score is None else f", lowest T-score {evaluation.case.lowest_t_score:g}"
        yield f"WHO class: {evaluation.case.who_class.replace('_', ' ')}{score}."
    clearance, egfr = evaluation.case.read(lambda r: r.creatinine_clearance), evaluation.case.read(lambda r: r.egfr)
    if clearance is not None:
        yield f"Creatinine clearance (Cockcroft-Gault, actual weight): {clearance:.0f} mL/min."
    if egfr is not None:
        yield f"eGFR: {egfr:.0f} mL/min/1.73 m2."


def _history(request: RecommendationRequest) -> Iterator[str]:
    record = request.record.model_dump(mode="json", exclude_none=True) if request.record else {}
    for name, value in record.items():
        yield f"{in_words(name).capitalize() if in_words(name).islower() else in_words(name)}: {_said(value)}"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(map(_said, value)) or "none known"
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_said(part)}" for key, part in value.items() if part is not None)
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def _models(evaluation: RuleEvaluation) -> Iterator[ModelReference]:
    request = evaluation.case.request
    yield from (part.model for part in (request.imaging, request.staging, request.clinical) if part is not None)
    yield evaluation.rules.reference
