"""Unlikely values: accepted, shown, and pointed out. Impossible ones never get here: the contract refuses them.

The ranges, and how far a T-score may lie from what is expected, are house judgements, set so that at most one in a
hundred of the survey's own people is warned of.
"""

from collections.abc import Iterator

from shared.clinic.density import DIAGNOSTIC_BONE_SITES, in_future
from shared.clinic.expected import OLDEST_AGE, YOUNGEST_AGE
from shared.clinic.fractures import ADULT_AGE, DIAGNOSTIC_SITES, fragility, listed
from shared.clinic.menopause import PREMENOPAUSAL_BELOW
from shared.clinic.reading import Reading
from shared.clinic.units import body_warnings
from shared.contracts.findings import RecordWarning, RecordWarningType

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
    ("serum_calcium_mmol_per_l", 1.6, 3.5, "mmol/L"),
    ("egfr_ml_per_min", 5, 150, "mL/min"),
    ("creatinine_umol_per_l", 25, 1500, "umol/L"),
    ("vitamin_d_25oh_nmol_per_l", 5, 375, "nmol/L"),
)
USUAL_T = (-7.0, 5.0)
OLDEST_USUAL_AGE = 100
YOUNGEST_MENOPAUSE, OLDEST_PREMENOPAUSE, OLDEST_PREGNANCY = 35, 60, 55


def implausible(reading: Reading) -> list[RecordWarning]:
    """Everything in the record that a person should look at again, in the record's order of importance."""
    checks = (_age, _sex_open, _body, _sex, _menopause, _ranges, _densities, _signs, _dates, _history)
    return [warning for check in checks for warning in check(reading)]


def _warn(field: str, detail: str, kind: RecordWarningType = "implausible_value") -> RecordWarning:
    return RecordWarning(field=field, type=kind, detail=detail)


def _age(reading: Reading) -> Iterator[RecordWarning]:
    age = reading.record.age
    if age >= OLDEST_USUAL_AGE:
        yield _warn("age", f"age {age:g} is unusual; check the date of birth")
    if age > OLDEST_AGE:
        yield _warn(
            "age", "the model counts ages over 80 as 80: the survey it learned from gives none above", "clipped"
        )
    if age < ADULT_AGE:
        yield _warn("age", "the service is made for adults; bone density in children is read otherwise", "out_of_scope")
    elif age < YOUNGEST_AGE:
        yield _warn("age", "no probability below 40: nobody younger is in the model's population", "out_of_scope")


def _sex_open(reading: Reading) -> Iterator[RecordWarning]:
    if not reading.sex_is_settled:
        yield _warn(
            "gender",
            "which sex's figures fit is not settled by this record: both readings are given, the higher category "
            "counts, and a clinician decides",
            "sex_open",
        )


def _body(reading: Reading) -> Iterator[RecordWarning]:
    return body_warnings(reading.record)


def _sex(reading: Reading) -> Iterator[RecordWarning]:
    record = reading.record
    if not reading.sex_is_settled:
        return
    if reading.sex == "male":
        for name in ("menopausal_status", "menopause_age", "pregnant", "breastfeeding"):
            if getattr(record, name) not in (None, False):
                yield _warn(name, "given for a man; it is not used", "contradiction")
        return
    if record.menopausal_status == "premenopausal" and record.age >= OLDEST_PREMENOPAUSE:
        yield _warn("menopausal_status", f"premenopausal at {record.age:g} is unusual")
    if record.menopausal_status == "postmenopausal" and record.age < YOUNGEST_MENOPAUSE:
        yield _warn("menopausal_status", f"postmenopausal at {record.age:g} is unusual; a cause is worth a look")
    if record.menopausal_status == "premenopausal" and record.menopause_age is not None:
        yield _warn("menopause_age", "an age at the last period is given with premenopausal status", "contradiction")
    if record.pregnant and (record.age > OLDEST_PREGNANCY or record.menopausal_status == "postmenopausal"):
        yield _warn("pregnant", "pregnancy is unusual at this age or after menopause", "contradiction")


