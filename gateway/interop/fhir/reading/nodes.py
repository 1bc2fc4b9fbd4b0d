"""Looking into JSON that anybody may have sent: what has another type than FHIR says is as if it were not there."""

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]
LONGEST_SHOWN = 80
LONGEST_DATE = 40
DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?)?)?")
MICROSECONDS = re.compile(r"(\.\d{6})\d+")


def node(parent: Any, name: str) -> Node:
    """The object of this name; an empty one where there is none."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return found if isinstance(found, dict) else {}


def nodes(parent: Any, name: str) -> list[Node]:
    """The objects of the list of this name."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(parent: Any, name: str) -> str | None:
    """The text of this name."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return found if isinstance(found, str) and found else None


def number(parent: Any, name: str) -> float | None:
    """The number of this name; null where it is none, or not finite."""
    found = parent.get(name) if isinstance(parent, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        value = float(found)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def shown(value: str | None) -> str:
    """What was sent, short and printable, to be named in an answer."""
    kept = (value or "")[:LONGEST_SHOWN]
    return "".join(sign if sign.isprintable() else "?" for sign in kept)


@dataclass(frozen=True)
class CodeSent:
    """A code as it was sent."""

    system: str
    code: str

    @property
    def words(self) -> str:
        return f"{shown(self.system)}|{shown(self.code)}"


def codes(concept: Node) -> Iterator[CodeSent]:
    """The codes of a CodeableConcept that name their system."""
    for coding in nodes(concept, "coding"):
        system, code = text(coding, "system"), text(coding, "code")
        if system and code:
            yield CodeSent(system, code)


def has_code(concept: Node, *accepted: str) -> bool:
    """Whether one of the codes, whatever its system, is one of these."""
    return any(text(coding, "code") in accepted for coding in nodes(concept, "coding"))


@dataclass(frozen=True)
class Moment:
    """A date or time: the first moment that it can stand for, and how many of year, month, day and time are known."""

    first: dt.datetime
    parts: int

    @property
    def day(self) -> dt.date:
        return self.first.date()

    @property
    def words(self) -> str:
        return self.day.isoformat()[: (4, 7, 10, 10)[self.parts - 1]]


def moment(written: str | None) -> Moment | None:
    """A FHIR date, dateTime or instant; null where it is none."""
    match = DATE.fullmatch(written) if written and len(written) <= LONGEST_DATE else None
    if match is None:
        return None
    year, month, day, time = match.groups()
    try:
        if time:
            whole = MICROSECONDS.sub(r"\1", f"{year}-{month}-{day}{time}")
            return Moment(dt.datetime.fromisoformat(whole).astimezone(dt.UTC), 4)
        parts = 1 + bool(month) + bool(day)
        return Moment(dt.datetime(int(year), int(month or 1), int(day or 1), tzinfo=dt.UTC), parts)
    except (ValueError, OverflowError):
        return None
