"""Facts of the clinical record: every plain field, every named disease and medicine, and what its reading derives."""

import types
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from services.recommender.case import Case
from services.recommender.facts import Fact, Kind, Value
from shared.clinic import Reading, fractures, history, kidney, menopause
from shared.clinic.frax import FraxSource, FraxStanding
from shared.clinic.glucocorticoids import HIP_FACTOR, MAJOR_FACTOR, AcrRisk, raised
from shared.clinic.intervals import IntervalBasis
from shared.clinic.logic import Truth
from shared.contracts.record import ClinicalRecord, MedicalCondition, Medication, Sex

Read = Callable[[Reading], Value]


def _of_record(read: Callable[[ClinicalRecord], Value]) -> Callable[[Case], Value]:
    return lambda case: None if case.record is None else read(case.record)


def _of_reading(read: Read) -> Callable[[Case], Value]:
    return lambda case: case.read(read)


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
    """Every medical condition and medication of the vocabularies, as `condition.NAME` and `medication.NAME`.

    `medication.glucocorticoids` is the one fact of dose and list together.
    """
    for condition in get_args(MedicalCondition):
        reader = partial(_has, condition)
        yield Fact(f"condition.{condition}", "yes_no", _of_record(reader), ("medical_conditions",))
    for medication in get_args(Medication):
        taken = partial(_takes, medication)
        yield Fact(f"medication.{medication}", "yes_no", _of_record(taken), ("medications",))
    yield Fact("medication.glucocorticoids", "yes_no", _of_reading(lambda r: r.glucocorticoids.taken), ("medications",))


def _has(condition: MedicalCondition, record: ClinicalRecord) -> Truth:
    return history.has(record, condition)


def _takes(medication: Medication, record: ClinicalRecord) -> Truth:
    return history.takes(record, medication)


def _takes_any(*medications: Medication) -> Read:
    return lambda reading: history.takes(reading.record, *medications)


def _yes_no() -> Iterator[Fact]:
    readers: dict[str, tuple[Read, tuple[str, ...]]] = {
        "postmenopausal": (lambda r: r.postmenopausal, ("menopausal_status",)),
        "menopause_assumed": (lambda r: r.assumes_menopause, ("menopausal_status",)),
        "early_menopause": (lambda r: r.early_menopause, ("menopause_age",)),
        "pregnant": (lambda r: r.pregnant, ("pregnant",)),
        "hypocalcaemia": (lambda r: history.hypocalcaemia(r.record), ("serum_calcium_mmol_per_l",)),
        "hypercalcaemia": (lambda r: history.hypercalcaemia(r.record), ("serum_calcium_mmol_per_l",)),
        "myocardial_infarction_or_stroke": (lambda r: history.cardiovascular_event(r.record), ("medical_conditions",)),
        "cancer_in_bone": (lambda r: history.has(r.record, *history.CANCERS_IN_BONE), ("medical_conditions",)),
        "cancer_history": (lambda r: history.has(r.record, *history.CANCERS), ("medical_conditions",)),
        "takes_oestrogen": (lambda r: history.uses_oestrogen(r.record), ("oestrogen_use",)),
        "takes_bone_drug": (_takes_any(*history.BONE_DRUGS), ("medications",)),
        "takes_bone_drug_other_than_hormones": (_takes_any(*history.BONE_DRUGS_BUT_HORMONES), ("medications",)),
        "takes_antiresorptive": (_takes_any(*history.ANTIRESORPTIVES), ("medications",)),
        "takes_teriparatide_or_abaloparatide": (_takes_any("teriparatide", "abaloparatide"), ("medications",)),
        "long_term_glucocorticoid": (lambda r: r.glucocorticoids.long_term, ("glucocorticoid_mg_per_day",)),
        "nogg_glucocorticoid_dose": (lambda r: r.glucocorticoids.nogg_very_high, ("glucocorticoid_mg_per_day",)),
        "nogg_steroid_protection": (lambda r: r.nogg_steroid_protection, ("glucocorticoid_mg_per_day",)),
        "fracture_on_treatment": (lambda r: r.fracture_on_treatment, ("bisphosphonate_years",)),
        "loses_bone_fast": (lambda r: r.loses_bone_fast, ("medications",)),
        "denosumab_late": (lambda r: r.denosumab_late, ("denosumab_last_dose_months_ago",)),
        "zoledronate_followed_denosumab": (lambda r: r.zoledronate_followed, ("zoledronate_months_ago",)),
        "density_on_record": (lambda r: r.densities.deciding is not None, ("t_scores",)),
        "scan_current": (lambda r: r.has_current_scan, ("t_scores",)),
        "scan_out_of_date": (lambda r: r.scan_is_out_of_date, ("t_scores",)),
        "density_in_doubt": (lambda r: r.density_in_doubt, ("t_scores",)),
        "unclassifiable_low_score": (lambda r: r.densities.unclassifiable_low, ("z_scores",)),
        "low_score_by_other_method": (lambda r: r.low_by_other_method, ("t_scores",)),
        "kidney_measures_disagree": (_kidney_measures_disagree, ("egfr_ml_per_min",)),
        "on_dialysis": (_on_dialysis, ("medical_conditions",)),
    }
    for name, (read, fields) in readers.items():
        yield Fact(name, "yes_no", _of_reading(read), fields)


