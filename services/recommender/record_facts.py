"""Facts read off the clinical record, and those derived from it with a stated source."""

import types
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from services.recommender import fractures, kidney
from services.recommender.case import Case
from services.recommender.facts import Fact, Kind, Value
from services.recommender.logic import Truth, any_of
from shared.contracts.record import ClinicalRecord, MedicalCondition, Medication

# Our convention, for a clinician to confirm: from this age an unrecorded menopause and pregnancy are settled.
PAST_CHILDBEARING_AGE = 60
BONE_DRUGS: tuple[Medication, ...] = (
    "oral_bisphosphonate", "iv_bisphosphonate", "denosumab", "teriparatide", "abaloparatide", "romosozumab",
    "raloxifene", "hormone_therapy",
)  # fmt: skip
BONE_DRUGS_BUT_HORMONES = tuple(drug for drug in BONE_DRUGS if drug not in ("raloxifene", "hormone_therapy"))
HYPOCALCAEMIA_BELOW_MMOL_PER_L = 2.2
HYPERCALCAEMIA_ABOVE_MMOL_PER_L = 2.6


def named(listed: list[Any] | None, excluded: list[Any] | None, name: str) -> Truth:
    """Whether a list of the record names something: an empty list denies all, an exclusion denies one."""
    if listed is not None and name in listed:
        return True
    return False if listed == [] or name in (excluded or []) else None


def has(record: ClinicalRecord, condition: MedicalCondition) -> Truth:
    """Whether the record names a medical condition."""
    return named(record.medical_conditions, record.medical_conditions_excluded, condition)


def takes(record: ClinicalRecord, medication: Medication) -> Truth:
    """Whether the record names a current medication."""
    return named(record.medications, record.medications_excluded, medication)


def postmenopausal(record: ClinicalRecord) -> Truth:
    """Whether the menopause is past; an unrecorded one is taken as past from 60."""
    if record.gender == "male":
        return False
    if record.menopausal_status is not None:
        return record.menopausal_status == "postmenopausal"
    return True if record.menopause_age is not None or record.age >= PAST_CHILDBEARING_AGE else None


def pregnant(record: ClinicalRecord) -> Truth:
    """Whether she is pregnant: the field if filled in, else settled by sex, age or menopause."""
    if record.pregnant is not None:
        return record.pregnant
    ruled_out = record.gender == "male" or record.age >= PAST_CHILDBEARING_AGE or postmenopausal(record)
    return False if ruled_out else None


def hypocalcaemia(record: ClinicalRecord) -> Truth:
    """Low serum calcium by the figure or by diagnosis. "None known" does not stand in for a measurement."""
    low = record.serum_calcium_mmol_per_l
    measured = None if low is None else low < HYPOCALCAEMIA_BELOW_MMOL_PER_L
    return True if has(record, "hypocalcaemia") else measured


def hypercalcaemia(record: ClinicalRecord) -> Truth:
    """High serum calcium by the figure or by diagnosis. "None known" does not stand in for a measurement."""
    high = record.serum_calcium_mmol_per_l
    measured = None if high is None else high > HYPERCALCAEMIA_ABOVE_MMOL_PER_L
    return True if has(record, "hypercalcaemia") else measured


def on_dialysis(case: Case) -> Truth:
    """Dialysis; an eGFR of 30 and over denies it where the record does not name it."""
    on_record = None if case.record is None else has(case.record, "dialysis")
    return False if on_record is None and case.egfr is not None and case.egfr >= 30 else on_record


def kidney_measures_disagree(case: Case) -> bool:
    """Whether clearance and eGFR, both known, fall on two sides of a label's cut-off. Otherwise they do not."""
    clearance, egfr = case.creatinine_clearance, case.egfr
    return clearance is not None and egfr is not None and kidney.measures_disagree(clearance, egfr)


