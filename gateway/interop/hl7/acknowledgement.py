"""The answer to a message (ACK): taken, to be mended by its sender, or none of ours, with the reason in words."""

from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.interop.hl7.reading import Header, NotTaken
from gateway.interop.hl7.writing import VERSION, message, moment, segment
from gateway.platform.clock import now

if TYPE_CHECKING:
    import hl7

OURS = "TRABECULA"
LONGEST_CONTROL_ID = 20
# Of the user message (ERR-8).
LONGEST_WORDS = 250


def acknowledgement(header: Header | None, refusal: NotTaken | None = None) -> "hl7.Message":
    """The answer in the original mode: AA, or what `refusal` says.

    Args:
        header: of the message; null where it could not be read.
    """
    event = header.kind.partition("^")[2] if header else ""
    msh = {
        3: (header.to_application if header else "") or OURS,
        4: header.to_facility if header else "",
        5: header.application if header else "",
        6: header.facility if header else "",
        7: moment(now()),
        9: ("ACK", event, "ACK") if event else "ACK",
        10: uuid4().hex[:LONGEST_CONTROL_ID],
        11: (header.processing if header else "") or "P",
        12: (header.version if header else "") or VERSION,
    }
    msa = {1: refusal.code if refusal else "AA", 2: header.control_id if header else ""}
    if refusal is None:
        return message([segment("MSH", msh), segment("MSA", msa)])
    words = refusal.detail[:LONGEST_WORDS]
    err = {3: (refusal.error, "", "HL70357"), 4: "E", 8: words}
    return message([segment("MSH", msh), segment("MSA", {**msa, 3: words}), segment("ERR", err)])