def _menopause(reading: Reading) -> Iterator[RecordWarning]:
    if reading.assumes_menopause:
        from_age = reading.policy.postmenopausal_from
        yield _warn(
            "menopausal_status",
            f"not given; taken as postmenopausal from {from_age} on (this site's policy)",
            "assumption",
        )
    if reading.assumes_premenopause and reading.record.age >= ADULT_AGE:
        yield _warn("menopausal_status", f"not given; taken as premenopausal below {PREMENOPAUSAL_BELOW}", "assumption")


def _ranges(reading: Reading) -> Iterator[RecordWarning]:
    record = reading.record
    if record.age < ADULT_AGE:
        return
    for name, low, high, unit in USUAL_RANGES:
        value = getattr(record, name)
        if value is not None and not low <= value <= high:
            yield _warn(name, f"{value:g} {unit} is unusual; check value and unit")


def _densities(reading: Reading) -> Iterator[RecordWarning]:
    record = reading.record
    for name in ("t_scores", "z_scores"):
        for score in getattr(record, name) or []:
            if not USUAL_T[0] <= score.value <= USUAL_T[1]:
                yield _warn(name, f"{score.value:g} at {_site(score.site)} is unusual; check the report")
    if reading.densities.unclassifiable_low and (score := reading.densities.deciding) is not None:
        name, other = ("t_scores", "Z") if score in reading.densities.t_scores else ("z_scores", "T")
        yield _warn(
            name,
            f"{score.value:g} gives no class here: a {other}-score or the menopausal status is needed",
            "unclassified",
        )
    if (standing := reading.frax) and standing.standing in ("no_line", "no_line_low", "over_outside"):
        yield _warn("frax_country", standing.summary, "no_threshold")


def _signs(reading: Reading) -> Iterator[RecordWarning]:
    for score in reading.densities.t_scores:
        if why := reading.signs.doubt(score):
            yield _warn("t_scores", f"{score.value:+g} at {_site(score.site)}: {why}; check the sign", "sign_slip")
        elif reading.signs.is_spine_over_hip(score):
            yield _warn(
                "t_scores",
                f"{score.value:+g} at the lumbar spine lies far above the hip: degenerative change, a fracture or "
                "calcification can raise it; read the hip",
                "degenerative_change",
            )


def _dates(reading: Reading) -> Iterator[RecordWarning]:
    record, today = reading.record, reading.as_of
    for name in ("t_scores", "z_scores", "bmd"):
        scores = getattr(record, name) or []
        for score in scores:
            if in_future(score.date, today):
                yield _warn(name, f"the scan of {score.date.isoformat()} lies in the future; not used", "future_date")
        counted = [score for score in scores if score.site in DIAGNOSTIC_BONE_SITES]
        if any(score.date is None for score in counted):
            yield _warn(name, "no date: read as current, and intervals are counted from today", "undated")
    deciding = reading.densities.deciding
    if reading.scan_is_out_of_date and deciding and deciding.date:
        years = deciding.months_old(today) / 12
        yield _warn(
            "t_scores" if deciding in reading.densities.t_scores else "z_scores",
            f"the scan of {deciding.date.isoformat()} is {years:.0f} years old, longer than its value allows",
            "out_of_date",
        )


def _history(reading: Reading) -> Iterator[RecordWarning]:
    record = reading.record
    for name in ("medical_conditions", "medications"):
        both = set(getattr(record, name) or []) & set(getattr(record, f"{name}_excluded") or [])
        if both:
            yield _warn(name, f"named as present and as absent: {', '.join(sorted(both))}", "contradiction")
    if reading.glucocorticoids.contradiction:
        for name in ("medications", "glucocorticoid_mg_per_day"):
            words = "the dose and the list of medicines differ on glucocorticoids; they are read as taken"
            yield _warn(name, words, "contradiction")
    if any(
        fracture.site in DIAGNOSTIC_SITES and fragility(fracture, record.age) == "presumed"
        for fracture in listed(record)
    ):
        yield _warn(
            "prior_fractures",
            "a hip or vertebral fracture without its trauma: if it was a low-trauma one, it is osteoporosis "
            "whatever the T-score",
            "check",
        )


def _site(site: str) -> str:
    return site.replace("_", " ")
