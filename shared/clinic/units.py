"""Weight and height that may be in another unit or mistyped. Until that is checked they lower no estimate."""

from collections.abc import Iterator

from shared.clinic.fractures import ADULT_AGE
from shared.clinic.history import body_mass_index
from shared.contracts.findings import RecordWarning
from shared.contracts.record import ClinicalRecord

USUAL_BMI = (14.0, 60.0)
POUNDS_A_KG, CM_AN_INCH = 2.2046, 2.54
# A body mass index over 35 that would be usual if the weight were in pounds; from 65 on fewer are so heavy.
POUNDS_FROM_BMI, POUNDS_BMI, POUNDS_BMI_OLD, POUNDS_OLD_AGE = 35, (23.0, 30.0), (21.0, 30.0), 65
INCHES = (52, 80)
NOT_LOWERED = "until that is checked it lowers no estimate"


def body_warnings(record: ClinicalRecord) -> Iterator[RecordWarning]:
    """What is odd about weight and height, the more likely slip first."""
    if record.age < ADULT_AGE:
        return
    weight, height = record.weight_kg, record.height_cm
    if height is not None and INCHES[0] <= height <= INCHES[1]:
        detail = f"{height:g} cm may be inches ({height * CM_AN_INCH:.0f} cm); {NOT_LOWERED}"
        yield RecordWarning(field="height_cm", type="wrong_unit", detail=detail)
        return
    bmi = body_mass_index(weight, height)
    if bmi is None:
        return
    if (in_kg := weight_if_pounds(record)) is not None:
        detail = f"{weight:g} kg gives a BMI of {bmi:.0f} and may be pounds ({in_kg:.0f} kg); {NOT_LOWERED}"
        yield RecordWarning(field="weight_kg", type="wrong_unit", detail=detail)
    elif not USUAL_BMI[0] <= bmi <= USUAL_BMI[1]:
        detail = f"weight and height give a BMI of {bmi:.1f} kg/m2; check both and their units; {NOT_LOWERED}"
        yield RecordWarning(field="weight_kg", type="implausible_value", detail=detail)


def body_in_doubt(record: ClinicalRecord) -> bool:
    """Whether weight or height may be a slip."""
    return next(body_warnings(record), None) is not None


def weight_if_pounds(record: ClinicalRecord) -> float | None:
    """The weight in kg if the number on record is one of pounds; None where that is not likely."""
    bmi = body_mass_index(record.weight_kg, record.height_cm)
    if record.weight_kg is None or bmi is None or record.age < ADULT_AGE or bmi <= POUNDS_FROM_BMI:
        return None
    low, high = POUNDS_BMI_OLD if record.age >= POUNDS_OLD_AGE else POUNDS_BMI
    return record.weight_kg / POUNDS_A_KG if low <= bmi / POUNDS_A_KG <= high else None