def _on_dialysis(reading: Reading) -> Truth:
    """Dialysis; an eGFR of 30 and over denies it where the record does not name it."""
    on_record = history.has(reading.record, "dialysis")
    return False if on_record is None and reading.egfr is not None and reading.egfr >= 30 else on_record


def _kidney_measures_disagree(reading: Reading) -> bool:
    """Whether clearance and eGFR, both known, fall on two sides of a label's cut-off. Otherwise they do not."""
    clearance, egfr = reading.creatinine_clearance, reading.egfr
    return clearance is not None and egfr is not None and kidney.measures_disagree(clearance, egfr)


def _words() -> Iterator[Fact]:
    yield Fact("sex", "word", _of_reading(lambda r: r.sex), ("gender",), get_args(Sex))
    yield Fact(
        "acr_risk",
        "word",
        _of_reading(lambda r: r.acr_risk),
        ("glucocorticoid_mg_per_day", "glucocorticoid_months"),
        get_args(AcrRisk),
    )
    yield Fact(
        "frax_standing",
        "word",
        _of_reading(lambda r: r.frax.standing if r.frax else None),
        ("frax_major",),
        get_args(FraxStanding),
    )
    yield Fact(
        "frax_line",
        "word",
        _of_reading(lambda r: r.frax.source if r.frax else None),
        ("frax_country",),
        get_args(FraxSource),
    )
    yield Fact(
        "next_dxa_basis",
        "word",
        lambda case: case.next_scan.basis if case.next_scan else None,
        ("t_scores",),
        get_args(IntervalBasis),
    )


def _numbers() -> Iterator[Fact]:
    readers: dict[str, tuple[Read, tuple[str, ...]]] = {
        "body_mass_index": (lambda r: r.body_mass_index, ("weight_kg", "height_cm")),
        "years_since_menopause": (lambda r: menopause.years_since_menopause(r.record), ("menopause_age",)),
        "frax_major_steroid_adjusted": (
            lambda r: raised(r.record.frax_major, r.glucocorticoids, MAJOR_FACTOR),
            ("frax_major",),
        ),
        "frax_hip_steroid_adjusted": (
            lambda r: raised(r.record.frax_hip, r.glucocorticoids, HIP_FACTOR),
            ("frax_hip",),
        ),
        "creatinine_clearance_ml_per_min": (
            lambda r: r.creatinine_clearance,
            ("creatinine_umol_per_l", "weight_kg"),
        ),
        "lowest_z_score": (lambda r: r.lowest_z, ("z_scores",)),
    }
    for name, (read, fields) in readers.items():
        yield Fact(name, "number", _of_reading(read), fields, refine=_absent(*fields))
    yield Fact("egfr_ml_per_min", "number", _of_reading(lambda r: r.egfr), ("egfr_ml_per_min",))
    for name in ("after", "by"):
        yield Fact(f"next_dxa_{name}_months", "number", _of_next_scan(name), ("t_scores",))


def _of_next_scan(part: str) -> Callable[[Case], Value]:
    return lambda case: round(getattr(case.next_scan, part)) if case.next_scan else None


def _fractures() -> Iterator[Fact]:
    fields = ("prior_fractures",)
    readers: dict[str, Callable[[ClinicalRecord], Value]] = {
        "any_fracture": fractures.any_fracture,
        "every_fracture_described": fractures.all_described,
        "low_trauma_fracture": fractures.low_trauma_at,
        "low_trauma_hip_fracture": lambda r: fractures.low_trauma_at(r, "hip"),
        "low_trauma_vertebral_fracture": lambda r: fractures.low_trauma_at(r, "vertebra"),
        "low_trauma_hip_or_vertebral_fracture": lambda r: fractures.low_trauma_at(r, "hip", "vertebra"),
        "low_trauma_humerus_pelvis_or_wrist_fracture": lambda r: fractures.low_trauma_at(
            r, *sorted(fractures.TREATED_WITH_LOW_BONE_MASS)
        ),
        "several_low_trauma_fractures": fractures.several_low_trauma,
        "several_vertebral_fractures": lambda r: fractures.several_low_trauma(r, "vertebra"),
        "hip_or_vertebral_fracture_of_unknown_cause": fractures.unknown_cause_at_hip_or_vertebra,
    }
    for name, read in readers.items():
        yield Fact(name, "yes_no", _of_record(read), fields)
    months: dict[str, Callable[[ClinicalRecord], Value]] = {
        "months_since_low_trauma_fracture": fractures.months_since_latest,
        "months_since_hip_fracture": lambda r: fractures.months_since_latest(r, "hip"),
        "months_since_vertebral_fracture": lambda r: fractures.months_since_latest(r, "vertebra"),
        "months_since_any_fracture": lambda r: fractures.months_since_latest(r, low_trauma=False),
    }
    for name, read in months.items():
        yield Fact(name, "number", _of_record(read), fields)


def record_facts() -> dict[str, Fact]:
    """All facts of the record, by name; a derived fact takes the place of the plain field of its name."""
    groups = (_plain_fields(), _listed(), _yes_no(), _words(), _numbers(), _fractures())
    return {fact.name: fact for group in groups for fact in group}
