"""The model's effects in the record's own terms and in words."""

from math import exp

from services.clinical.risk import Estimate, Potential, sigmoid
from shared.clinic.expected import OLDEST_AGE
from shared.clinic.fractures import listed
from shared.clinic.history import has
from shared.clinic.menopause import stated_past_menopause
from shared.contracts.findings import Contribution, MissingField
from shared.contracts.record import ClinicalRecord, MedicalCondition

# The model's fields that are entries of a list in the record.
CONDITIONS: dict[str, tuple[MedicalCondition, ...]] = {
    "thyroid_disease": ("hyperthyroidism", "hypothyroidism"),
    "rheumatoid_arthritis": ("rheumatoid_arthritis",),
    "diabetes": ("diabetes_type_1", "diabetes_type_2"),
    "kidney_disease": ("chronic_kidney_disease", "dialysis"),
    "liver_disease": ("chronic_liver_disease",),
}
UNITS = {"age": "years", "weight_kg": "kg", "height_cm": "cm", "alcohol_units_per_day": "units a day"}
# Below this a field is not worth a line on the page; it still adds to the sum.
NEGLIGIBLE = 0.005
MISSING_SHOWN = 3
ASSOCIATIONS = {
    "alcohol_units_per_day": "an association in the survey, no advice to drink",
    "diabetes": "bone density is often higher in diabetes, fracture risk is not lower",
}


def contributions(record: ClinicalRecord, estimate: Estimate) -> list[Contribution]:
    """Every known field's effect, largest first; with the reference's log odds they add up to the patient's."""
    grouped: dict[str, float] = {}
    for name, effect in estimate.effects.items():
        field = record_field(record, name)
        grouped[field] = grouped.get(field, 0.0) + effect
    shown = [_contribution(record, field, effect) for field, effect in grouped.items()]
    return sorted(shown, key=lambda item: -abs(item.effect))


def most_informative_missing(record: ClinicalRecord, estimate: Estimate) -> list[MissingField]:
    """The missing fields that could move the answer most, at most three."""
    widest: dict[str, Potential] = {}
    for name, potential in estimate.missing.items():
        field = record_field(record, name)
        known = widest.get(field, Potential(0.0, 0.0))
        widest[field] = Potential(min(known.lowest, potential.lowest), max(known.highest, potential.highest))
    open_fields = [_missing(field, potential, estimate.log_odds) for field, potential in widest.items()]
    return sorted(open_fields, key=lambda item: -item.effect)[:MISSING_SHOWN]


def record_field(record: ClinicalRecord, name: str) -> str:
    """The field of the record behind one of the model's fields."""
    if name in CONDITIONS:
        return "medical_conditions"
    if name == "glucocorticoids":
        return "glucocorticoid_mg_per_day" if record.glucocorticoid_mg_per_day is not None else "medications"
    if name == "family_history" and not record.family_history and record.parent_hip_fracture is not None:
        # Either parent's history counts; the field that says "yes" is the one to show.
        return "parent_hip_fracture" if record.parent_hip_fracture or record.family_history is None else name
    return name


def _missing(field: str, potential: Potential, log_odds: float) -> MissingField:
    low, high = sigmoid(log_odds + potential.lowest), sigmoid(log_odds + potential.highest)
    return MissingField(
        field=field,
        effect=max(abs(potential.lowest), abs(potential.highest)),
        lowest_probability=low,
        highest_probability=high,
        summary=f"Knowing {field} could move the probability to between {low:.1%} and {high:.1%}",
    )


def _contribution(record: ClinicalRecord, field: str, effect: float) -> Contribution:
    value = _value(record, field)
    return Contribution(field=field, value=value, effect=effect, summary=_summary(record, field, value, effect))


def _summary(record: ClinicalRecord, field: str, value: float | bool | str | None, effect: float) -> str:
    shown = _shown(value)
    unit = f" {UNITS[field]}" if field in UNITS else ""
    if field == "age" and record.age > OLDEST_AGE:
        unit += " (counted as 80)"
    what = (
        f"{field.replace('_kg', '').replace('_cm', '').replace('_units_per_day', '').replace('_', ' ')} {shown}{unit}"
    )
    if abs(effect) < NEGLIGIBLE:
        return f"{what}: no effect on this estimate"
    change = f"multiplies the odds by {exp(effect):.2f}"
    note = _association(record, field)
    return f"{what}: {'raises' if effect > 0 else 'lowers'} the estimate ({change}{note})"


def _shown(value: float | bool | str | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _association(record: ClinicalRecord, field: str) -> str:
    key = "diabetes" if field == "medical_conditions" and has(record, *CONDITIONS["diabetes"]) else field
    return f"; {ASSOCIATIONS[key]}" if key in ASSOCIATIONS else ""


def _value(record: ClinicalRecord, field: str) -> float | bool | str | None:
    if field == "medical_conditions":
        named = [c for names in CONDITIONS.values() for c in names if has(record, c)]
        return ", ".join(named) or "none of those the model uses"
    if field == "medications":
        return "glucocorticoids" if "glucocorticoids" in (record.medications or []) else "no glucocorticoids"
    if field == "prior_fractures" and not isinstance(record.prior_fractures, bool):
        return ", ".join(sorted({f.site for f in listed(record)})) or "none"
    if field == "oestrogen_use" and record.oestrogen_use is None:
        return "hormone_therapy" if "hormone_therapy" in (record.medications or []) else False
    if field == "menopausal_status" and record.menopausal_status is None:
        return "postmenopausal" if stated_past_menopause(record, "female") else "premenopausal"
    if field == "oestrogen_ever" and record.oestrogen_ever is None:
        return True
    value: float | bool | str | None = getattr(record, field)
    return value