def cardiovascular_event(record: ClinicalRecord) -> Truth:
    """A myocardial infarction or stroke at any time."""
    if record.months_since_cardiovascular_event is not None:
        return True
    return any_of([has(record, "myocardial_infarction"), has(record, "stroke")])


def takes_oestrogen(record: ClinicalRecord) -> Truth:
    """Current oestrogen, by the field of its own or by the list of medicines; either one is enough."""
    on_list = takes(record, "hormone_therapy")
    return True if on_list else on_list if record.oestrogen_use is None else record.oestrogen_use


def names(condition: MedicalCondition) -> Callable[[ClinicalRecord], Truth]:
    """A reader of whether the record names the condition."""
    return lambda record: has(record, condition)


def takes_any(*medications: Medication) -> Callable[[ClinicalRecord], Truth]:
    """A reader of whether the record names at least one of the medications."""
    return lambda record: any_of(takes(record, medication) for medication in medications)


def body_mass_index(record: ClinicalRecord) -> float | None:
    """Kilograms per square metre."""
    if record.weight_kg is None or record.height_cm is None:
        return None
    return record.weight_kg / (record.height_cm / 100) ** 2


def years_since_menopause(record: ClinicalRecord) -> float | None:
    """Years, from the age at the last period."""
    return None if record.menopause_age is None else record.age - record.menopause_age


def steroid_adjusted(frax: float | None, record: ClinicalRecord, factor: float) -> float | None:
    """FRAX in per cent, raised for prednisolone above 7.5 mg a day (ACR 2022); an unknown dose leaves it as it is."""
    if frax is None:
        return None
    return min(frax * factor, 100.0) if (record.glucocorticoid_mg_per_day or 0) > 7.5 else frax


def _of_record(read: Callable[[ClinicalRecord], Value]) -> Callable[[Case], Value]:
    return lambda case: None if case.record is None else read(case.record)


def _absent(*fields: str) -> Callable[[Case], tuple[str, ...]]:
    """Those of the fields that the record leaves open; all of them where it leaves none."""

    def refine(case: Case) -> tuple[str, ...]:
        return tuple(name for name in fields if getattr(case.record, name, None) is None) or fields

    return refine


