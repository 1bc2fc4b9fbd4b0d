"""SCORE, the Simple Calculated Osteoporosis Risk Estimation (Lydick 1998)."""

from math import trunc

from services.clinical.screening.instrument import (
    KG_PER_POUND,
    Instrument,
    assumption,
    in_words,
    missing,
    why_not_postmenopausal,
)
from shared.clinic.fractures import fragility
from shared.clinic.history import ever_used_oestrogen, has
from shared.clinic.reading import Reading
from shared.contracts.findings import ScreeningScore
from shared.contracts.record import ClinicalRecord, FractureSite

SCORE = Instrument(
    population="postmenopausal women of 45 and over; made for T <= -2.0, not -2.5",
    cut_off=">= 6: DXA",
    citation="Lydick 1998, Am J Manag Care 4:37",
)
WOMEN_FROM = 45
FRACTURE_SITES: frozenset[FractureSite] = frozenset({"wrist", "hip", "rib"})
POINTS_A_FRACTURE, MOST_FRACTURE_POINTS = 4, 12


def score(reading: Reading) -> ScreeningScore:
    """Race 5, rheumatoid arthritis 4, fractures 4 each to 12, 3 x tens of age, never oestrogen 1, minus pounds / 10.

    Every woman gets the 5 points of the race item. Published, a Black woman gets none, and the score then missed 70%
    of African-American women with osteoporosis (PMC1924607): here the item can lower nobody's risk.
    """
    record = reading.record
    reason = why_not_postmenopausal(reading) or ("made for 45 and over" if record.age < WOMEN_FROM else None)
    arthritis, oestrogen = has(record, "rheumatoid_arthritis"), ever_used_oestrogen(record)
    fractures = _fracture_points(record)
    reason = reason or missing(
        weight_kg=record.weight_kg,
        medical_conditions=arthritis,
        prior_fractures=fractures,
        oestrogen_ever=oestrogen,
    )
    if reason or record.weight_kg is None or fractures is None:
        return SCORE.not_applicable(reason or "needs weight_kg")
    tens = int(record.age // 10)
    pounds = trunc(round(record.weight_kg / KG_PER_POUND / 10, 9))
    value = 5 + (4 if arthritis else 0) + fractures + 3 * tens + (0 if oestrogen else 1) - pounds
    inputs = {
        "age": record.age,
        "weight_kg": record.weight_kg,
        "rheumatoid_arthritis": arthritis,
        "fracture_points": fractures,
        "oestrogen_ever": oestrogen,
    }
    return SCORE.result(value, inputs, refer=value >= 6, notes=_notes(reading, value))


def _fracture_points(record: ClinicalRecord) -> int | None:
    """Points for low-trauma fractures of wrist, hip or rib after 45; None where number and site are not known."""
    if record.prior_fractures is None or record.prior_fractures is True:
        return None
    if record.prior_fractures is False:
        return 0
    counted = [
        fracture
        for fracture in record.prior_fractures
        if fracture.site in FRACTURE_SITES
        and (fragility(fracture, record.age) != "no")
        and (fracture.age is None or fracture.age > WOMEN_FROM)
    ]
    return min(POINTS_A_FRACTURE * len(counted), MOST_FRACTURE_POINTS)


def _notes(reading: Reading, value: float) -> str | None:
    race = f"The race item is scored 5 for everyone; as published it would give {value - 5:g}."
    return in_words(assumption(reading), race if reading.record.ethnicity == "black" else "")
