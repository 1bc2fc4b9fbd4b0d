"""ORAI, the Osteoporosis Risk Assessment Instrument (Cadarette 2000)."""

from services.clinical.screening.instrument import Instrument, in_words, missing
from shared.clinic.history import uses_oestrogen
from shared.clinic.reading import Reading
from shared.contracts.findings import ScreeningScore

ORAI = Instrument(
    population="women of 45 and over",
    cut_off=">= 9: DXA",
    citation="Cadarette 2000, CMAJ 162:1289; table in BMC Musculoskelet Disord 2008;9:13",
)
WOMEN_FROM = 45


def orai(reading: Reading) -> ScreeningScore:
    """Age 75+ 15, 65-74 9, 55-64 5; weight < 60 kg 9, 60 to below 70 kg 3; not on oestrogen now 2."""
    record = reading.record
    oestrogen = uses_oestrogen(record)
    if reading.sex == "male":
        return ORAI.not_applicable("made for women")
    if record.age < WOMEN_FROM:
        return ORAI.not_applicable("made for women of 45 and over")
    reason = missing(weight_kg=record.weight_kg, oestrogen_use=oestrogen)
    if reason or record.weight_kg is None:
        return ORAI.not_applicable(reason or "needs weight_kg")
    value = _age_points(record.age) + _weight_points(record.weight_kg) + (0 if oestrogen else 2)
    secondary = "Not made for secondary osteoporosis: glucocorticoids." if reading.glucocorticoids.taken else ""
    inputs = {"age": record.age, "weight_kg": record.weight_kg, "oestrogen_use": oestrogen}
    return ORAI.result(value, inputs, refer=value >= 9, notes=in_words(secondary))


def _age_points(age: float) -> int:
    if age >= 75:
        return 15
    if age >= 65:
        return 9
    return 5 if age >= 55 else 0


def _weight_points(weight_kg: float) -> int:
    if weight_kg < 60:
        return 9
    return 3 if weight_kg < 70 else 0
