"""HL7 v2 segments and messages, written by the library; every value is escaped here and nowhere else."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import hl7

CharacterSet = Literal["UNICODE UTF-8", "8859/1", "ASCII"]
# Of MSH-18 (table 0211), as this language calls them.
ENCODINGS: dict[str, str] = {"UNICODE UTF-8": "utf-8", "8859/1": "latin-1", "ASCII": "ascii"}
SEPARATOR, ENCODING_CHARACTERS = "|", "^~\\&"
VERSION = "2.5.1"


class Encoded(str):
    """A text that holds no delimiter, such as base64: it is written as it is."""


# A field: a text, or its components.
Value = str | Sequence[str]


def segment(name: str, fields: Mapping[int, Value | None]) -> "hl7.Segment":
    """A segment with these fields by their numbers; what is null or empty is left out."""
    import hl7

    made = hl7.Segment(sequence=[hl7.Field(sequence=[name])])
    if name == "MSH":
        made.assign_field(SEPARATOR, 1)
        made.assign_field(ENCODING_CHARACTERS, 2)
    for number, value in fields.items():
        if isinstance(value, str):
            made.assign_field(escaped(made, value), number)
        elif value is not None:
            for position, component in enumerate(value, start=1):
                made.assign_field(escaped(made, component), number, 1, position)
    return made


def message(segments: Sequence["hl7.Segment"]) -> "hl7.Message":
    """A message of these segments; as a text it ends with a carriage return."""
    import hl7

    return hl7.Message(sequence=list(segments))


def encoded(made: "hl7.Message", character_set: CharacterSet) -> bytes:
    """The message's bytes; a character that the set lacks becomes a question mark."""
    return str(made).encode(ENCODINGS[character_set], "replace")


def escaped(made: "hl7.Segment", text: str) -> str:
    """A value on one line with its delimiters escaped; other characters stay as the character set has them."""
    from hl7.util import escape

    if isinstance(text, Encoded):
        return text
    line = " ".join(text.split())
    return "".join(sign if sign > "~" else escape(made, sign) for sign in line if sign.isprintable())


def moment(at: dt.datetime) -> str:
    """A time in UTC with its zone (TS)."""
    return at.astimezone(dt.UTC).strftime("%Y%m%d%H%M%S+0000")
