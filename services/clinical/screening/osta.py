"""OSTA, the Osteoporosis Self-assessment Tool for Asians (Koh 2001)."""

from math import trunc

from services.clinical.screening.instrument import Instrument, assumption, in_words, missing, why_not_postmenopausal
from shared.clinic.fractures import has_fragility_fracture
from shared.clinic.reading import Reading
from shared.contracts.findings import RiskCategory, ScreeningScore

OSTA = Instrument(
    population="postmenopausal Asian women",
    cut_off="<= -1: at risk; > -1 low, -1 to -4 intermediate, < -4 high",
    citation="Koh 2001, Osteoporos Int 12:699, doi 10.1007/s001980170070",
)


def osta(reading: Reading) -> ScreeningScore:
    """0.2 x (weight in kg - age in years), raw, against the printed boundaries.

    Sources truncate differently near the boundary; where any convention would flag, the answer does.
    """
    record = reading.record
    reason = (
        why_not_postmenopausal(reading)
        or missing(ethnicity=record.ethnicity, weight_kg=record.weight_kg)
        or (None if record.ethnicity == "asian" else "made for Asian women")
    )
    if reason or record.weight_kg is None:
        return OSTA.not_applicable(reason or "needs weight_kg")
    value = round(0.2 * (record.weight_kg - record.age), 9)
    flagged = min(value, trunc(value), _each_term_truncated(record.weight_kg, record.age)) <= -1
    override = _override(reading)
    conflict = "Truncation conventions disagree here; the safer one is taken." if flagged and value > -1 else ""
    return OSTA.result(
        value,
        {"weight_kg": record.weight_kg, "age": record.age, "ethnicity": record.ethnicity},
        refer=flagged or bool(override),
        band=_band(value),
        notes=in_words(assumption(reading), override, conflict),
    )


def _each_term_truncated(weight_kg: float, age: float) -> int:
    return trunc(round(0.2 * weight_kg, 9)) - trunc(round(0.2 * age, 9))


def _override(reading: Reading) -> str:
    """Koh 2001: a non-violent fracture or corticosteroids call for DXA even in the low group."""
    if has_fragility_fracture(reading.record) or reading.glucocorticoids.taken:
        return "An earlier low-trauma fracture or glucocorticoids call for DXA whatever the score."
    return ""


def _band(value: float) -> RiskCategory:
    if value > -1:
        return "low"
    return "moderate" if value >= -4 else "high"
