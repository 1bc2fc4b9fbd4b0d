"""Calls of CDS services as a record system makes them."""

import uuid

LOINC, SCT, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
KEYS = ("patient", "vitals", "dxa", "labs", "conditions", "medications")


def patient(identity="p", **more):
    number = [{"type": {"coding": [{"code": "MR"}]}, "value": "MRN-7"}]
    return {
        "resourceType": "Patient",
        "id": identity,
        "gender": "female",
        "birthDate": "1954-03-02",
        "identifier": number,
        **more,
    }


def found(*resources):
    """A search's answer."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


def observation(code, value, unit, date="2026-05-12", **more):
    return {
        "resourceType": "Observation",
        "id": f"o-{code}",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": date,
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "valueQuantity": {"value": value, "system": UCUM, "code": unit},
        **more,
    }


def condition(icd10):
    return {
        "resourceType": "Condition",
        "id": icd10.replace(".", ""),
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": icd10}]},
    }


def medicine(atc, identity="m1"):
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}]},
    }


def scan(identity="s1"):
    return {
        "resourceType": "ServiceRequest",
        "id": identity,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": SCT, "code": "312681000"}]},
    }


# A woman of 72 with osteoporosis by DXA and kidneys that rule most bone drugs out.
OSTEOPOROSIS = observation("38267-1", -3.0, "{T-score}")
KIDNEYS = observation("98979-8", 22, "mL/min/{1.73_m2}", "2026-10-01")
CALCIUM = observation("2000-8", 3.7, "mmol/L", "2026-11-01")


def prefetch(**data):
    """All keys, empty but for those given."""
    return {**dict.fromkeys(KEYS, found()), "patient": patient(), **data}


def view(data=None, **more):
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/1", "patientId": "p"},
        "prefetch": prefetch() if data is None else data,
        **more,
    }


def order(*drafts, data=None, selections=None, **more):
    chosen = [f"{one['resourceType']}/{one['id']}" for one in drafts] if selections is None else selections
    context = {"userId": "Practitioner/1", "patientId": "p", "selections": chosen, "draftOrders": found(*drafts)}
    return {**view(data), "hook": "order-select", "context": context, **more}
