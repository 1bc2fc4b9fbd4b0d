"""Words on a card: short enough, and as text within the Markdown that CDS Hooks has for details."""

import re
from collections.abc import Sequence

from shared.contracts.recommendation import DrugClass, Recommendation

# CDS Hooks 2.0.1: a summary has fewer than 140 characters.
SUMMARY_LENGTH = 139
# What would be read as Markdown, or as HTML by a client that lets that through.
MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")
NAMES: dict[DrugClass, str] = {
    "oral_bisphosphonate": "bisphosphonate by mouth",
    "iv_bisphosphonate": "bisphosphonate by infusion",
    "denosumab": "denosumab",
    "anabolic": "bone-building drug",
    "romosozumab": "romosozumab",
    "raloxifene": "raloxifene",
    "hormone_therapy": "hormone therapy",
}
# A substance has no article; a class has one.
CLASSES = ("oral_bisphosphonate", "iv_bisphosphonate", "anabolic")


def named(drug_class: DrugClass) -> str:
    """How a class of medicines is called."""
    return NAMES[drug_class]


def the(name: str) -> str:
    """The same within a sentence."""
    return f"a {name}" if name in {NAMES[one] for one in NAMES if one in CLASSES} else name


def first_sentence(text: str) -> str:
    """The first sentence of a text, without its full stop: of several reasons the gravest comes first."""
    return text.split(". ")[0].rstrip(".")


def shortened(text: str) -> str:
    """A text as a summary: cut at a word where it is too long."""
    plain = " ".join(text.split())
    if len(plain) <= SUMMARY_LENGTH:
        return plain
    return f"{plain[: SUMMARY_LENGTH - 1].rsplit(' ', 1)[0]}…"


def escaped(text: str) -> str:
    """A text as it is, within Markdown."""
    return MARKUP.sub(r"\\\1", " ".join(text.split()))


def as_item(item: Recommendation) -> str:
    """A recommendation with where it is from."""
    return f"{escaped(item.text)} ({escaped(item.citation)}; {escaped(item.review)})"


def bullets(lines: Sequence[str], most: int) -> list[str]:
    """A list in Markdown, as one block; what is more than `most` is counted."""
    if not lines:
        return []
    more = [f"- and {len(lines) - most} more"] if len(lines) > most else []
    return ["\n".join([*(f"- {line}" for line in lines[:most]), *more])]
