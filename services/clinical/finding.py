"""The clinical finding: model, scores, DXA, fractures and warnings of one record, put together."""

from collections.abc import Sequence

from services.clinical.bone_density import classify_bone_density
from services.clinical.decision import Decision, decide
from services.clinical.explanation import contributions, most_informative_missing
from services.clinical.plausibility import implausible
from services.clinical.risk import BoneDensityModel, Estimate
from services.clinical.screening import screening_scores
from services.clinical.variables import YOUNGEST_AGE
from shared.contracts.findings import BoneDensity, ClinicalFinding
from shared.contracts.record import ClinicalRecord

TOO_YOUNG = "no probability below 40 years: the model learned from adults of 40 and over"


def find(records: Sequence[ClinicalRecord], model: BoneDensityModel) -> list[ClinicalFinding]:
    """One finding a record, in order.

    Raises:
        ServiceUnavailable: the scorer's runtime is on another machine and does not answer.
    """
    in_scope = [index for index, record in enumerate(records) if record.age >= YOUNGEST_AGE]
    scored = model.estimate([records[index] for index in in_scope])
    estimates = dict(zip(in_scope, scored, strict=True))
    return [_finding(record, estimates.get(index), model) for index, record in enumerate(records)]


def _finding(record: ClinicalRecord, estimate: Estimate | None, model: BoneDensityModel) -> ClinicalFinding:
    density = classify_bone_density(record)
    probability = estimate.probability if estimate else None
    decision = decide(record, density, probability, model.parameters.cut_offs)
    finding = ClinicalFinding(
        probability=probability,
        category=decision.category,
        category_basis=decision.basis,
        reason=None if estimate else TOO_YOUNG,
        decided_by=decision.decided_by,
        conclusion=_conclusion(decision, density, probability),
        scores=screening_scores(record),
        bone_density=density,
        warnings=implausible(record),
        model=model.parameters.model,
    )
    return finding if estimate is None else finding.model_copy(update=_explained(record, estimate, model))


def _explained(record: ClinicalRecord, estimate: Estimate, model: BoneDensityModel) -> dict[str, object]:
    return {
        "low_bone_mass_probability": estimate.low_bone_mass_probability,
        "reference": f"a person of {model.parameters.reference_age:g} years, sex and everything else unknown",
        "reference_log_odds": estimate.reference_log_odds,
        "contributions": contributions(record, estimate),
        "most_informative_missing": most_informative_missing(record, estimate),
    }


def _conclusion(decision: Decision, density: BoneDensity | None, probability: float | None) -> str:
    estimate = "" if probability is None else f"The model's estimate is {probability:.1%}"
    if decision.decided_by == "model":
        return f"{estimate} for osteoporosis by DXA: {decision.category} risk."
    if decision.decided_by is None:
        return f"{TOO_YOUNG[0].upper()}{TOO_YOUNG[1:]}." if density is None else f"{density.basis}."
    overridden = f" {estimate}; it is overridden." if estimate else ""
    return f"{decision.basis[0].upper()}{decision.basis[1:]}.{overridden}"
