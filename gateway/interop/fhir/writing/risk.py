"""The risk as a RiskAssessment. Probabilities are in per cent here, as R4 defines `probabilityDecimal`."""

from collections.abc import Iterator

from gateway.interop.fhir.code_map import concept
from gateway.interop.fhir.resource import Resource, compact, notes
from gateway.interop.fhir.writing.result import Result
from shared.contracts.findings import ClinicalFinding


def risk_assessment(result: Result) -> Resource | None:
    """What the record says of the risk; null where there was no record, or the clinical service was down.

    `whenPeriod` is absent: it is the chance that the patient has the disease now, not that it will come.
    """
    clinical = result.assessment.clinical
    if clinical is None:
        return None
    found = result.new("RiskAssessment", "-risk")
    found |= {
        "status": result.status,
        "method": concept(f"decided-by-{clinical.decided_by}") if clinical.decided_by else None,
        "subject": result.subject,
        "occurrenceDateTime": result.made_at,
        "performer": result.device(clinical.model),
        "basis": [{"display": line} for line in _basis(clinical)],
        "prediction": list(_predictions(result, clinical)),
        "note": notes(_notes(result, clinical)),
    }
    return compact(found)


def _basis(clinical: ClinicalFinding) -> Iterator[str]:
    """What the category and the estimate rest on, in words: the record itself is the hospital's."""
    if clinical.bone_density is not None:
        yield clinical.bone_density.basis
    yield from (part.summary for part in clinical.contributions if part.summary)


def _predictions(result: Result, clinical: ClinicalFinding) -> Iterator[Resource]:
    category = result.amended.category or result.assessment.combined.category
    level = concept(f"risk_{category}") if category else None
    if clinical.readings:
        for reading in clinical.readings:
            yield {
                "outcome": concept("osteoporosis"),
                "probabilityDecimal": _per_cent(reading.probability),
                "qualitativeRisk": concept(f"risk_{reading.category}") if reading.category else None,
                "rationale": f"If the patient's sex is {reading.sex}",
            }
    elif clinical.probability is not None or level:
        yield {
            "outcome": concept("osteoporosis"),
            "probabilityDecimal": _per_cent(clinical.probability),
            "qualitativeRisk": level,
            "rationale": clinical.category_basis,
        }
    if clinical.low_bone_mass_probability is not None:
        chance = _per_cent(clinical.low_bone_mass_probability)
        yield {"outcome": concept("low-bone-mass"), "probabilityDecimal": chance}


def _per_cent(probability: float | None) -> float | None:
    return None if probability is None else round(100 * probability, 4)


def _notes(result: Result, clinical: ClinicalFinding) -> Iterator[str | None]:
    yield clinical.conclusion
    yield clinical.reason
    yield from (f"{warning.field}: {warning.detail}" for warning in clinical.warnings)
    yield from (f"Not used: {w.detail}" for w in result.assessment.warnings if w.was_left_out)
