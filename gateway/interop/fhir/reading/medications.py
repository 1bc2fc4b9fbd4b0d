"""MedicationStatement and MedicationRequest: classes of medicines by ATC and RxNorm, nothing from a name."""

from collections.abc import Iterator, Mapping
from functools import cache

from gateway.interop.fhir.code_map import code_map, system
from gateway.interop.fhir.reading.conditions import longest_match, reasons
from gateway.interop.fhir.reading.findings import Candidate, Finding, Origin, Reader, Unused, decided, reference_of
from gateway.interop.fhir.reading.nodes import CodeSent, Node, codes, moment, node, nodes, shown, text
from shared.contracts.record import Medication

ORDERS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
Class = tuple[Medication | None, str | None]  # the class, or the reason why there is none


@cache
def by_atc() -> dict[str, Class]:
    """The class of the beginnings of ATC codes."""
    medications = code_map().medications
    found: dict[str, Class] = {
        prefix: (group.medication, None) for group in medications.atc for prefix in group.prefixes
    }
    return found | {prefix: (None, why) for prefix, why in reasons(medications.not_used).items()}


@cache
def by_rxnorm() -> dict[str, Class]:
    """The class of RxNorm ingredients."""
    medications = code_map().medications
    return {row.code: (row.medication, row.reason) for row in (*medications.rxnorm, *medications.not_used_rxnorm)}


def read_medication(resource: Node, reader: Reader, named: Mapping[str, Node]) -> Iterator[Finding]:
    """What a MedicationStatement or MedicationRequest says.

    Args:
        named: the Medication resources that were sent, by what a reference may call them.
    """
    found = _class(_concept(resource, named), reference_of(resource))
    if isinstance(found, Unused):
        yield found
        return
    origin, medication = found
    status, is_order = text(resource, "status"), text(resource, "resourceType") == "MedicationRequest"
    end = moment(text(node(resource, "effectivePeriod"), "end"))
    if is_order and resource.get("doNotPerform") is True:
        yield Unused(origin, "not_current", "it is an order not to give it")
    elif is_order and text(resource, "intent") not in ORDERS:
        yield Unused(origin, "status", "it is a plan or a proposal and no order")
    elif status == "not-taken" and not is_order:
        yield Candidate(origin, "medications_excluded", medication)
    elif status != "active":
        yield Unused(origin, "not_current", f"its status is {shown(status) or 'missing'}, and not active")
    elif end is not None and end.day < reader.as_of:
        yield Unused(origin, "not_current", f"it ended on {end.words}")
    else:
        yield Candidate(origin, "medications", medication)


def class_ordered(resource: Node, named: Mapping[str, Node]) -> Medication | None:
    """The class of the medicine that an order is for, whatever its status; null where the map does not know it.

    Args:
        named: the Medication resources that were sent, by what a reference may call them.
    """
    found = _class(_concept(resource, named), reference_of(resource))
    return None if isinstance(found, Unused) else found[1]


def _concept(resource: Node, named: Mapping[str, Node]) -> Node:
    """The medicine: coded in place, contained, or a resource of its own in what was sent."""
    if here := node(resource, "medicationCodeableConcept"):
        return here
    called = text(node(resource, "medicationReference"), "reference") or ""
    contained = {f"#{text(part, 'id')}": part for part in nodes(resource, "contained")}
    return node(contained.get(called) or named.get(called) or {}, "code")


def _class(concept: Node, reference: str) -> tuple[Origin, Medication] | Unused:
    """The class that the codes stand for; one that is used counts before one that is known and not used."""
    sent = list(codes(concept))
    known = [(code, of_code) for code in sent if (of_code := _of_code(code)) is not None]
    usable = [(code, medication) for code, (medication, _) in known if medication is not None]
    if found := decided(usable, reference):
        return found
    if known:
        code, (_, why) = known[0]
        return Unused(Origin(reference, code.words), "ambiguous_code", why or "the code does not say which")
    why = "the code map does not have this code" if sent else "it has no code: a name alone is not read"
    return Unused(Origin(reference, sent[0].words if sent else ""), "unknown_code", why)


def _of_code(code: CodeSent) -> Class | None:
    if code.system == system("atc"):
        found: Class | None = longest_match(code.code, by_atc())
        return found
    return by_rxnorm().get(code.code) if code.system == system("rxnorm") else None
