"""The clinical record behind an assessment: as it is stored, and as its contract again when it is read."""

import json
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from shared.contracts.risk import AnyRiskRequest, LifestyleRiskRequest, RiskRequest

AnyRisk = RiskRequest | LifestyleRiskRequest
# What the gateway adds to a question; nobody sends it, so it makes no other request of the same one.
OF_THE_SITE = {"policy", "as_of"}
_RISK: TypeAdapter[AnyRisk] = TypeAdapter(AnyRiskRequest)


def as_sent(risk: AnyRisk | None) -> dict[str, Any] | None:
    """The record with its model as it was sent, which is what is stored: without the site's policy and the day."""
    return risk.model_dump(mode="json", exclude_none=True, exclude=OF_THE_SITE) if risk else None


def risk_bytes(risk: AnyRisk | None) -> bytes:
    """The same as bytes, to tell one request from another."""
    return json.dumps(as_sent(risk)).encode() if risk else b""


def read_risk(sent: dict[str, Any]) -> AnyRisk:
    """The contract of a record with its model.

    Raises:
        ValidationError: a field cannot be used.
    """
    return _RISK.validate_python(sent)


def read_stored_risk(stored: dict[str, Any] | None) -> AnyRisk | None:
    """A record as its contract. It was checked before it was stored; what a later contract no longer takes is left out.

    A record that none of the contract's versions can read any more gives null, with a line in the log: an old record
    must not keep a patient's newer ones from being seen.
    """
    if stored is None:
        return None
    try:
        return read_risk(stored)
    except ValidationError as error:
        refused = {part["loc"][2] for part in error.errors() if len(part["loc"]) > 2}
    fields = sorted(map(str, refused))
    structlog.get_logger("trabecula").warning("a stored record no longer fits its contract", fields=fields)
    kept = {name: value for name, value in stored["record"].items() if name not in refused}
    try:
        return read_risk({**stored, "record": kept})
    except ValidationError:
        return None
