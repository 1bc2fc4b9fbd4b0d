"""The Patient: age and gender for the record, the hospital's number; the date of birth itself is dropped."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.interop.fhir.code_map import coding
from gateway.interop.fhir.reading.nodes import Moment, Node, has_code, moment, node, nodes, text
from gateway.platform.validators import LONGEST_PATIENT_NUMBER
from shared.contracts.record import Gender, Sex

BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
SEXES: dict[str, Sex] = {"F": "female", "M": "male"}
GENDERS: tuple[Gender, ...] = ("female", "male", "other", "unknown")


@dataclass(frozen=True)
class Fault:
    """What keeps a record, or an assessment, from being made at all."""

    field: str
    message: str


@dataclass(frozen=True)
class Person:
    """What the Patient resource gives."""

    age: float | None
    gender: Gender
    sex_recorded_at_birth: Sex | None
    born: dt.date | None
    patient_number: str | None
    faults: tuple[Fault, ...]


def read_patient(resource: Node, as_of: dt.date, systems: Sequence[str]) -> Person:
    """The person.

    Args:
        as_of: the day that the age is counted to.
        systems: identifier systems of the hospital's patient numbers, the surest first.
    """
    birth = moment(text(resource, "birthDate"))
    age, fault = _age(birth, as_of)
    number, number_fault = _number(nodes(resource, "identifier"), systems)
    gender: Gender = next((known for known in GENDERS if known == resource.get("gender")), "unknown")
    faults = tuple(one for one in (fault, number_fault) if one is not None)
    return Person(age, gender, _sex_at_birth(resource, gender), birth.day if birth else None, number, faults)


def _age(birth: Moment | None, as_of: dt.date) -> tuple[float | None, Fault | None]:
    """Completed years; a year of birth alone leaves them open."""
    if birth is None:
        return None, Fault("Patient.birthDate", "it is missing, or no date: the age is needed")
    if birth.parts == 1:
        return None, Fault("Patient.birthDate", "the year alone leaves the age open: send the month at least")
    years = as_of.year - birth.day.year - ((as_of.month, as_of.day) < (birth.day.month, birth.day.day))
    if years < 0:
        return None, Fault("Patient.birthDate", "it lies in the future")
    return float(years), None


def _sex_at_birth(resource: Node, gender: Gender) -> Sex | None:
    """Where it says more than the gender does."""
    sent = [text(part, "valueCode") for part in nodes(resource, "extension") if text(part, "url") == BIRTH_SEX]
    sex = SEXES.get(sent[0] or "") if len(sent) == 1 else None
    return sex if sex != gender else None


def _number(identifiers: list[Node], systems: Sequence[str]) -> tuple[str | None, Fault | None]:
    """The hospital's number: of a known system, else typed as a medical record number, else the only one there is."""
    current = [one for one in identifiers if text(one, "use") != "old" and text(one, "value")]
    medical_record = coding("record_number")["code"]
    choices = [
        *([one for one in current if text(one, "system") == system] for system in systems),
        [one for one in current if has_code(node(one, "type"), medical_record)],
        current,
    ]
    found = {text(one, "value") for one in next((choice for choice in choices if choice), [])}
    if len(found) > 1:
        return None, Fault("Patient.identifier", "several, and none is known as the hospital's number: type it MR")
    number = found.pop() if found else None
    if number is not None and (len(number) > LONGEST_PATIENT_NUMBER or not number.isprintable()):
        return None, Fault("Patient.identifier", f"up to {LONGEST_PATIENT_NUMBER} printable characters are needed")
    return number, None
