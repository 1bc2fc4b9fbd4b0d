"""The bone-density model's variables, as numbers, read from one record. NaN is unknown.

One list serves the service and its training, so that a variable cannot mean two things. Every variable belongs to a
field of the record; `FIELDS` groups them, since a field is known or unknown as a whole.
"""

from collections.abc import Mapping
from math import nan

import numpy as np
from numpy.typing import NDArray

from shared.clinic.expected import OLDEST_AGE
from shared.clinic.fractures import listed
from shared.clinic.glucocorticoids import glucocorticoids
from shared.clinic.history import ever_used_oestrogen, has, uses_oestrogen
from shared.clinic.menopause import stated_past_menopause
from shared.contracts.record import ClinicalRecord, Sex

# Field of the record, or of a list in it -> the variables it fills.
FIELDS: dict[str, tuple[str, ...]] = {
    "weight_kg": ("weight_kg",),
    "height_cm": ("height_cm",),
    "menopausal_status": ("past_menopause",),
    "menopause_age": ("menopause_age",),
    "family_history": ("parental",),
    "prior_fractures": ("fracture", "major_fracture"),
    "glucocorticoids": ("glucocorticoids",),
    "thyroid_disease": ("thyroid_disease",),
    "rheumatoid_arthritis": ("rheumatoid_arthritis",),
    "diabetes": ("diabetes",),
    "kidney_disease": ("kidney_disease",),
    "liver_disease": ("liver_disease",),
    "oestrogen_use": ("oestrogen_use",),
    "oestrogen_ever": ("oestrogen_ever",),
    "smoking": ("smoker",),
    "alcohol_units_per_day": ("alcohol_units_per_day",),
    "physical_activity": ("active",),
}
ALWAYS_KNOWN = ("female", "age")
VARIABLES: tuple[str, ...] = ALWAYS_KNOWN + tuple(name for names in FIELDS.values() for name in names)
WOMEN_ONLY = ("past_menopause", "menopause_age", "oestrogen_use", "oestrogen_ever")

Columns = Mapping[str, NDArray[np.float64]]


def variables_of(record: ClinicalRecord, sex: Sex) -> dict[str, float]:
    """The model's variables of one record read by one sex; ages clipped at 80 years, NaN where nobody said."""
    fracture, major = _fractures(record)
    return {
        "female": float(sex == "female"),
        "age": min(float(record.age), OLDEST_AGE),
        "weight_kg": _number(record.weight_kg),
        "height_cm": _number(record.height_cm),
        "past_menopause": _number(stated_past_menopause(record, sex)),
        "menopause_age": _number(record.menopause_age),
        "parental": _number(_parental(record)),
        "fracture": fracture,
        "major_fracture": major,
        "glucocorticoids": _number(glucocorticoids(record).taken),
        "thyroid_disease": _number(has(record, "hyperthyroidism", "hypothyroidism")),
        "rheumatoid_arthritis": _number(has(record, "rheumatoid_arthritis")),
        "diabetes": _number(has(record, "diabetes_type_1", "diabetes_type_2")),
        "kidney_disease": _number(has(record, "chronic_kidney_disease", "dialysis")),
        "liver_disease": _number(has(record, "chronic_liver_disease")),
        "oestrogen_use": _number(uses_oestrogen(record)),
        "oestrogen_ever": _number(ever_used_oestrogen(record)),
        "smoker": _number(None if record.smoking is None else record.smoking == "current"),
        "alcohol_units_per_day": _number(record.alcohol_units_per_day),
        "active": _number(None if record.physical_activity is None else record.physical_activity == "active"),
    }


def _number(value: float | bool | None) -> float:
    return nan if value is None else float(value)


def _parental(record: ClinicalRecord) -> bool | None:
    """Osteoporosis or a hip fracture in a parent; "no" where every answered question says so."""
    known = [v for v in (record.family_history, record.parent_hip_fracture) if v is not None]
    return any(known) if known else None


def _fractures(record: ClinicalRecord) -> tuple[float, float]:
    """Any fracture, and one of hip, spine or wrist; a bare "yes" leaves the second unknown."""
    if record.prior_fractures is None:
        return nan, nan
    if isinstance(record.prior_fractures, bool):
        return (1.0, nan) if record.prior_fractures else (0.0, 0.0)
    sites = {fracture.site for fracture in listed(record)}
    return float(bool(sites)), float(bool(sites & {"hip", "vertebra", "wrist"}))
