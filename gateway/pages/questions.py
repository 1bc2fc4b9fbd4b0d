"""The questions of the clinical form, and the record that their answers make.

Every question can be left at "I don't know", which sends nothing: an absent field is unknown. What a value may be is
decided by the record's contract; the limits here only help while somebody types.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from starlette.datastructures import FormData

from gateway.pages.forms import day, number, text
from shared.contracts.record import (
    BoneSite,
    ClinicalRecord,
    DensityDevice,
    Ethnicity,
    FractureSite,
    FraxCountry,
    Gender,
    MedicalCondition,
    Medication,
    MenopausalStatus,
    Sex,
    Whole,
)

Kind = Literal["number", "choice", "yes_no", "many", "fractures", "densities"]
FRACTURE_ROWS, DENSITY_ROWS = 3, 4
MEASURES = ("t_score", "z_score", "g_per_cm2")


@dataclass(frozen=True)
class Question:
    """One question. Its words are in the catalogue under `question.<name>`, `unit.<name>` and `help.<name>`."""

    name: str
    kind: Kind
    low: float = 0
    high: float = 0
    step: float = 1
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Questions that belong together, asked of everybody or of some genders; the empty one is not answered yet."""

    name: str
    questions: tuple[Question, ...]
    genders: tuple[str, ...] = ()


def _number(name: str, step: float = 1) -> Question:
    """A number within the bounds that the record's contract sets."""
    bounds = ClinicalRecord.model_fields[name].metadata
    low = next(bound.ge for bound in bounds if hasattr(bound, "ge"))
    high = next(bound.le for bound in bounds if hasattr(bound, "le"))
    return Question(name, "number", low, high, step)


def _choice(name: str, options: tuple[str, ...]) -> Question:
    return Question(name, "choice", options=options)


def _yes_no(*names: str) -> tuple[Question, ...]:
    return tuple(Question(name, "yes_no", options=("yes", "no")) for name in names)


SECTIONS = (
    Section(
        "basics",
        (
            _number("age"), _choice("gender", get_args(Gender)), _number("weight_kg", 0.1),
            _number("height_cm", 0.1), _number("height_loss_cm", 0.1),
            _choice("ethnicity", get_args(Ethnicity)),
        ),
    ),
    Section(
        "gender",
        (
            _choice("sex_recorded_at_birth", get_args(Sex)), *_yes_no("gonadectomy"),
            _choice("gender_affirming_hormones", ("no", "oestrogen", "testosterone", "yes")),
        ),
        genders=("other", "unknown"),
    ),
    Section(
        "fractures",
        (
            Question("prior_fractures", "fractures", options=get_args(FractureSite)),
            *_yes_no("parent_hip_fracture", "family_history"), _number("falls_past_year"),
        ),
    ),
    Section(
        "women",
        (
            _choice("menopausal_status", get_args(MenopausalStatus)), _number("menopause_age"),
            *_yes_no("oestrogen_use", "oestrogen_ever", "pregnant", "breastfeeding"),
        ),
        genders=("", "female", "other", "unknown"),
    ),
    Section(
        "habits",
        (
            _choice("smoking", ("never", "former", "current")), _number("alcohol_units_per_day", 0.5),
            _choice("physical_activity", ("sedentary", "active")), _number("calcium_mg_per_day", 50),
            _number("vitamin_d_iu_per_day", 100),
        ),
    ),
    Section("symptoms", _yes_no(
        "knee_pain", "hot_swollen_knee", "back_pain", "neurological_signs", "saddle_or_bladder_signs", "fever",
        "immunosuppression", "unexplained_weight_loss", "thigh_or_groin_pain",
    )),
    Section(
        "conditions",
        (
            Question("medical_conditions", "many", options=get_args(MedicalCondition)),
            _number("months_since_cardiovascular_event"),
        ),
    ),
    Section(
        "medicines",
        (
            Question("medications", "many", options=get_args(Medication)),
            _number("glucocorticoid_mg_per_day", 0.5),
            _number("glucocorticoid_months"), _number("bisphosphonate_years", 0.5),
            _number("denosumab_doses"), _number("denosumab_last_dose_months_ago"),
            _number("zoledronate_months_ago"),
        ),
    ),
    Section(
        "tests",
        (
            Question("densities", "densities", options=get_args(BoneSite)), _number("frax_major", 0.1),
            _number("frax_hip", 0.1), _choice("frax_country", get_args(FraxCountry)),
            _number("egfr_ml_per_min"), _number("creatinine_umol_per_l"),
            _number("serum_calcium_mmol_per_l", 0.01), _number("vitamin_d_25oh_nmol_per_l"),
        ),
    ),
)  # fmt: skip
DEVICES = get_args(DensityDevice)
YES_OR_NO = {"yes": True, "no": False}
# Fields that hold a whole number, which a form sends as 2.0.
WHOLE = {name for name, field in ClinicalRecord.model_fields.items() if field.annotation in (Whole, Whole | None)}


def record_of(form: FormData) -> dict[str, Any]:
    """The record that the answers make: only what was answered. Whether it can be used, the gateway's own check says.

    Raises:
        InvalidInput: a number or a date is none.
    """
    record: dict[str, Any] = {}
    for section in SECTIONS:
        for question in section.questions:
            record |= _answer(form, question)
    return record


def _answer(form: FormData, question: Question) -> dict[str, Any]:
    name = question.name
    if question.kind == "number":
        value = number(form, name)
        whole = name in WHOLE and value is not None and value.is_integer()
        return {} if value is None else {name: int(value) if whole else value}
    if question.kind == "choice":
        return {name: YES_OR_NO.get(chosen, chosen)} if (chosen := text(form, name)) else {}
    if question.kind == "yes_no":
        return {name: text(form, name) == "yes"} if text(form, name) else {}
    if question.kind == "many":
        known = text(form, f"{name}_known")
        return {name: []} if known == "none" else {name: form.getlist(name)} if known == "some" else {}
    if question.kind == "fractures":
        known = text(form, name)
        return {name: _fractures(form) or True} if known == "yes" else {name: False} if known == "no" else {}
    return _densities(form)


def _fractures(form: FormData) -> list[dict[str, Any]]:
    fractures = []
    for row in range(FRACTURE_ROWS):
        if site := text(form, f"fracture_{row}_site"):
            cause = text(form, f"fracture_{row}_low_trauma")
            parts = {
                "site": site, "age": number(form, f"fracture_{row}_age"),
                "low_trauma": cause == "yes" if cause else None,
                "months_ago": number(form, f"fracture_{row}_months_ago"),
            }  # fmt: skip
            fractures.append({key: value for key, value in parts.items() if value is not None})
    return fractures


def _densities(form: FormData) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    for row in range(DENSITY_ROWS):
        value = number(form, f"density_{row}_value")
        if value is None:
            continue
        measure, measured_on = text(form, f"density_{row}_measure"), day(form, f"density_{row}_date")
        parts: dict[str, Any] = {"site": text(form, f"density_{row}_site")}
        parts |= {"date": measured_on.isoformat()} if measured_on else {}
        if measure == "g_per_cm2":
            device = text(form, f"density_{row}_device")
            parts |= {"g_per_cm2": value} | ({"device": device} if device else {})
        else:
            parts |= {"value": value}
        name = {"z_score": "z_scores", "g_per_cm2": "bmd"}.get(measure, "t_scores")
        measured.setdefault(name, []).append(parts)
    return measured
