"""What the FHIR API can do, for programs: its CapabilityStatement, and the project's own CodeSystem."""

from gateway.interop.fhir.code_map import FINDING, code_map, concept, system
from gateway.interop.fhir.resource import FHIR_JSON, Resource, compact

# Of the interface described here, not of the software.
DESCRIBED_ON = "2026-11-27"
READABLE = (
    "DiagnosticReport",
    "Observation",
    "RiskAssessment",
    "CarePlan",
    "ServiceRequest",
    "DetectedIssue",
    "ImagingStudy",
    "Provenance",
    "Patient",
)
SEARCHES = {"_id": "token", "_lastUpdated": "date", "subject": "reference", "patient": "reference"}
BY_NUMBER = "subject.identifier, subject:identifier and the same of patient select by the hospital's number"
OWN_SEARCHES = {"DiagnosticReport": {"identifier": "token"}, "Observation": {"code": "token"}, "RiskAssessment": {}}
OPERATIONS = ("assess", "map")
SECURITY = (
    "OAuth 2 client credentials at /v1/tokens, or an API key in the header X-API-Key. Reading needs the scope "
    "assessments:read, the operations assessments:write."
)


def capability_statement(base: str, version: str) -> Resource:
    """`/fhir/metadata`.

    Args:
        base: the address of the FHIR API.
        version: of the gateway.
    """
    rest = {
        "mode": "server",
        "security": {"service": [concept("oauth")], "description": SECURITY},
        "resource": [*map(_resource, READABLE), _code_system_read()],
        "operation": [
            {"name": name, "definition": f"urn:trabecula:operation-definition:{name}"} for name in OPERATIONS
        ],
    }
    return compact(
        {
            "resourceType": "CapabilityStatement",
            "url": f"{base}/metadata",
            "name": "Trabecula",
            "title": "Trabecula: assessments of bone health as FHIR",
            "status": "active",
            "date": DESCRIBED_ON,
            "kind": "instance",
            "software": {"name": "Trabecula", "version": version},
            "implementation": {"description": "Research software, not a medical device", "url": base},
            "fhirVersion": "4.0.1",
            "format": [FHIR_JSON, "json"],
            "rest": [rest],
        }
    )


def _resource(kind: str) -> Resource:
    own = OWN_SEARCHES.get(kind)
    interactions = [{"code": "read"}, *([{"code": "search-type"}] if own is not None else [])]
    searches = {} if own is None else {**SEARCHES, **own}
    parameters = [
        {"name": name, "type": meaning, "documentation": BY_NUMBER if meaning == "reference" else None}
        for name, meaning in searches.items()
    ]
    return {"type": kind, "interaction": interactions, "versioning": "no-version", "searchParam": parameters}


def _code_system_read() -> Resource:
    return {"type": "CodeSystem", "interaction": [{"code": "read"}], "versioning": "no-version"}


def code_system() -> Resource:
    """`/fhir/CodeSystem/finding`: the codes for what no standard system has a code for."""
    codes = code_map().written.finding
    return {
        "resourceType": "CodeSystem",
        "id": "finding",
        "url": system(FINDING),
        "name": "TrabeculaFinding",
        "title": "Findings of Trabecula",
        "status": "active",
        "experimental": False,
        "date": DESCRIBED_ON,
        "caseSensitive": True,
        "content": "complete",
        "count": len(codes),
        "concept": [{"code": code, "display": display} for code, display in codes.items()],
    }
