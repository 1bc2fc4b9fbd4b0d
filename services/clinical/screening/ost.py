"""OST, the Osteoporosis Self-assessment Tool: weight and age only."""

from math import trunc

from services.clinical.screening.instrument import (
    Instrument,
    assumption,
    in_words,
    missing,
    why_not_postmenopausal,
)
from shared.clinic.reading import Reading
from shared.contracts.findings import RiskCategory, ScreeningScore
from shared.contracts.record import ClinicalRecord

WOMEN = Instrument(
    population="postmenopausal women",
    cut_off="< 2: DXA; >= 2 low, -3 to below 2 intermediate, < -3 high",
    citation="OST as restated in BMC Musculoskelet Disord 2008;9:13, table 1, and J Am Board Fam Med 2016;29:233",
)
MEN = Instrument(
    population="men of 50 and over",
    cut_off="< 4: DXA (other published cut-offs for men lie between 2 and 3)",
    citation="University of Washington osteoporosis education, OST in men",
)
MEN_FROM = 50


def ost(reading: Reading) -> ScreeningScore:
    """0.2 x (weight in kg - age in years), truncated to an integer toward zero."""
    record, man = reading.record, reading.sex == "male"
    instrument = MEN if man else WOMEN
    reason = _why_not_man(record) if man else why_not_postmenopausal(reading)
    reason = reason or missing(weight_kg=record.weight_kg)
    if reason or record.weight_kg is None:
        return instrument.not_applicable(reason or "needs weight_kg")
    value = trunc(round(0.2 * (record.weight_kg - record.age), 9))
    inputs = {"weight_kg": record.weight_kg, "age": record.age}
    if man:
        return instrument.result(value, inputs, refer=value < 4)
    return instrument.result(value, inputs, refer=value < 2, band=_band(value), notes=in_words(assumption(reading)))


def untruncated_ost(weight_kg: float, age: float) -> float:
    """OST before truncation, the baseline that the risk model is measured against."""
    return 0.2 * (weight_kg - age)


def _why_not_man(record: ClinicalRecord) -> str | None:
    return None if record.age >= MEN_FROM else "made for men of 50 and over"


def _band(value: int) -> RiskCategory:
    if value >= 2:
        return "low"
    return "moderate" if value >= -3 else "high"
