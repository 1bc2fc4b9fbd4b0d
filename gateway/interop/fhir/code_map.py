"""The code map: which code stands for what, in and out, each with its source. The YAML files beside it are the map."""

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict

import yaml
from pydantic import BaseModel, ConfigDict

from shared.contracts.recommendation import DrugClass
from shared.contracts.record import BoneSite, FractureSite, MedicalCondition, Medication

FOLDER = Path(__file__).parent / "codes"
FINDING = "finding"
DensityField = Literal["t_scores", "z_scores", "bmd"]
DENSITY_FIELDS: tuple[DensityField, ...] = ("t_scores", "z_scores", "bmd")


class Coding(TypedDict):
    """A code with the system that it belongs to."""

    system: str
    code: str
    display: str


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Entry):
    """Where a code was read, and on which day."""

    title: str
    url: str
    read: dt.date


class Code(_Entry):
    """A code of another system, with words of our own."""

    system: str = "loinc"
    code: str
    display: str
    source: str


class Quantity(Code):
    """An Observation with a number: the field it fills, and the units that it may come in."""

    field: str
    units: str
    site: BoneSite | None = None
    needs_site: bool = False
    valid_days: int | None = None
    caveat: str | None = None


class Answer(Code):
    """A code that an Observation's value may be, and what the field is then."""

    value: str | bool


class Question(Code):
    """An Observation whose value is a code."""

    field: str
    values: list[Answer]
    valid_days: int | None = None


class Unused(Code):
    """A code that is known and not used, with the reason for the sender."""

    reason: str


class SiteCode(Code):
    """A body site that says where bone density was measured."""

    site: BoneSite


class Observations(_Entry):
    """`observations.yaml`."""

    unit_sets: dict[str, dict[str, float]]
    quantities: list[Quantity]
    answers: list[Question]
    sites: list[SiteCode]
    not_used: list[Unused]


class ConditionGroup(_Entry):
    """Codes of ICD-10 that stand for one condition, by their first characters without the dot."""

    prefixes: list[str]
    condition: MedicalCondition
    history: bool = False


class FractureGroup(_Entry):
    """Codes of ICD-10 that stand for a fracture of one site."""

    prefixes: list[str]
    site: FractureSite


class UnusedGroup(_Entry):
    """Codes that are known and not used, by their first characters."""

    prefixes: list[str]
    reason: str


class ConditionCode(Code):
    """A SNOMED CT identifier that stands for a condition."""

    system: str = "sct"
    condition: MedicalCondition
    history: bool = False


class UnusedConcept(Unused):
    """A SNOMED CT identifier that is known and not used."""

    system: str = "sct"


class Conditions(_Entry):
    """`conditions.yaml`."""

    icd10: list[ConditionGroup]
    fractures: list[FractureGroup]
    sct: list[ConditionCode]
    not_used: list[UnusedGroup]
    not_used_sct: list[UnusedConcept]
    source: str


class MedicationGroup(_Entry):
    """Codes of ATC that stand for one class of medicines, by their first characters."""

    prefixes: list[str]
    medication: Medication


class Ingredient(_Entry):
    """An ingredient of RxNorm: one of our classes, or the reason why it is none."""

    code: str
    display: str
    medication: Medication | None = None
    reason: str | None = None


class Medications(_Entry):
    """`medications.yaml`."""

    atc: list[MedicationGroup]
    rxnorm: list[Ingredient]
    not_used: list[UnusedGroup]
    not_used_rxnorm: list[Ingredient]
    source: dict[str, str]


class Orders(_Entry):
    """`orders.yaml`."""

    dxa: list[Code]
    drug_classes: dict[Medication, DrugClass]


class Written(_Entry):
    """`written.yaml`: our own code system, and the codes of other systems that are written."""

    finding: dict[str, str]
    codes: dict[str, Code]
    units: dict[str, Code]


class CodeMap(_Entry):
    """All of it."""

    systems: dict[str, str]
    sources: dict[str, Source]
    written: Written
    observations: Observations
    conditions: Conditions
    medications: Medications
    orders: Orders


@cache
def code_map() -> CodeMap:
    """The map that ships, read once."""
    parts = {name: _read(name) for name in ("written", "observations", "conditions", "medications", "orders")}
    return CodeMap.model_validate({**_read("sources"), **parts})


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def system(name: str) -> str:
    """The address of a code system by its short name."""
    return code_map().systems[name]


def coding(name: str) -> Coding:
    """A code that is written: one of another system by its key, or one of our own by its code.

    Raises:
        KeyError: the map has none of this name.
    """
    code_of = code_map().written
    if name in code_of.finding:
        return {"system": system(FINDING), "code": name, "display": code_of.finding[name]}
    found = code_of.codes[name]
    return {"system": system(found.system), "code": found.code, "display": found.display}


def is_written(name: str) -> bool:
    """Whether there is a code of this name."""
    return name in code_map().written.codes


def concept(*names: str, text: str | None = None) -> dict[str, Any]:
    """A CodeableConcept of these codes."""
    found: dict[str, Any] = {"coding": [coding(name) for name in names]}
    return {**found, "text": text} if text else found


def quantity(value: float, unit: str) -> dict[str, Any]:
    """A Quantity in one of the units that are written, by its key."""
    found = code_map().written.units[unit]
    return {"value": value, "unit": found.display, "system": system(found.system), "code": found.code}
