"""The CDS services and the data that they ask for beforehand, as `GET /cds-services` lists them."""

from dataclasses import dataclass
from typing import Any, Literal

from gateway.interop.fhir.code_map import DENSITY_FIELDS, Quantity, Question, code_map, system

Hook = Literal["patient-view", "order-select"]
# The places in a template that the client fills in (CDS Hooks 2.0.1, prefetch tokens).
PATIENT = "{{context.patientId}}"
VITALS = ("weight_kg", "height_cm")
NEWEST, NEWEST_CONDITIONS = 20, 200


@dataclass(frozen=True)
class Service:
    """One CDS service."""

    id: str
    hook: Hook
    title: str
    description: str


SERVICES = (
    Service(
        "trabecula-bone",
        "patient-view",
        "Bone health",
        "Risk of osteoporosis from the record, whether a bone density scan is due, and whether to see a doctor. "
        "Research software, not a medical device.",
    ),
    Service(
        "trabecula-bone-order",
        "order-select",
        "Bone health: orders",
        "What stands against a medicine for bones that is being ordered, and whether a bone density scan is due. "
        "Research software, not a medical device.",
    ),
)
BY_ID = {service.id: service for service in SERVICES}


def discovery() -> dict[str, Any]:
    """The document of `GET /cds-services`."""
    return {
        "services": [
            {
                "id": service.id,
                "hook": service.hook,
                "title": service.title,
                "description": service.description,
                "prefetch": prefetch_templates(),
            }
            for service in SERVICES
        ]
    }


def prefetch_templates() -> dict[str, str]:
    """The FHIR queries whose answers the client sends along, by the key that it sends each under."""
    rows: list[Quantity | Question] = [*code_map().observations.quantities, *code_map().observations.answers]
    vitals = [row.code for row in rows if row.field in VITALS]
    density = [row.code for row in rows if row.field in DENSITY_FIELDS]
    others = [row.code for row in rows if row.field not in (*VITALS, *DENSITY_FIELDS)]
    return {
        "patient": f"Patient/{PATIENT}",
        "vitals": _observations(vitals),
        "dxa": _observations(density),
        "labs": _observations(others),
        "conditions": f"Condition?patient={PATIENT}&_count={NEWEST_CONDITIONS}",
        "medications": f"MedicationRequest?patient={PATIENT}&status=active",
    }


def _observations(codes: list[str]) -> str:
    coded = ",".join(f"{system('loinc')}|{code}" for code in codes)
    return f"Observation?patient={PATIENT}&code={coded}&_sort=-date&_count={NEWEST}"
