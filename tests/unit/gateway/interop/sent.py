"""Resources as hospital systems send them, and a whole record as such resources."""

import datetime as dt
from typing import Any

from gateway.interop.fhir.code_map import code_map, system
from gateway.interop.fhir.reading.mapping import Mapping, map_resources

TODAY = dt.date(2026, 11, 27)
LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
ATC, ICD10 = "http://www.whocc.no/atc", "http://hl7.org/fhir/sid/icd-10"
SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1959-03-02"}


def concept(system_: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system_, "code": code}]}


def observation(code: str, value: float | None = None, unit: str = "kg", **more: Any) -> dict[str, Any]:
    """A final Observation of the patient, of this year."""
    found: dict[str, Any] = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": SUBJECT,
        "effectiveDateTime": "2026-06-01",
        "code": concept(LOINC, code),
    }
    if value is not None:
        found["valueQuantity"] = {"value": value, "system": UCUM, "code": unit}
    return {name: part for name, part in {**found, **more}.items() if part is not None}


def condition(code: str, system_: str = ICD10, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "code": concept(system_, code), **more}


def medicine(code: str, system_: str = ATC, **more: Any) -> dict[str, Any]:
    found = {"resourceType": "MedicationStatement", "id": "m", "status": "active", "subject": SUBJECT}
    return {**found, "medicationCodeableConcept": concept(system_, code), **more}


def bundle(*resources: dict[str, Any], patient: dict[str, Any] | None = PATIENT) -> dict[str, Any]:
    """A collection of the patient and these."""
    all_of_them = [*([patient] if patient else []), *resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in all_of_them]}


def mapped(*resources: dict[str, Any], **more: Any) -> Mapping:
    """What a Bundle of the patient and these comes to."""
    return map_resources(bundle(*resources), TODAY, **more)


def as_fhir(record: dict[str, Any]) -> dict[str, Any]:
    """Those fields of a record that have codes, as a Bundle; everything else is left out of it."""
    resources = [*_numbers(record), *_answers(record), *_densities(record), *_lists(record)]
    born = TODAY.replace(year=TODAY.year - int(record["age"])).isoformat()
    patient = {**PATIENT, "gender": record["gender"], "birthDate": born}
    return bundle(*[{**one, "id": f"r{number}"} for number, one in enumerate(resources)], patient=patient)


def _numbers(record: dict[str, Any]) -> list[dict[str, Any]]:
    observations, found = code_map().observations, {}
    for row in observations.quantities:
        if row.field in record and row.site is None and not row.needs_site:
            unit = next(name for name, factor in observations.unit_sets[row.units].items() if factor == 1)
            found.setdefault(row.field, observation(row.code, record[row.field], unit))
    return list(found.values())


def _answers(record: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for question in code_map().observations.answers:
        answer = next((one for one in question.values if one.value == record.get(question.field)), None)
        if answer is not None:
            found.append(observation(question.code, valueCodeableConcept=concept(system(answer.system), answer.code)))
    return found


def _densities(record: dict[str, Any]) -> list[dict[str, Any]]:
    rows = code_map().observations.quantities
    found = []
    for field in ("t_scores", "z_scores"):
        for score in record.get(field, []):
            row = next((one for one in rows if one.field == field and one.site == score["site"]), None)
            if row is not None and score["method"] == "dxa":
                found.append(observation(row.code, score["value"], "1", effectiveDateTime=score.get("date")))
    return found


def _lists(record: dict[str, Any]) -> list[dict[str, Any]]:
    codes = {group.condition: group.prefixes[0] for group in code_map().conditions.icd10}
    medicines = {group.medication: group.prefixes[0] for group in code_map().medications.atc}
    found = [condition(codes[name]) for name in record.get("medical_conditions") or [] if name in codes]
    return found + [medicine(medicines[name]) for name in record.get("medications") or [] if name in medicines]
