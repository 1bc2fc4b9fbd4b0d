"""Which of the draft orders that a clinician is choosing are of interest here."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.interop.cds.call import Call
from gateway.interop.fhir.code_map import code_map, system
from gateway.interop.fhir.reading.medications import class_ordered
from gateway.interop.fhir.reading.nodes import Node, codes, node, text
from shared.contracts.recommendation import DrugClass


@dataclass(frozen=True)
class Chosen:
    """What is being ordered: medicines for bones by their class, and whether a bone density scan is among it."""

    drug_classes: tuple[DrugClass, ...] = ()
    dxa: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to say about it."""
        return not self.drug_classes and not self.dxa


def chosen(call: Call) -> Chosen:
    """What of the draft orders is selected, and known by the code map."""
    selected = [order for order in call.draft_orders if _name(order) in call.selections]
    named = {_name(order): order for order in call.draft_orders if text(order, "resourceType") == "Medication"}
    classes = dict.fromkeys(_classes(selected, named))
    return Chosen(tuple(classes), any(_is_dxa(order) for order in selected))


def _classes(selected: list[Node], named: dict[str, Node]) -> Iterator[DrugClass]:
    for order in selected:
        if text(order, "resourceType") == "MedicationRequest":
            medication = class_ordered(order, named)
            if medication in code_map().orders.drug_classes:
                yield code_map().orders.drug_classes[medication]


def _is_dxa(order: Node) -> bool:
    known = {(system(row.system), row.code) for row in code_map().orders.dxa}
    sent = codes(node(order, "code"))
    return text(order, "resourceType") == "ServiceRequest" and any((code.system, code.code) in known for code in sent)


def _name(resource: Node) -> str:
    return f"{text(resource, 'resourceType')}/{text(resource, 'id')}"
