"""MORES, the Male Osteoporosis Risk Estimation Score (Shepherd 2007)."""

from services.clinical.screening.instrument import Instrument, missing
from shared.clinic.history import has
from shared.clinic.reading import Reading
from shared.contracts.findings import ScreeningScore

MORES = Instrument(
    population="men, derived from 50 on, recommended from 60 on; against a male reference",
    cut_off=">= 6: DXA",
    citation="Shepherd 2007, Ann Fam Med 5:540, PMC2094029",
)
MEN_FROM, RECOMMENDED_FROM = 50, 60
POINTS_NOTE = "The point values await a clinician's sign-off: the paper's table was read for its bands only."


def mores(reading: Reading) -> ScreeningScore:
    """Age 56-74 3, 75+ 4; COPD 3; weight <= 70 kg 6, to 80 kg 4."""
    record = reading.record
    copd = has(record, "copd")
    if reading.sex == "female":
        return MORES.not_applicable("made for men")
    if record.age < MEN_FROM:
        return MORES.not_applicable("made for men of 50 and over")
    reason = missing(weight_kg=record.weight_kg, medical_conditions=copd)
    if reason or record.weight_kg is None:
        return MORES.not_applicable(reason or "needs weight_kg")
    value = _age_points(record.age) + _weight_points(record.weight_kg) + (3 if copd else 0)
    notes = POINTS_NOTE if record.age >= RECOMMENDED_FROM else f"Recommended from 60 on. {POINTS_NOTE}"
    inputs = {"age": record.age, "weight_kg": record.weight_kg, "copd": copd}
    return MORES.result(value, inputs, refer=value >= 6, notes=notes)


def _age_points(age: float) -> int:
    if age >= 75:
        return 4
    return 3 if age >= 56 else 0


def _weight_points(weight_kg: float) -> int:
    if weight_kg <= 70:
        return 6
    return 4 if weight_kg <= 80 else 0
