"""From a Bundle to a clinical record: the newest of each value, all bone densities, and a reason for what is left."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from gateway.interop.fhir.code_map import DENSITY_FIELDS
from gateway.interop.fhir.reading.conditions import read_condition
from gateway.interop.fhir.reading.findings import Candidate, Finding, Origin, Reader, Unused, reference_of
from gateway.interop.fhir.reading.medications import read_medication
from gateway.interop.fhir.reading.nodes import Moment, text
from gateway.interop.fhir.reading.observations import read_observation
from gateway.interop.fhir.reading.patient import Fault, Person, read_patient
from gateway.interop.fhir.reading.sent import Sent, is_of_patient, read_sent
from shared.contracts.record import ClinicalRecord

LISTS = (*DENSITY_FIELDS, "medical_conditions", "medications", "prior_fractures")
EXCLUSIONS = {"medical_conditions": "medical_conditions_excluded", "medications": "medications_excluded"}
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
# Stands in for an unknown age while a single value is checked.
SOME_AGE = 60.0
# Lines that are stored with an assessment.
MOST_LEFT_OUT = 50


@dataclass
class Mapping:
    """What became of what was sent.

    Args:
        record: the fields of a clinical record; null where nothing of a patient was sent, but an image alone.
        faults: what keeps an assessment from being made.
    """

    record: dict[str, Any] | None
    patient_number: str | None
    image: bytes | None
    used: list[Candidate] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def map_resources(
    body: Any, as_of: dt.date, patient_systems: Sequence[str] = (), femur_site: str | None = None
) -> Mapping:
    """The record that a Bundle or Parameters comes to.

    Args:
        body: the parsed JSON.
        as_of: the day that ages and dates are counted from.
        patient_systems: identifier systems of the hospital's patient numbers, the surest first.
        femur_site: what a bone density of the femur means that names no part of it, if anything.

    Raises:
        InvalidInput: it is neither, or holds several patients or images.
    """
    sent = read_sent(body)
    if sent.patient is None:
        needed = [Fault("Patient", "there is none: send it with the Bundle")] if sent.clinical or not sent.image else []
        return Mapping(None, None, sent.image, [], [*sent.unused, *_orphans(sent)], needed)
    person = read_patient(sent.patient, as_of, patient_systems)
    found = list(_findings(sent, Reader(as_of, person.born, femur_site)))
    unused = [*sent.unused, *(one for one in found if isinstance(one, Unused))]
    used = list(_chosen(_valid(found, person, unused), unused))
    return Mapping(_record(person, used), person.patient_number, sent.image, used, unused, list(person.faults))


def _orphans(sent: Sent) -> Iterator[Unused]:
    for resource in sent.clinical:
        yield Unused(Origin(reference_of(resource)), "other_patient", "no Patient was sent that it could be of")


def _findings(sent: Sent, reader: Reader) -> Iterator[Finding]:
    for resource in sent.clinical:
        if not is_of_patient(resource, sent):
            why = "its subject is not the Patient that was sent"
            yield Unused(Origin(reference_of(resource)), "other_patient", why)
        elif text(resource, "resourceType") == "Observation":
            yield from read_observation(resource, reader)
        elif text(resource, "resourceType") == "Condition":
            yield from read_condition(resource, reader)
        else:
            yield from read_medication(resource, reader, sent.medications)


def _valid(found: Sequence[Finding], person: Person, unused: list[Unused]) -> list[Candidate]:
    """Those whose value the record takes."""
    candidates = []
    for one in found:
        if isinstance(one, Candidate):
            if fault := _out_of_range(one, person):
                unused.append(fault)
            else:
                candidates.append(one)
    return candidates


def _out_of_range(candidate: Candidate, person: Person) -> Unused | None:
    value = [candidate.value] if candidate.field in (*LISTS, *EXCLUSIONS.values()) else candidate.value
    age = SOME_AGE if person.age is None else person.age
    try:
        ClinicalRecord.model_validate({"age": age, "gender": "unknown", candidate.field: value})
    except ValidationError as error:
        return Unused(candidate.origin, "out_of_range", f"{candidate.field}: {error.errors()[0]['msg']}")
    return None


def _chosen(candidates: Sequence[Candidate], unused: list[Unused]) -> Iterator[Candidate]:
    """The newest of each value, everything of each list; what is there is not denied by what says that it is not."""
    by_field: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_field.setdefault(candidate.field, []).append(candidate)
    for name, found in by_field.items():
        if name in LISTS:
            yield from _once(found, unused)
        elif name in EXCLUSIONS.values():
            yield from _not_contradicted(name, found, by_field, unused)
        else:
            newest = max(found, key=lambda one: one.when.first if one.when else LONG_AGO)
            yield newest
            unused += [_superseded(one.origin, newest.when) for one in found if one is not newest]


def _once(found: Sequence[Candidate], unused: list[Unused]) -> Iterator[Candidate]:
    seen: set[str] = set()
    for candidate in found:
        key = json.dumps(candidate.value, sort_keys=True)
        if key in seen:
            unused.append(Unused(candidate.origin, "superseded", "it says what another resource says already"))
        else:
            seen.add(key)
            yield candidate


def _not_contradicted(
    name: str, found: Sequence[Candidate], by_field: dict[str, list[Candidate]], unused: list[Unused]
) -> Iterator[Candidate]:
    opposite = next(positive for positive, negative in EXCLUSIONS.items() if negative == name)
    there = {one.value for one in by_field.get(opposite, [])}
    kept = [one for one in found if one.value not in there]
    unused += [
        Unused(one.origin, "contradicted", "another resource says the opposite") for one in found if one.value in there
    ]
    yield from _once(kept, unused)


def _superseded(origin: Origin, newest: Moment | None) -> Unused:
    return Unused(origin, "superseded", f"there is one of {newest.words if newest else 'the same time'} for this field")


def _record(person: Person, used: Sequence[Candidate]) -> dict[str, Any]:
    record: dict[str, Any] = {"age": person.age, "gender": person.gender}
    if person.age is None:
        del record["age"]
    if person.sex_recorded_at_birth:
        record["sex_recorded_at_birth"] = person.sex_recorded_at_birth
    for candidate in used:
        if candidate.field in (*LISTS, *EXCLUSIONS.values()):
            record.setdefault(candidate.field, []).append(candidate.value)
        else:
            record[candidate.field] = candidate.value
    return record


def left_out(mapping: Mapping) -> tuple[str, ...]:
    """What was not used, and what was used with a caveat, a sentence each: it is stored with the assessment."""
    caveats = [f"{one.origin.words}: used for {one.field}, though {one.caveat}." for one in mapping.used if one.caveat]
    lines = [*caveats, *(one.words for one in mapping.unused)]
    more = len(lines) - MOST_LEFT_OUT
    return (*lines[:MOST_LEFT_OUT], f"And {more} more.") if more > 0 else tuple(lines)
