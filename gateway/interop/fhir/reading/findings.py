"""What reading a resource gives: a value for a field of the record, or the reason why there is none."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from gateway.interop.fhir.reading.nodes import CodeSent, Moment, Node, shown, text

Meaning = TypeVar("Meaning")

Reason = Literal[
    "unknown_code", "no_field", "ambiguous_code", "unknown_unit", "site_ambiguous", "status", "not_current",
    "unconfirmed", "contradicted", "superseded", "no_value", "value_type", "comparator", "out_of_range", "before_birth",
    "future_date", "out_of_date", "undated", "other_patient", "resource_type", "no_pixels",
]  # fmt: skip


@dataclass(frozen=True)
class Origin:
    """Where something comes from: the resource, and its code where there is one."""

    reference: str
    code: str = ""

    @property
    def words(self) -> str:
        return f"{self.reference} ({self.code})" if self.code else self.reference


@dataclass(frozen=True)
class Candidate:
    """A value that a field of the record could have."""

    origin: Origin
    field: str
    value: Any
    when: Moment | None = None
    caveat: str | None = None


@dataclass(frozen=True)
class Unused:
    """Something that was sent and not used, with the reason for programs and for people."""

    origin: Origin
    reason: Reason
    why: str

    @property
    def words(self) -> str:
        return f"{self.origin.words}: {self.why}."


Finding = Candidate | Unused


@dataclass(frozen=True)
class Reader:
    """What all readers need to know.

    Args:
        as_of: the day that everything is counted from.
        born: the first day that the patient may have been born on, where the date of birth is known.
        femur_site: what a bone density of the femur means that names no part of it, if anything.
    """

    as_of: dt.date
    born: dt.date | None = None
    femur_site: str | None = None

    def date_fault(self, origin: Origin, when: Moment | None) -> Unused | None:
        """Why a date cannot be one of this patient's; null where it can, or where there is none."""
        if when is None:
            return None
        if when.day > self.as_of + dt.timedelta(days=1):  # a day's grace for clocks and time zones
            return Unused(origin, "future_date", f"{when.words} lies in the future")
        if self.born is not None and self._is_before(when, self.born):
            return Unused(origin, "before_birth", f"{when.words} lies before the date of birth")
        return None

    @staticmethod
    def _is_before(when: Moment, born: dt.date) -> bool:
        return when.day < born if when.parts >= 3 else when.day.year < born.year


def decided(sent: Sequence[tuple[CodeSent, Meaning]], reference: str) -> tuple[Origin, Meaning] | Unused | None:
    """What the codes of one resource come to: null where the map knows none of them.

    Args:
        sent: the codes that the map knows and can use, with what each stands for.
        reference: names the resource.
    """
    if not sent:
        return None
    code, meaning = sent[0]
    if any(other != meaning for _, other in sent[1:]):
        return Unused(Origin(reference, code.words), "ambiguous_code", "its codes stand for different things")
    return Origin(reference, code.words), meaning


def reference_of(resource: Node) -> str:
    """How a resource is named in an answer."""
    return f"{shown(text(resource, 'resourceType'))}/{shown(text(resource, 'id')) or '?'}"
