"""What a CDS client sends: the hook, its context, and the data that it had been asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.interop.cds.services import Service
from gateway.interop.fhir.reading.nodes import Node, node, nodes, shown, text
from shared.problems import InvalidInput

# An id of FHIR; nothing else goes into an address that is asked.
FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
LONGEST_TOKEN = 8192


@dataclass(frozen=True)
class Call:
    """One call of a service.

    Args:
        instance: the client's id of this call.
        prefetch: what came along, by key; a key that did not is not there.
        fhir_server, access_token: where and with what missing data may be asked for.
        selections: which of the draft orders are being chosen, as `Type/id`.
        draft_orders: the resources of the draft orders.
    """

    instance: UUID
    patient_id: str
    prefetch: Mapping[str, Any]
    fhir_server: str | None = None
    access_token: str | None = field(default=None, repr=False)
    selections: tuple[str, ...] = ()
    draft_orders: tuple[Node, ...] = ()


def read_call(body: Any, service: Service) -> Call:
    """What the parsed JSON says.

    Raises:
        InvalidInput: with the field that is missing or wrong.
    """
    if not isinstance(body, dict):
        raise InvalidInput("A JSON object is needed, as CDS Hooks 2.0.1 has it.")
    if body.get("hook") != service.hook:
        given = shown(text(body, "hook")) or "missing"
        raise _invalid("hook", f"'{service.hook}' is what this service answers, and it is {given}")
    context, prefetch = node(body, "context"), body.get("prefetch") or {}
    patient_id = _required(context, "patientId")
    if not FHIR_ID.fullmatch(patient_id):
        raise _invalid("context.patientId", "an id of FHIR is needed: letters, digits, '-' and '.', up to 64")
    _required(context, "userId")
    if not isinstance(prefetch, dict):
        raise _invalid("prefetch", "an object is needed")
    authorization = node(body, "fhirAuthorization")
    token = text(authorization, "access_token")
    if token is not None and (len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise _invalid("fhirAuthorization.access_token", f"up to {LONGEST_TOKEN} printable characters are needed")
    selections, orders = _orders(context) if service.hook == "order-select" else ((), ())
    server = text(body, "fhirServer")
    return Call(_instance(body), patient_id, prefetch, server, token, selections, orders)


def _orders(context: Node) -> tuple[tuple[str, ...], tuple[Node, ...]]:
    selections, drafts = context.get("selections"), node(context, "draftOrders")
    if not isinstance(selections, list) or not selections or not all(isinstance(one, str) for one in selections):
        raise _invalid("context.selections", "a list of references such as MedicationRequest/1 is needed")
    if text(drafts, "resourceType") != "Bundle":
        raise _invalid("context.draftOrders", "a Bundle of the draft orders is needed")
    return tuple(selections), tuple(node(entry, "resource") for entry in nodes(drafts, "entry"))


def _instance(body: Node) -> UUID:
    try:
        return UUID(text(body, "hookInstance") or "")
    except ValueError as error:
        raise _invalid("hookInstance", "a UUID is needed") from error


def _required(context: Node, name: str) -> str:
    found = text(context, name)
    if found is None:
        raise _invalid(f"context.{name}", "it is missing")
    return found


def _invalid(name: str, why: str) -> InvalidInput:
    return InvalidInput(f"{name}: {why}.", field=name)
