"""HL7 v2 messages as they are read: by the library, within limits, and never further than a field that is needed."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gateway.interop.hl7.writing import ENCODINGS
from shared.problems import TrabeculaError

if TYPE_CHECKING:
    import hl7

# Of one message. The library needs some 450 bytes of memory for each field, and a field may be one byte.
MOST_BYTES = 100_000
# Characters of one value, and of its field before escapes are undone.
LONGEST, LONGEST_RAW = 200, 2000
# What an acknowledgement may say (table 0008), and the kinds of error of its ERR segment (table 0357) that are used.
Code = Literal["AA", "AE", "AR"]
ErrorCode = Literal["100", "101", "102", "103", "200", "202", "207"]


class NotTaken(TrabeculaError):
    """A message that nothing is done with.

    Args:
        code: AE where the sender may mend it, AR where it is none of ours.
        reason: in one word, for the count of what was turned away.
        error: what kind of error it is (table 0357).
    """

    def __init__(self, detail: str, code: Code, reason: str, error: ErrorCode) -> None:
        super().__init__(detail)
        self.code, self.reason, self.error = code, reason, error


def malformed(detail: str, error: ErrorCode = "101") -> NotTaken:
    """A message that its sender has to mend."""
    return NotTaken(detail, "AE", "hl7_malformed", error)


@dataclass(frozen=True)
class Header:
    """Of whom and what a message is (MSH)."""

    application: str
    facility: str
    to_application: str
    to_facility: str
    kind: str
    control_id: str
    processing: str
    version: str
    character_set: str

    @property
    def sender(self) -> str:
        """The sending application and facility, as the site names them."""
        return f"{self.application}|{self.facility}"


@dataclass(frozen=True)
class Received:
    """A message.

    Args:
        key: what tells it from every other: its sender, its control id, and what it says beside the header, whose time
            changes when it is sent again.
    """

    header: Header
    message: "hl7.Message" = field(repr=False)
    key: bytes = field(repr=False)


def read_header(block: bytes) -> Header:
    """The header, whatever follows it.

    Raises:
        NotTaken: it is no HL7 message, or its header lacks what an acknowledgement needs.
    """
    msh = _parsed(block.split(b"\r", 1)[0].decode("latin-1"))[0]
    header = Header(
        application=text(msh, 3),
        facility=text(msh, 4),
        to_application=text(msh, 5),
        to_facility=text(msh, 6),
        kind=f"{text(msh, 9)}^{text(msh, 9, 2)}",
        control_id=text(msh, 10),
        processing=text(msh, 11),
        version=text(msh, 12),
        character_set=text(msh, 18),
    )
    if not header.control_id:
        raise malformed("MSH-10 is empty: without a control id no answer can be told from another.")
    return header


def read_message(block: bytes, header: Header) -> Received:
    """The whole message in its own character set (MSH-18).

    Raises:
        NotTaken: it is not in it, or cannot be read.
    """
    known = {"": "ascii", **ENCODINGS}
    if header.character_set not in known:
        raise malformed(f"MSH-18 is {header.character_set}; read are {', '.join(ENCODINGS)}.", "103")
    try:
        whole = block.decode(known[header.character_set])
    except UnicodeDecodeError as error:
        said = header.character_set or "ASCII"
        raise malformed(f"The message is not in {said}: say in MSH-18 which character set it is in.", "102") from error
    body = block.partition(b"\r")[2]
    key = hashlib.sha256("\n".join((header.sender, header.control_id)).encode() + b"\n" + body).digest()
    return Received(header, _parsed(whole), key)


def read_answer(block: bytes) -> "hl7.Message":
    """An answer to a message of ours; what is not in its own character set becomes a mark.

    Raises:
        NotTaken: it is no HL7 message.
    """
    msh = _parsed(block.split(b"\r", 1)[0].decode("latin-1"))[0]
    return _parsed(block.decode(ENCODINGS.get(text(msh, 18), "ascii"), "replace"))


def text(of: "hl7.Segment", number: int, component: int = 1, repetition: int = 1) -> str:
    """A component of a field without its escapes; empty where it is absent.

    Raises:
        NotTaken: it is longer than anything here may be, or holds what is no text.
    """
    name = f"{of[0][0]}-{number}"
    try:
        raw = str(of(number)) if number < len(of) else ""
        # Looked at before the escapes are undone: a formatting command may ask for any number of lines.
        if len(raw) > LONGEST_RAW or f"{of.esc}." in raw:
            raise malformed(f"{name} is too long, or has formatting in it.", "102")
        found = str(of.extract_field(1, number, repetition, component)).strip()
    except (IndexError, ValueError):
        return ""
    if len(found) > LONGEST or not found.isprintable():
        raise malformed(f"{name} is too long, or has characters that cannot be printed.", "102")
    return "" if found == '""' else found  # HL7's null: what was there is deleted


def parts(of: "hl7.Segment", number: int, most: int) -> tuple[str, ...]:
    """The first components of a field; nothing where all of them are empty."""
    found = [text(of, number, component) for component in range(1, most + 1)]
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def _parsed(whole: str) -> "hl7.Message":
    import hl7

    try:
        found: hl7.Message = hl7.parse(whole)
    except (hl7.HL7Exception, ValueError, IndexError, AssertionError) as error:
        raise malformed("This is no HL7 v2 message: it has to begin with MSH and its delimiters.", "100") from error
    return found
