"""A result on its way to another system: what it is made of, and how its resources are named."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from gateway.assessing.results import ResultContent
from gateway.interop.fhir.code_map import coding, concept
from gateway.interop.fhir.resource import Resource, reference
from shared.contracts.assessment import Assessment
from shared.contracts.base import ModelReference
from shared.contracts.review import AmendedFindings, ReviewStatus

URI_SYSTEM = "urn:ietf:rfc:3986"
ORGANISATION = "urn:trabecula:organisation"
NAMELESS, ORDER = "-patient", "-order"
STATUS: dict[ReviewStatus, str] = {
    "preliminary": "preliminary",
    "signed": "final",
    "amended": "amended",
    "withdrawn": "entered-in-error",
}


@dataclass(frozen=True)
class Result:
    """One result, with the names that its resources have.

    Args:
        root: the gateway's address as other systems reach it, without a slash at the end.
        patient_system: identifier system of the hospital's patient numbers; null for one of the organisation.
        version: of the gateway.
    """

    content: ResultContent
    root: str
    patient_system: str | None
    version: str

    @property
    def assessment(self) -> Assessment:
        return self.content.assessment

    @property
    def base(self) -> str:
        """The address of the FHIR API."""
        return f"{self.root}/fhir"

    @property
    def made_at(self) -> str:
        """When the assessment was made, as an instant."""
        return instant(self.assessment.created_at)

    @property
    def changed_at(self) -> str:
        """When it last changed: a release changes what a patient sees, a clinician's review what it is worth."""
        moments = (self.assessment.created_at, self.assessment.released_at, self.assessment.review.changed_at)
        return instant(max(moment for moment in moments if moment is not None))

    @property
    def status(self) -> str:
        """How far it may be relied on, in the words of R4 that reports, observations and risks share."""
        return STATUS[self.assessment.review.status]

    @property
    def plan_status(self) -> str:
        """Of what is proposed: a draft, whoever signed the findings; nothing at all once these were withdrawn."""
        return "entered-in-error" if self.assessment.is_withdrawn else "draft"

    @property
    def amended(self) -> AmendedFindings:
        """What a clinician found instead, step for step; what is left out stands as it was answered."""
        found: dict[str, Any] = {"knees": {}}
        for step in self.assessment.review.steps:
            if step.findings is not None:
                found["knees"] |= {knee.side: knee for knee in step.findings.knees}
                found |= {name: value for name in ("bone", "category") if (value := getattr(step.findings, name))}
        return AmendedFindings.model_validate({**found, "knees": list(found["knees"].values())})

    @property
    def patient_identifier(self) -> Resource | None:
        """The hospital's number of the patient."""
        number = self.assessment.patient_number
        return {"system": self.identifier_system, "value": number} if number else None

    @property
    def identifier_system(self) -> str:
        return patient_system(self.patient_system, str(self.content.organisation_id))

    @property
    def patient_resource_id(self) -> str:
        """Our id of the patient; of the assessment where no patient was named."""
        return str(self.content.patient_id) if self.content.patient_id else self.identity(NAMELESS)

    @property
    def subject(self) -> Resource:
        found = reference("Patient", self.patient_resource_id)
        return {**found, "identifier": self.patient_identifier} if self.patient_identifier else found

    @property
    def order(self) -> list[Resource]:
        """The order that a DICOM radiograph was taken for: as it was announced, else by its accession number."""
        if self.content.order is not None:
            return [reference("ServiceRequest", self.identity(ORDER))]
        accession = self.assessment.source.accession if self.assessment.source else None
        if not accession:
            return []
        return [{"type": "ServiceRequest", "identifier": accession_number(accession)}]

    def identity(self, suffix: str = "") -> str:
        """The id of a resource of this assessment."""
        return f"{self.assessment.id}{suffix}"

    def new(self, kind: str, suffix: str = "") -> Resource:
        """The beginning of a resource: its type, its id and when it changed."""
        meta: Resource = {"lastUpdated": self.changed_at, "tag": [coding("ai-generated")]}
        return {"resourceType": kind, "id": self.identity(suffix), "meta": meta}

    def device(self, model: ModelReference | None) -> Resource | None:
        """A reference to the device that a model is."""
        return reference("Device", device_id(model.name, model.version)) if model else None

    @property
    def gateway_device(self) -> Resource:
        return reference("Device", device_id("trabecula", self.version))


def patient_system(chosen: str | None, organisation_id: str) -> str:
    """The identifier system of the hospital's patient numbers: the site's choice, else one of the organisation."""
    return chosen or f"{ORGANISATION}:{organisation_id}"


def accession_number(value: str) -> Resource:
    """The Identifier of an order."""
    return {"type": concept("accession"), "value": value}


def organisation(result: Result) -> Resource:
    """A logical reference to the organisation that keeps the assessment."""
    identifier = {"system": ORGANISATION, "value": str(result.content.organisation_id)}
    return {"type": "Organization", "identifier": identifier}


def device_id(name: str, version: str) -> str:
    """The id of a model's device: the same model is the same device in every result."""
    allowed = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in "-.") else "-" for sign in f"{name}-{version}"
    )
    return allowed[:64]


def instant(moment: dt.datetime) -> str:
    """A moment in UTC to the millisecond."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
