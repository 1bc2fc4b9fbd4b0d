"""Unlikely values: accepted, and pointed out. Impossible ones never get here: the record's contract refuses them."""

from collections.abc import Iterator

from services.clinical.history import DIAGNOSTIC_SITES, fractures, fragility
from services.clinical.variables import OLDEST_AGE, YOUNGEST_AGE
from shared.contracts.findings import RecordWarning
from shared.contracts.record import ClinicalRecord

ADULT_AGE = 18
# Field, lowest and highest value that needs no second look in an adult, unit.
USUAL_RANGES: tuple[tuple[str, float, float, str], ...] = (
    ("weight_kg", 30, 250, "kg"),
    ("height_cm", 120, 215, "cm"),
    ("height_loss_cm", 0, 15, "cm"),
    ("menopause_age", 30, 60, "years"),
    ("calcium_mg_per_day", 50, 4000, "mg a day"),
    ("vitamin_d_iu_per_day", 0, 20_000, "IU a day"),
    ("alcohol_units_per_day", 0, 25, "units a day"),
    ("glucocorticoid_mg_per_day", 0, 100, "mg a day"),
    ("serum_calcium_mmol_per_l", 1.6, 3.5, "mmol/l"),
    ("egfr_ml_per_min", 5, 150, "ml/min"),
)
USUAL_BMI, USUAL_T = (14.0, 60.0), (-7.0, 5.0)
OLDEST_USUAL_AGE = 100
YOUNGEST_MENOPAUSE, OLDEST_PREMENOPAUSE, OLDEST_PREGNANCY = 35, 60, 55


def implausible(record: ClinicalRecord) -> list[RecordWarning]:
    """Everything in the record that a person should look at again, in the record's order of importance."""
    return [*_age(record), *_body(record), *_sex(record), *_ranges(record), *_densities(record), *_history(record)]


def _warn(field: str, detail: str, kind: str = "implausible_value") -> RecordWarning:
    return RecordWarning(field=field, type=kind, detail=detail)


def _age(record: ClinicalRecord) -> Iterator[RecordWarning]:
    if record.age >= OLDEST_USUAL_AGE:
        yield _warn("age", f"age {record.age:g} is unusual; check the date of birth")
    if record.age > OLDEST_AGE:
        yield _warn(
            "age", "the model counts ages over 80 as 80: the survey it learned from gives none above", "clipped"
        )
    if record.age < ADULT_AGE:
        yield _warn("age", "the service is made for adults; bone density in children is read otherwise", "out_of_scope")
    elif record.age < YOUNGEST_AGE:
        yield _warn("age", "no probability below 40: nobody younger is in the model's population", "out_of_scope")


def _body(record: ClinicalRecord) -> Iterator[RecordWarning]:
    if record.weight_kg is None or record.height_cm is None:
        return
    bmi = record.weight_kg / (record.height_cm / 100) ** 2
    if not USUAL_BMI[0] <= bmi <= USUAL_BMI[1]:
        yield _warn("weight_kg", f"weight and height give a BMI of {bmi:.1f} kg/m2; check both and their units")


def _sex(record: ClinicalRecord) -> Iterator[RecordWarning]:
    if record.gender == "male":
        for name in ("menopausal_status", "menopause_age", "pregnant"):
            if getattr(record, name) not in (None, False):
                yield _warn(name, f"{name} is given for a man; it is not used", "contradiction")
        return
    if record.menopausal_status == "premenopausal" and record.age >= OLDEST_PREMENOPAUSE:
        yield _warn("menopausal_status", f"premenopausal at {record.age:g} is unusual")
    if record.menopausal_status == "postmenopausal" and record.age < YOUNGEST_MENOPAUSE:
        yield _warn("menopausal_status", f"postmenopausal at {record.age:g} is unusual; a cause is worth a look")
    if record.menopausal_status == "premenopausal" and record.menopause_age is not None:
        yield _warn("menopause_age", "an age at the last period is given with premenopausal status", "contradiction")
    if record.pregnant and (record.age > OLDEST_PREGNANCY or record.menopausal_status == "postmenopausal"):
        yield _warn("pregnant", "pregnancy is unusual at this age or after menopause", "contradiction")


def _ranges(record: ClinicalRecord) -> Iterator[RecordWarning]:
    if record.age < ADULT_AGE:
        return
    for name, low, high, unit in USUAL_RANGES:
        value = getattr(record, name)
        if value is not None and not low <= value <= high:
            yield _warn(name, f"{value:g} {unit} is unusual; check value and unit")


def _densities(record: ClinicalRecord) -> Iterator[RecordWarning]:
    for name in ("t_scores", "z_scores"):
        for score in getattr(record, name) or []:
            if not USUAL_T[0] <= score.value <= USUAL_T[1]:
                yield _warn(name, f"{score.value:g} at {score.site} is unusual; check the report")


def _history(record: ClinicalRecord) -> Iterator[RecordWarning]:
    for name in ("medical_conditions", "medications"):
        both = set(getattr(record, name) or []) & set(getattr(record, f"{name}_excluded") or [])
        if both:
            yield _warn(name, f"named as present and as absent: {', '.join(sorted(both))}", "contradiction")
    if any(f.site in DIAGNOSTIC_SITES and fragility(f) == "presumed" for f in fractures(record)):
        yield _warn(
            "prior_fractures",
            "a hip or vertebral fracture without its trauma: if it was a low-trauma one, it is osteoporosis "
            "whatever the T-score",
            "check",
        )
