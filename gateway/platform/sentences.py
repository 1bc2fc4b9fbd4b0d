"""The sentences of the services, found again by the gaps in them, so that they can be told in another language.

A service answers in English prose, and prose is what is stored. The English catalogue holds each of these sentences
once under `said.`, with a gap where a value stands, and the others hold the same with the same gaps: so what was stored
years ago, or came from a service of another version, is told in the reader's language as well. A test holds the
catalogue against what the services say of records made at random.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from gateway.platform.catalogue import catalogue

# What stands in a gap, by its name; any other gap holds a number.
NUMBER = r"[-+]?\d+(?:\.\d+)?"
GAPS = {
    "sentence": r".+",
    "tail": r"(?:[;,] .+)?",
    "date": r"\d{4}-\d\d-\d\d",
    "dated": r"(?: of \d{4}-\d\d-\d\d)?",
    "sites": r"[a-z][a-z ,]*?",
    "fields": r"[a-z_]+(?:, [a-z_]+)*",
    "codes": r"[a-z0-9_]+(?:, [a-z0-9_]+)*",
    "category": r"low|moderate|high",
    "anatomy": r"knee|spine",
    "side": r"left|right",
    "unit": r"[A-Za-z]+(?:/[A-Za-z]+)?(?: a day)?",
    "name": r".+?",
}
# Sentences that stand in a row, if they are not known as a whole.
BETWEEN = ("; ", ". ")


class Sentence(NamedTuple):
    """A sentence of the catalogue and what stands in its gaps, as it was said; `ended` where a full stop follows."""

    key: str
    params: Mapping[str, str]
    ended: bool = False


class Row(NamedTuple):
    """Sentences in a row, and what stands between them."""

    sentences: tuple["Sentence | Row", ...]
    between: str


@lru_cache(maxsize=4096)
def recognised(said: str) -> Sentence | Row | None:
    """The sentence of the catalogue that this is, or the row of them; null where there is no such sentence."""
    for key, pattern in _patterns():
        match = pattern.fullmatch(said)
        if match is None:
            continue
        params = match.groupdict()
        ended = bool(params.pop("ended"))
        if all(_is_known(name, value) for name, value in params.items()):
            return Sentence(key, params, ended)
    for between in BETWEEN:
        parts = said.split(between)
        found = [recognised(part) for part in parts] if len(parts) > 1 else []
        if found and all(found):
            return Row(tuple(one for one in found if one), between)
    return None


def _is_known(name: str, value: str) -> bool:
    """Whether a gap holds what can be told: a sentence within the sentence, or words that have others."""
    if name == "sentence":
        return recognised(value) is not None
    if name == "tail":
        return not value or recognised(value[2:]) is not None
    if name == "sites":
        return all(f"option.{code}" in catalogue("en") for code in codes_of(value))
    return True


def codes_of(words: str) -> list[str]:
    """The codes that are listed in words: `femoral neck and hip`."""
    return [word.replace(" ", "_") for word in re.split(r" and |, ", words.lower())]


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """What finds each sentence, the most words first: a sentence with few words finds parts of the others too."""
    texts = {key: text for key, text in catalogue("en").items() if key.startswith("said.")}
    by_words = sorted(texts, key=lambda key: -len(re.sub(r"{\w+}", "", texts[key])))
    return [(key, _pattern(texts[key])) for key in by_words]


def _pattern(text: str) -> re.Pattern[str]:
    """The first letter may be a small or a capital one, and a full stop may follow: sentences stand within others."""
    words = re.split(r"{(\w+)}", text.removesuffix("."))
    parts = [re.escape(part) if place % 2 == 0 else _gap(part) for place, part in enumerate(words)]
    return re.compile("(?i)" + "".join(parts) + r"(?P<ended>\.?)")


def _gap(name: str) -> str:
    return f"(?P<{name}>{GAPS.get(name, NUMBER)})"
