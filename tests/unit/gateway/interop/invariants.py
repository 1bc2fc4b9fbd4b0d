"""What holds for every Bundle that is written, and no library checks: names, references, statuses, words, codes."""

import re
from collections.abc import Iterator
from typing import Any

from gateway.interop.fhir.code_map import code_map, system

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
# Nobody has signed anything: the only statuses that there may be.
STATUSES = {
    "DiagnosticReport": {"preliminary", "partial"},
    "Observation": {"preliminary"},
    "RiskAssessment": {"preliminary"},
    "CarePlan": {"draft"},
    "ServiceRequest": {"draft"},
    "DetectedIssue": {"preliminary"},
    "Composition": {"preliminary"},
    "ImagingStudy": {"available"},
}
TYPES = {*STATUSES, "Patient", "Device", "Provenance"}
NEEDED = {
    "DiagnosticReport": {"status", "code", "subject", "issued", "conclusion", "text", "presentedForm"},
    "Observation": {"status", "code", "subject", "issued"},
    "RiskAssessment": {"status", "subject", "performer"},
    "CarePlan": {"status", "intent", "subject", "text"},
    "ServiceRequest": {"status", "intent", "priority", "code", "subject"},
    "DetectedIssue": {"status", "code", "severity", "patient", "implicated"},
    "Provenance": {"target", "recorded", "agent"},
}


def faults_of(bundle: dict[str, Any], base: str) -> list[str]:
    """Every fault of a Bundle, in words."""
    return list(_faults(bundle, base))


def _faults(bundle: dict[str, Any], base: str) -> Iterator[str]:
    entries = bundle["entry"]
    addresses = [entry["fullUrl"] for entry in entries]
    if len(set(addresses)) < len(addresses):
        yield "two resources of one name"
    for entry in entries:
        resource = entry["resource"]
        name = f"{resource['resourceType']}/{resource['id']}"
        if entry["fullUrl"] != f"{base}/{name}" or not ID.fullmatch(resource["id"]):
            yield f"{name} is called {entry['fullUrl']}"
        yield from (f"{name}: {fault}" for fault in _of_resource(resource))
    for reference in _references(bundle):
        if f"{base}/{reference}" not in addresses:
            yield f"{reference} leads nowhere"


def _of_resource(resource: dict[str, Any]) -> Iterator[str]:
    kind = resource["resourceType"]
    if kind not in TYPES:
        yield "is of a type that is not written"
    if kind in STATUSES and resource["status"] not in STATUSES[kind]:
        yield f"has the status {resource['status']}"
    if missing := NEEDED.get(kind, set()) - set(resource):
        yield f"lacks {missing}"
    if "profile" in resource.get("meta", {}):
        yield "claims a profile"
    if resource.get("intent", "proposal") != "proposal":
        yield "is more than a proposal"
    if any(value in (None, "", [], {}) for value in everything(resource)):
        yield "holds something empty"
    yield from _values(resource)
    for coding in codings(resource):
        if not is_mapped(coding):
            yield f"has a code that is not in the map: {coding}"


def _values(resource: dict[str, Any]) -> Iterator[str]:
    if "dataAbsentReason" in resource and any(name.startswith("value") for name in resource):
        yield "has a value and a reason why there is none"
    if any(not 0 <= one.get("probabilityDecimal", 50) <= 100 for one in resource.get("prediction", [])):
        yield "has a probability beyond 100 per cent"


def everything(value: Any) -> Iterator[Any]:
    """Every value in a tree, itself included."""
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(part)


def codings(resource: Any) -> Iterator[dict[str, Any]]:
    """Every Coding, and every Quantity with a coded unit."""
    for value in everything(resource):
        if isinstance(value, dict) and "system" in value and "code" in value:
            yield value


def is_mapped(coding: dict[str, Any]) -> bool:
    """Whether the code map has a code; the class of a DICOM object is an identifier and no code of ours."""
    found = code_map()
    if coding["system"] == "urn:ietf:rfc:3986":
        return coding["code"].startswith("urn:oid:")
    ours = {(system("finding"), code) for code in found.written.finding}
    others = {(system(row.system), row.code) for row in (*found.written.codes.values(), *found.written.units.values())}
    return (coding["system"], coding["code"]) in ours | others


def _references(bundle: dict[str, Any]) -> Iterator[str]:
    for value in everything(bundle):
        if isinstance(value, dict) and isinstance(value.get("reference"), str) and "://" not in value["reference"]:
            yield value["reference"]
