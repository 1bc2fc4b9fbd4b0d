"""The data of a call as one Bundle: what the client sent along, and what is missing of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.interop.cds.call import Call
from gateway.interop.cds.services import PATIENT, prefetch_templates
from gateway.interop.fhir.reading.nodes import Node, node, nodes, shown, text
from shared.problems import InvalidInput

REFUSAL = "OperationOutcome"


def missing_queries(call: Call) -> dict[str, str]:
    """The queries whose answers did not come along, by key; `null` is an answer: there is nothing."""
    return {
        key: template.replace(PATIENT, call.patient_id)
        for key, template in prefetch_templates().items()
        if key not in call.prefetch or text(call.prefetch[key], "resourceType") == REFUSAL
    }


def has_patient(data: Mapping[str, Any]) -> bool:
    """Whether there is a patient at all: a record system may have an id and no record behind it."""
    return data.get("patient") is not None


def bundle_of(call: Call, data: Mapping[str, Any]) -> Node:
    """The data of all keys as one Bundle, which is read as any other Bundle is.

    Args:
        data: the answers by key, each a resource, a Bundle or null.

    Raises:
        InvalidInput: an answer is of another type, or the Patient is another one than the context names.
    """
    patient = data["patient"]
    if text(patient, "resourceType") != "Patient":
        raise _wrong("patient", "a Patient", patient)
    if text(patient, "id") != call.patient_id:
        raise InvalidInput(
            "prefetch.patient: it is another patient than context.patientId names.", field="prefetch.patient"
        )
    entries: list[Node] = [{"fullUrl": _address(call), "resource": patient}]
    for key in prefetch_templates():
        if key != "patient" and data.get(key) is not None:
            entries += ({"resource": resource} for resource in _resources(key, data[key]))
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _address(call: Call) -> str:
    """The patient's address: other resources may refer to it by its whole name."""
    server = (call.fhir_server or "").rstrip("/")
    return f"{server}/Patient/{call.patient_id}" if server else f"Patient/{call.patient_id}"


def _resources(key: str, answer: Any) -> Iterator[Node]:
    if text(answer, "resourceType") != "Bundle":
        raise _wrong(key, "a Bundle", answer)
    for entry in nodes(answer, "entry"):
        resource = node(entry, "resource")
        if text(resource, "resourceType") not in (None, REFUSAL):
            yield resource


def _wrong(key: str, needed: str, given: Any) -> InvalidInput:
    what = shown(text(given, "resourceType")) or "something else"
    return InvalidInput(f"prefetch.{key}: {needed} is needed, and this is {what}.", field=f"prefetch.{key}")
