"""OSIRIS, the Osteoporosis Index of Risk (Sedrine 2002)."""

from math import trunc

from services.clinical.screening.instrument import Instrument, assumption, in_words, missing, why_not_postmenopausal
from shared.clinic.fractures import has_fragility_fracture
from shared.clinic.history import uses_oestrogen
from shared.clinic.reading import Reading
from shared.contracts.findings import RiskCategory, ScreeningScore

OSIRIS = Instrument(
    population="postmenopausal women",
    cut_off="<= +1: DXA; > +1 low, -3 to +1 intermediate, < -3 high",
    citation="Sedrine 2002, Gynecol Endocrinol 16:245",
)


def osiris(reading: Reading) -> ScreeningScore:
    """Whole part of 0.2 x kg minus that of 0.2 x years; +2 on hormone therapy now, -2 after a low-impact fracture."""
    record = reading.record
    oestrogen, fracture = uses_oestrogen(record), has_fragility_fracture(record)
    reason = why_not_postmenopausal(reading) or missing(
        weight_kg=record.weight_kg, oestrogen_use=oestrogen, prior_fractures=fracture
    )
    if reason or record.weight_kg is None:
        return OSIRIS.not_applicable(reason or "needs weight_kg")
    value = trunc(round(0.2 * record.weight_kg, 9)) - trunc(round(0.2 * record.age, 9))
    value += (2 if oestrogen else 0) - (2 if fracture else 0)
    inputs = {
        "weight_kg": record.weight_kg,
        "age": record.age,
        "oestrogen_use": oestrogen,
        "prior_fractures": fracture,
    }
    return OSIRIS.result(value, inputs, refer=value <= 1, band=_band(value), notes=in_words(assumption(reading)))


def _band(value: int) -> RiskCategory:
    if value > 1:
        return "low"
    return "moderate" if value >= -3 else "high"