def _kind_of(annotation: Any) -> tuple[Kind, tuple[str, ...]] | None:
    """The kind and the vocabulary of a field of the record; None for lists, dates and the like."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind_of(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return _kind_of(members[0]) if len(members) == 1 else None
    if origin is Literal:
        return "word", get_args(annotation)
    return {bool: ("yes_no", ()), float: ("number", ()), int: ("number", ())}.get(annotation)  # type: ignore[return-value]


def _plain_fields() -> Iterator[Fact]:
    """Every scalar field of the record, under its own name."""
    for name, field in ClinicalRecord.model_fields.items():
        kind = _kind_of(field.annotation)
        if kind is not None:
            yield Fact(name, kind[0], _of_record(attrgetter(name)), (name,), kind[1])


def _listed() -> Iterator[Fact]:
    """Every medical condition and medication of the vocabularies, as `condition.NAME` and `medication.NAME`."""
    for condition in get_args(MedicalCondition):
        yield Fact(f"condition.{condition}", "yes_no", _of_record(names(condition)), ("medical_conditions",))
    for medication in get_args(Medication):
        yield Fact(f"medication.{medication}", "yes_no", _of_record(takes_any(medication)), ("medications",))


def _derived() -> Iterator[Fact]:
    yes_no: dict[str, tuple[Callable[[ClinicalRecord], Value], tuple[str, ...]]] = {
        "postmenopausal": (postmenopausal, ("menopausal_status",)),
        "pregnant": (pregnant, ("pregnant",)),
        "hypocalcaemia": (hypocalcaemia, ("serum_calcium_mmol_per_l",)),
        "hypercalcaemia": (hypercalcaemia, ("serum_calcium_mmol_per_l",)),
        "myocardial_infarction_or_stroke": (cardiovascular_event, ("medical_conditions",)),
        "takes_oestrogen": (takes_oestrogen, ("oestrogen_use",)),
        "takes_bone_drug": (takes_any(*BONE_DRUGS), ("medications",)),
        "takes_bone_drug_other_than_hormones": (takes_any(*BONE_DRUGS_BUT_HORMONES), ("medications",)),
        "takes_teriparatide_or_abaloparatide": (takes_any("teriparatide", "abaloparatide"), ("medications",)),
    }
    for name, (read, fields) in yes_no.items():
        yield Fact(name, "yes_no", _of_record(read), fields)
    numbers: dict[str, tuple[Callable[[ClinicalRecord], Value], tuple[str, ...]]] = {
        "body_mass_index": (body_mass_index, ("weight_kg", "height_cm")),
        "years_since_menopause": (years_since_menopause, ("menopause_age",)),
        "frax_major_steroid_adjusted": (lambda r: steroid_adjusted(r.frax_major, r, 1.15), ("frax_major",)),
        "frax_hip_steroid_adjusted": (lambda r: steroid_adjusted(r.frax_hip, r, 1.2), ("frax_hip",)),
    }
    for name, (read, fields) in numbers.items():
        yield Fact(name, "number", _of_record(read), fields, refine=_absent(*fields))


def _kidney() -> Iterator[Fact]:
    clearance_fields = ("creatinine_umol_per_l", "weight_kg")
    yield Fact(
        "creatinine_clearance_ml_per_min",
        "number",
        lambda case: case.creatinine_clearance,
        clearance_fields,
        refine=_absent(*clearance_fields),
    )
    yield Fact("egfr_ml_per_min", "number", lambda case: case.egfr, ("egfr_ml_per_min",))
    yield Fact("on_dialysis", "yes_no", on_dialysis, ("medical_conditions",))
    yield Fact("kidney_measures_disagree", "yes_no", kidney_measures_disagree, ("egfr_ml_per_min",))


def _fractures() -> Iterator[Fact]:
    fields = ("prior_fractures",)
    readers: dict[str, Callable[[ClinicalRecord], Value]] = {
        "any_fracture": fractures.any_fracture,
        "low_trauma_fracture": fractures.low_trauma_at,
        "low_trauma_hip_fracture": lambda r: fractures.low_trauma_at(r, "hip"),
        "low_trauma_vertebral_fracture": lambda r: fractures.low_trauma_at(r, "vertebra"),
        "low_trauma_hip_or_vertebral_fracture": lambda r: fractures.low_trauma_at(r, "hip", "vertebra"),
        "low_trauma_humerus_pelvis_or_wrist_fracture": lambda r: fractures.low_trauma_at(
            r, "proximal_humerus", "pelvis", "wrist"
        ),
        "several_low_trauma_fractures": fractures.several_low_trauma,
        "several_vertebral_fractures": lambda r: fractures.several_low_trauma(r, "vertebra"),
        "hip_or_vertebral_fracture_of_unknown_cause": fractures.unknown_cause_at_hip_or_vertebra,
    }
    for name, read in readers.items():
        yield Fact(name, "yes_no", _of_record(read), fields)
    months: dict[str, Callable[[ClinicalRecord], Value]] = {
        "months_since_low_trauma_fracture": fractures.months_since_latest,
        "months_since_vertebral_fracture": lambda r: fractures.months_since_latest(r, "vertebra"),
        "months_since_any_fracture": lambda r: fractures.months_since_latest(r, low_trauma=False),
    }
    for name, read in months.items():
        yield Fact(name, "number", _of_record(read), fields)


def record_facts() -> dict[str, Fact]:
    """All facts of the record, by name; a derived fact takes the place of the plain field of its name."""
    groups = (_plain_fields(), _listed(), _derived(), _kidney(), _fractures())
    return {fact.name: fact for group in groups for fact in group}
