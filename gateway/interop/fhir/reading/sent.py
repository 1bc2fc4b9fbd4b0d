"""What was sent: a Bundle, or Parameters, as its resources, its Patient and its image."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.interop.fhir.reading.findings import Origin, Unused, reference_of
from gateway.interop.fhir.reading.nodes import Node, node, nodes, shown, text
from shared.problems import InvalidInput

# They tell who and where, and nothing of the patient's health.
ADMINISTRATIVE = frozenset(
    {
        "Composition", "Organization", "Practitioner", "PractitionerRole", "Device", "Location", "Encounter",
        "Medication", "Provenance", "RelatedPerson", "List", "Coverage", "Consent", "MessageHeader", "Endpoint",
    }
)  # fmt: skip
# Characters: a multiple of four, so that no piece ends within a byte.
BASE64_PIECE = 1 << 20
READ = frozenset({"Observation", "Condition", "MedicationStatement", "MedicationRequest"})


@dataclass
class Sent:
    """The resources by their use.

    Args:
        names: what a reference may call the Patient.
        medications: the Medication resources, by what a reference may call them.
        identifiers: the Patient's identifiers as (system, value), for references without an address.
    """

    patient: Node | None = None
    names: set[str] = field(default_factory=set)
    identifiers: set[tuple[str | None, str | None]] = field(default_factory=set)
    clinical: list[Node] = field(default_factory=list)
    medications: dict[str, Node] = field(default_factory=dict)
    image: bytes | None = None
    unused: list[Unused] = field(default_factory=list)


def read_sent(body: Any) -> Sent:
    """The parts of a Bundle or of Parameters.

    Raises:
        InvalidInput: it is neither, holds several patients or several images, or an image that is no base64.
    """
    sent = Sent()
    try:
        for address, resource in _resources(body):
            _sort(resource, address, sent)
    except RecursionError as error:
        raise InvalidInput("It is nested too deeply to be read.") from error
    if sent.patient is not None:
        sent.names |= {f"Patient/{text(sent.patient, 'id')}"} if text(sent.patient, "id") else set()
        sent.identifiers = {
            (text(one, "system"), text(one, "value")) for one in nodes(sent.patient, "identifier") if text(one, "value")
        }
    return sent


def _resources(body: Any) -> list[tuple[str | None, Node]]:
    """Every resource with its address: those of a Bundle, or of Parameters and of the Bundles in them."""
    kind = text(body, "resourceType")
    if kind == "Bundle":
        return [(text(entry, "fullUrl"), node(entry, "resource")) for entry in nodes(body, "entry")]
    if kind != "Parameters":
        given = shown(kind) or "something else"
        raise InvalidInput(f"A Bundle or Parameters is needed, and this is {given}.", field="resourceType")
    found: list[tuple[str | None, Node]] = []
    for parameter in nodes(body, "parameter"):
        resource = node(parameter, "resource")
        if attachment := node(parameter, "valueAttachment"):
            found.append((None, {"resourceType": "Binary", "id": text(parameter, "name"), **attachment}))
        if text(resource, "resourceType") == "Bundle":
            found += _resources(resource)
        elif resource:
            found.append((None, resource))
    return found


def _sort(resource: Node, address: str | None, sent: Sent) -> None:
    kind = text(resource, "resourceType")
    if kind == "Patient":
        if sent.patient is not None and sent.patient != resource:
            raise InvalidInput("It holds several patients: send one patient's resources.", field="Patient")
        sent.patient = resource
        sent.names |= {address} if address else set()
    elif kind in READ:
        sent.clinical.append(resource)
    elif kind in ("Binary", "Media"):
        _image(resource, sent)
    elif kind == "Medication":
        names = [address, f"Medication/{text(resource, 'id')}"]
        sent.medications |= {name: resource for name in names if name}
    elif kind not in ADMINISTRATIVE and resource:
        why = "resources of this type are not read"
        sent.unused.append(Unused(Origin(reference_of(resource)), "resource_type", why))


def _image(resource: Node, sent: Sent) -> None:
    """The bytes of a radiograph; what else a Binary may hold, such as a letter, is not used."""
    origin, content = Origin(reference_of(resource)), node(resource, "content") or resource
    data, kind = text(content, "data"), (text(content, "contentType") or "").lower()
    if data is None:
        sent.unused.append(Unused(origin, "no_pixels", "it holds no data: an address is not followed"))
        return
    if not kind.startswith(("image/", "application/dicom")):
        sent.unused.append(Unused(origin, "value_type", f"{shown(kind) or 'a file without a type'} is no image"))
        return
    if sent.image is not None:
        raise InvalidInput("It holds several images: send one radiograph an assessment.", field=origin.reference)
    try:
        sent.image = b"".join(base64.b64decode(piece, validate=True) for piece in _pieces(data))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"The data of {origin.reference} is no base64.", field=origin.reference) from error


def _pieces(data: str) -> Iterator[str]:
    """Base64 in pieces that can be decoded each for itself: others get their turn between them.

    Raises:
        ValueError: it is padded before its end.
    """
    if "=" in data[:-2]:
        raise ValueError("padding within the data")
    for start in range(0, len(data), BASE64_PIECE):
        yield data[start : start + BASE64_PIECE]


def is_of_patient(resource: Node, sent: Sent) -> bool:
    """Whether a resource's subject is the Patient that was sent."""
    subject = node(resource, "subject")
    called, identifier = text(subject, "reference"), node(subject, "identifier")
    if called is None:
        return (text(identifier, "system"), text(identifier, "value")) in sent.identifiers
    whose = called.split("/_history/")[0]
    is_relative = whose.startswith("Patient/")
    return whose in sent.names or (is_relative and any(name.endswith(f"/{whose}") for name in sent.names))
