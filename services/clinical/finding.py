"""The clinical finding: model, scores, DXA, fractures and warnings of one record, put together."""

import datetime as dt
from collections.abc import Sequence

from services.clinical.bone_density import classify_bone_density
from services.clinical.decision import Decision, decide, highest
from services.clinical.explanation import contributions, most_informative_missing
from services.clinical.risk import BoneDensityModel, Estimate
from services.clinical.screening import screening_scores
from shared.clinic import Reading, readings_of
from shared.clinic.plausibility import YOUNGEST_AGE, implausible
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
    every = [reading for readings in read for reading in readings]
    in_scope = [reading for reading in every if reading.record.age >= YOUNGEST_AGE]
    estimates = dict(zip(map(id, in_scope), model.estimate(in_scope), strict=True))
    return [_finding(readings, [estimates.get(id(one)) for one in readings], model) for readings in read]


def _finding(
    readings: Sequence[Reading], estimates: Sequence[Estimate | None], model: BoneDensityModel
) -> ClinicalFinding:
    decided = [_decided(reading, estimate, model) for reading, estimate in zip(readings, estimates, strict=True)]
    if len(readings) > 1:
        return _for_either_sex(readings, estimates, decided, model)
    (reading,), (estimate,), ((decision, density),) = readings, estimates, decided
    probability = estimate.probability if estimate else None
    finding = ClinicalFinding(
        probability=probability,
        category=decision.category,
        category_basis=decision.basis,
        reason=None if estimate else TOO_YOUNG,
        decided_by=decision.decided_by,
        conclusion=_conclusion(decision, density, probability),
        scores=screening_scores(reading),
        bone_density=density,
        warnings=implausible(reading),
        model=model.parameters.model,
    )
    return finding if estimate is None else finding.model_copy(update=_explained(reading, estimate, model))


def _decided(
    reading: Reading, estimate: Estimate | None, model: BoneDensityModel
) -> tuple[Decision, BoneDensity | None]:
    density = classify_bone_density(reading)
    probability = estimate.probability if estimate else None
    return decide(reading, density, probability, model.parameters.cut_offs[reading.sex]), density


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


def _for_either_sex(
    readings: Sequence[Reading],
    estimates: Sequence[Estimate | None],
    decided: Sequence[tuple[Decision, BoneDensity | None]],
    model: BoneDensityModel,
) -> ClinicalFinding:
    """Both readings beside each other; the higher category counts, and a class only where both agree on it."""
    decision = highest([one for one, _ in decided])
    densities = [density for _, density in decided]
    agreed = densities[0] if len({density and density.who_class for density in densities}) == 1 else None
    warnings = {(w.field, w.type, w.detail): w for reading in readings for w in implausible(reading)}
    return ClinicalFinding(
        probability=None,
        category=decision.category,
        category_basis=decision.basis,
        reason=SEX_OPEN if any(estimates) else TOO_YOUNG,
        decided_by=decision.decided_by,
        conclusion=_conclusion(decision, agreed, None),
        scores=screening_scores(readings[0]),
        bone_density=agreed,
        readings=[
            SexReading(
                sex=reading.sex,
                probability=estimate.probability if estimate else None,
                category=one.category,
            )
            for reading, estimate, (one, _) in zip(readings, estimates, decided, strict=True)
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
