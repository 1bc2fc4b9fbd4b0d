"""What clinicians did with cards, as the client tells it (CDS Hooks 2.0.1, feedback)."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from gateway.interop.fhir.reading.nodes import nodes, text
from shared.problems import InvalidInput

Outcome = Literal["accepted", "overridden"]
MOST = 50


@dataclass(frozen=True)
class Feedback:
    """What became of one card. What somebody wrote about it is not kept: it may be of the patient."""

    card: UUID
    outcome: Outcome


def read_feedback(body: Any) -> list[Feedback]:
    """What the parsed JSON tells.

    Raises:
        InvalidInput: with the field that is missing or wrong.
    """
    sent = nodes(body, "feedback")
    if not 1 <= len(sent) <= MOST:
        raise InvalidInput(f"feedback: a list of 1 to {MOST} objects is needed.", field="feedback")
    return [_read(one, position) for position, one in enumerate(sent)]


def _read(one: dict[str, Any], position: int) -> Feedback:
    place, outcome = f"feedback[{position}]", text(one, "outcome")
    try:
        card = UUID(text(one, "card") or "")
    except ValueError as error:
        raise InvalidInput(f"{place}.card: the uuid of a card is needed.", field=f"{place}.card") from error
    if outcome == "accepted":
        return Feedback(card, "accepted")
    if outcome == "overridden":
        return Feedback(card, "overridden")
    raise InvalidInput(f"{place}.outcome: accepted or overridden is needed.", field=f"{place}.outcome")
