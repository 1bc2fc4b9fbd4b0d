"""Facts of the clinical record: every plain field, every named disease and medicine, and what is derived of them."""

import types
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from services.recommender import fractures, history
from services.recommender.case import Case
from services.recommender.facts import Fact, Kind, Value
from shared.contracts.record import ClinicalRecord, MedicalCondition, Medication

BONE_DRUGS: tuple[Medication, ...] = (
    "oral_bisphosphonate", "iv_bisphosphonate", "denosumab", "teriparatide", "abaloparatide", "romosozumab",
    "raloxifene", "hormone_therapy",
)  # fmt: skip
BONE_DRUGS_BUT_HORMONES = tuple(drug for drug in BONE_DRUGS if drug not in ("raloxifene", "hormone_therapy"))


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
        yield Fact(f"condition.{condition}", "yes_no", _of_record(history.names(condition)), ("medical_conditions",))
    for medication in get_args(Medication):
        yield Fact(f"medication.{medication}", "yes_no", _of_record(history.takes_any(medication)), ("medications",))


def _derived() -> Iterator[Fact]:
    yes_no: dict[str, tuple[Callable[[ClinicalRecord], Value], tuple[str, ...]]] = {
        "postmenopausal": (history.postmenopausal, ("menopausal_status",)),
        "pregnant": (history.pregnant, ("pregnant",)),
        "hypocalcaemia": (history.hypocalcaemia, ("serum_calcium_mmol_per_l",)),
        "hypercalcaemia": (history.hypercalcaemia, ("serum_calcium_mmol_per_l",)),
        "myocardial_infarction_or_stroke": (history.cardiovascular_event, ("medical_conditions",)),
        "takes_oestrogen": (history.takes_oestrogen, ("oestrogen_use",)),
        "takes_bone_drug": (history.takes_any(*BONE_DRUGS), ("medications",)),
        "takes_bone_drug_other_than_hormones": (history.takes_any(*BONE_DRUGS_BUT_HORMONES), ("medications",)),
        "takes_teriparatide_or_abaloparatide": (history.takes_any("teriparatide", "abaloparatide"), ("medications",)),
    }
    for name, (read, fields) in yes_no.items():
        yield Fact(name, "yes_no", _of_record(read), fields)
    numbers: dict[str, tuple[Callable[[ClinicalRecord], Value], tuple[str, ...]]] = {
        "body_mass_index": (history.body_mass_index, ("weight_kg", "height_cm")),
        "years_since_menopause": (history.years_since_menopause, ("menopause_age",)),
        "frax_major_steroid_adjusted": (lambda r: history.steroid_adjusted(r.frax_major, r, 1.15), ("frax_major",)),
        "frax_hip_steroid_adjusted": (lambda r: history.steroid_adjusted(r.frax_hip, r, 1.2), ("frax_hip",)),
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
    yield Fact("on_dialysis", "yes_no", history.on_dialysis, ("medical_conditions",))
    yield Fact("kidney_measures_disagree", "yes_no", history.kidney_measures_disagree, ("egfr_ml_per_min",))


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
