"""Who and what a result is of and from: the patient, the software, the study."""

import re
from collections.abc import Iterator, Sequence

from gateway.interop.fhir.code_map import coding, concept, is_written
from gateway.interop.fhir.resource import Resource, compact
from gateway.interop.fhir.writing.result import ORDER, URI_SYSTEM, Result, accession_number, device_id
from shared.contracts.base import ModelReference

NO_DEVICE = "Research software, not a medical device"
UID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
LONGEST_UID = 64


def patient(result: Result) -> Resource:
    """The patient: the hospital's number and the gender, no name and no date of birth."""
    identifier = result.patient_identifier
    return compact(
        {
            "resourceType": "Patient",
            "id": result.patient_resource_id,
            "meta": {"lastUpdated": result.changed_at},
            "identifier": [identifier] if identifier else [],
            "gender": result.content.gender,
        }
    )


def devices(result: Result) -> Iterator[Resource]:
    """The gateway, and each model or set of rules that something in the result was made with."""
    gateway = _device("Trabecula", device_id("trabecula", result.version), result.version)
    yield gateway
    seen = {gateway["id"]}
    for model in models(result):
        identity = device_id(model.name, model.version)
        if identity not in seen:
            seen.add(identity)
            yield {**_device(model.name, identity, model.version), "parent": result.gateway_device}


def models(result: Result) -> Iterator[ModelReference]:
    """What the findings and the items come from."""
    assessment = result.assessment
    findings = (assessment.imaging, assessment.staging, assessment.clinical)
    yield from (finding.model for finding in findings if finding is not None)
    if assessment.recommendation is not None and assessment.recommendation.rules is not None:
        yield assessment.recommendation.rules


def _device(name: str, identity: str, version: str) -> Resource:
    return {
        "resourceType": "Device",
        "id": identity,
        "deviceName": [{"name": name, "type": "model-name"}],
        "type": {"text": NO_DEVICE},
        "version": [{"value": version}],
    }


def imaging_study(result: Result) -> Resource | None:
    """The study that a DICOM radiograph is of; null for other files."""
    source = result.assessment.source
    if source is None or not _is_uid(source.study_uid):
        return None
    identifiers = [{"system": "urn:dicom:uid", "value": f"urn:oid:{source.study_uid}"}]
    if source.accession:
        identifiers.append(accession_number(source.accession))
    found = result.new("ImagingStudy", "-study")
    found |= {"identifier": identifiers, "status": "available", "subject": result.subject, "basedOn": result.order}
    return compact({**found, "series": _series(result)})


def service_order(result: Result) -> Resource | None:
    """The order that a DICOM radiograph was taken for, as the order system announced it; null where none did."""
    order = result.content.order
    if order is None:
        return None
    named = (("placer", order.placer), ("filler", order.filler))
    identifiers = [{"type": concept(kind), "value": parts[0]} for kind, parts in named if parts and parts[0]]
    found: Resource = {
        "resourceType": "ServiceRequest",
        "id": result.identity(ORDER),
        "meta": {"lastUpdated": result.changed_at},
        "identifier": [*identifiers, accession_number(order.accession)],
        "status": "active",
        "intent": "order",
        "subject": result.subject,
        "requester": _requester(order.provider),
    }
    return compact(found)


def _requester(provider: Sequence[str]) -> Resource | None:
    """Who ordered it, by the hospital's own number and name."""
    number, name = (provider[0] if provider else ""), " ".join(part for part in provider[1:3][::-1] if part)
    found = {"identifier": {"value": number} if number else None, "display": name or None}
    return {"type": "Practitioner", **compact(found)} if number or name else None


def _series(result: Result) -> list[Resource]:
    source, modality = result.assessment.source, f"modality_{result.content.modality}"
    if source is None or not _is_uid(source.series_uid) or not is_written(modality):
        return []
    instances: list[Resource] = []
    if _is_uid(source.sop_uid) and _is_uid(result.content.sop_class_uid):
        kind = {"system": URI_SYSTEM, "code": f"urn:oid:{result.content.sop_class_uid}"}
        instances = [{"uid": source.sop_uid, "sopClass": kind}]
    return [{"uid": source.series_uid, "modality": coding(modality), "instance": instances}]


def _is_uid(text: str | None) -> bool:
    return text is not None and len(text) <= LONGEST_UID and UID.fullmatch(text) is not None
