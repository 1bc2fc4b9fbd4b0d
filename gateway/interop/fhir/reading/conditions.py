"""Conditions: diseases and fractures by ICD-10, ICD-10-CM and SNOMED CT. What is not said stays unknown, never "no"."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from gateway.interop.fhir.code_map import UnusedGroup, code_map, system
from gateway.interop.fhir.reading.findings import Candidate, Finding, Origin, Reader, Unused, decided, reference_of
from gateway.interop.fhir.reading.nodes import CodeSent, Moment, Node, codes, has_code, moment, node, number, text
from shared.clinic.scores import DAYS_A_MONTH

OVER = ("inactive", "remission", "resolved")
DOUBTFUL = ("unconfirmed", "provisional", "differential")
LONGEST_PREFIX = 8


@dataclass(frozen=True)
class Meaning:
    """What a code stands for: a condition, a fracture's site, or the reason why it is not used."""

    condition: str | None = None
    fracture: str | None = None
    why_not: str | None = None
    history: bool = False


@cache
def by_prefix() -> dict[str, Meaning]:
    """The meaning of the beginnings of ICD-10 codes."""
    found: dict[str, Meaning] = {}
    conditions = code_map().conditions
    for group in conditions.icd10:
        found |= dict.fromkeys(group.prefixes, Meaning(condition=group.condition, history=group.history))
    for fracture in conditions.fractures:
        found |= dict.fromkeys(fracture.prefixes, Meaning(fracture=fracture.site, history=True))
    return found | {prefix: Meaning(why_not=why) for prefix, why in reasons(conditions.not_used).items()}


def reasons(groups: list[UnusedGroup]) -> dict[str, str]:
    """The reason of each prefix that is known and not used."""
    return {prefix: group.reason for group in groups for prefix in group.prefixes}


@cache
def by_concept() -> dict[str, Meaning]:
    """The meaning of SNOMED CT identifiers."""
    conditions = code_map().conditions
    found = {row.code: Meaning(condition=row.condition, history=row.history) for row in conditions.sct}
    return found | {row.code: Meaning(why_not=row.reason) for row in conditions.not_used_sct}


def longest_match(code: str, table: dict[str, Any]) -> Any | None:
    """What the longest beginning of a code stands for in a table."""
    plain = code.replace(".", "").upper()[:LONGEST_PREFIX]
    return next((table[plain[:end]] for end in range(len(plain), 0, -1) if plain[:end] in table), None)


def read_condition(resource: Node, reader: Reader) -> Iterator[Finding]:
    """What a Condition says."""
    found = _meaning(resource)
    if isinstance(found, Unused):
        yield found
        return
    origin, meaning = found
    certainty, when = node(resource, "verificationStatus"), moment(text(resource, "onsetDateTime"))
    fault = reader.date_fault(origin, when)
    if has_code(certainty, "entered-in-error"):
        yield Unused(origin, "status", "it was entered in error")
    elif has_code(certainty, *DOUBTFUL):
        yield Unused(origin, "unconfirmed", "it is not confirmed")
    elif fault is not None:
        yield fault
    elif has_code(certainty, "refuted"):
        yield _refuted(origin, meaning)
    elif has_code(node(resource, "clinicalStatus"), *OVER) and not meaning.history:
        yield Unused(origin, "not_current", "it is over, and only a present one counts")
    elif meaning.fracture is not None:
        yield Candidate(origin, "prior_fractures", _fracture(meaning.fracture, resource, when, reader), when)
    else:
        yield Candidate(origin, "medical_conditions", meaning.condition, when)


def _refuted(origin: Origin, meaning: Meaning) -> Finding:
    if meaning.condition is None:
        return Unused(origin, "no_field", "the record cannot say of one fracture that there was none")
    return Candidate(origin, "medical_conditions_excluded", meaning.condition)


def _meaning(resource: Node) -> tuple[Origin, Meaning] | Unused:
    """What the codes stand for; one that is used counts before one that is known and not used."""
    reference, sent = reference_of(resource), list(codes(node(resource, "code")))
    known = [(code, meaning) for code in sent if (meaning := _of_code(code)) is not None]
    if found := decided([one for one in known if one[1].why_not is None], reference):
        return found
    if known:
        code, meaning = known[0]
        return Unused(Origin(reference, code.words), "no_field", meaning.why_not or "")
    origin = Origin(reference, sent[0].words if sent else "")
    return Unused(origin, "unknown_code", "the code map does not have this code")


def _of_code(code: CodeSent) -> Meaning | None:
    if code.system in (system("icd10"), system("icd10cm")):
        found: Meaning | None = longest_match(code.code, by_prefix())
        return found
    return by_concept().get(code.code) if code.system == system("sct") else None


def _fracture(site: str, resource: Node, when: Moment | None, reader: Reader) -> dict[str, object]:
    """The fracture with its time, where it is known to the month; whether a fall broke the bone is in no code."""
    found: dict[str, object] = {"site": site}
    onset = node(resource, "onsetAge")
    if when is not None and when.parts > 1:
        found["months_ago"] = round(max(0, (reader.as_of - when.day).days) / DAYS_A_MONTH, 1)
    elif text(onset, "system") == system("ucum") and text(onset, "code") == "a":
        age = number(onset, "value")
        found |= {"age": age} if age is not None else {}
    return found
