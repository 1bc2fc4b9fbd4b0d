"""The clinical finding: model, scores, DXA, fractures and warnings of one record, put together."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from services.clinical.bone_density import classify_bone_density
from services.clinical.decision import Decision, decide, highest
from services.clinical.explanation import contributions, most_informative_missing
from services.clinical.risk import BoneDensityModel, Estimate
from services.clinical.screening import screening_scores
from shared.clinic import Reading, readings_of
from shared.clinic.expected import YOUNGEST_AGE
from shared.clinic.plausibility import implausible
from shared.contracts.findings import BoneDensity, ClinicalFinding, SexReading
from shared.contracts.policy import ClinicPolicy
from shared.contracts.record import ClinicalRecord

TOO_YOUNG = "no probability below 40 years: the model learned from adults of 40 and over"
SEX_OPEN = "no single probability: the record leaves the sex open, and the model has one for each (see readings)"


def find(
    records: Sequence[ClinicalRecord],
    model: BoneDensityModel,
    policy: ClinicPolicy | None = None,
    as_of: dt.date | None = None,
) -> list[ClinicalFinding]:
    """One finding a record, in order.

    Args:
        policy: what the site assumes; the default policy where absent.
        as_of: the day that dates are counted from; today where absent.

    Raises:
        ServiceUnavailable: the scorer's runtime is on another machine and does not answer.
    """
    read = [readings_of(record, policy or ClinicPolicy(), as_of) for record in records]
    estimates = iter(_estimates([reading for readings in read for reading in readings], model))
    return [_finding([_assessed(reading, *next(estimates), model) for reading in readings], model) for readings in read]


@dataclass(frozen=True)
class _AssessedReading:
    """One reading with all that is made of it.

    Attributes:
        used: what estimate and scores are made from: the reading, or it without a weight and height in doubt.
        estimate: None where no model applies.
    """

    reading: Reading
    used: Reading
    estimate: Estimate | None
    decision: Decision
    density: BoneDensity | None

    @property
    def probability(self) -> float | None:
        return self.estimate.probability if self.estimate else None


def _estimates(readings: Sequence[Reading], model: BoneDensityModel) -> list[tuple[Reading, Estimate | None]]:
    """What each reading's estimate is made from, and the estimate; None where no model applies.

    Where weight or height is in doubt the higher of two counts: a slip of the unit lowers no estimate.
    """
    tried = [
        (place, used)
        for place, reading in enumerate(readings)
        if reading.record.age >= YOUNGEST_AGE
        for used in ([reading, reading.without_body()] if reading.body_in_doubt else [reading])
    ]
    estimates: list[tuple[Reading, Estimate | None]] = [(reading, None) for reading in readings]
    for (place, used), estimate in zip(tried, model.estimate([used for _, used in tried]), strict=True):
        so_far = estimates[place][1]
        if so_far is None or estimate.probability > so_far.probability:
            estimates[place] = (used, estimate)
    return estimates


def _finding(cases: Sequence[_AssessedReading], model: BoneDensityModel) -> ClinicalFinding:
    if len(cases) > 1:
        return _for_either_sex(cases, model)
    case = cases[0]
    finding = ClinicalFinding(
        probability=case.probability,
        category=case.decision.category,
        category_basis=case.decision.basis,
        reason=None if case.estimate else TOO_YOUNG,
        decided_by=case.decision.decided_by,
        conclusion=_conclusion(case.decision, case.density, case.probability),
        scores=screening_scores(case.used),
        bone_density=case.density,
        warnings=implausible(case.reading),
        model=model.parameters.model,
    )
    return finding if case.estimate is None else finding.model_copy(update=_explained(case.used, case.estimate, model))


def _assessed(reading: Reading, used: Reading, estimate: Estimate | None, model: BoneDensityModel) -> _AssessedReading:
    density, probability = classify_bone_density(reading), estimate.probability if estimate else None
    decision = decide(reading, density, probability, model.parameters.cut_offs[reading.sex])
    return _AssessedReading(reading, used, estimate, decision, density)


def _explained(reading: Reading, estimate: Estimate, model: BoneDensityModel) -> dict[str, object]:
    record, parameters = reading.record, model.parameters
    return {
        "low_bone_mass_probability": estimate.low_bone_mass_probability,
        "average_of_age_and_sex": parameters.average(reading.sex, record.age),
        "population": parameters.population,
        "reference": f"a person of {parameters.reference_age:g} years, sex and everything else unknown",
        "reference_log_odds": estimate.reference_log_odds,
        "contributions": contributions(record, estimate),
        "most_informative_missing": most_informative_missing(record, estimate),
    }


def _for_either_sex(cases: Sequence[_AssessedReading], model: BoneDensityModel) -> ClinicalFinding:
    """Both readings beside each other; the higher category counts, and a class only where both agree on it."""
    decision = highest([case.decision for case in cases])
    densities = [case.density for case in cases]
    agreed = densities[0] if len({density and density.who_class for density in densities}) == 1 else None
    warnings = {(w.field, w.type, w.detail): w for case in cases for w in implausible(case.reading)}
    return ClinicalFinding(
        probability=None,
        category=decision.category,
        category_basis=decision.basis,
        reason=SEX_OPEN if any(case.estimate for case in cases) else TOO_YOUNG,
        decided_by=decision.decided_by,
        conclusion=_conclusion(decision, agreed, None),
        scores=screening_scores(cases[0].used),
        bone_density=agreed,
        readings=[
            SexReading(sex=case.reading.sex, probability=case.probability, category=case.decision.category)
            for case in cases
        ],
        warnings=list(warnings.values()),
        model=model.parameters.model,
    )


def _conclusion(decision: Decision, density: BoneDensity | None, probability: float | None) -> str:
    estimate = "" if probability is None else f"The model's estimate is {probability:.1%}"
    if decision.decided_by == "model":
        words = estimate or "The model's estimates by sex stand in `readings`"
        return f"{words} for osteoporosis by DXA: {decision.category} risk."
    if decision.decided_by is None:
        return f"{TOO_YOUNG[0].upper()}{TOO_YOUNG[1:]}." if density is None else f"{density.basis}."
    overridden = f" {estimate}; it is overridden." if estimate else ""
    return f"{decision.basis[0].upper()}{decision.basis[1:]}.{overridden}"
