"""What a patient reads: plain words, short sentences, one action, no bone drug that waits for a release."""

import re
from collections.abc import Iterator

import pytest

from shared.clinic.drug_names import bone_drug_named
from tests.unit.services.recommender.cases import RULES

# Flesch-Kincaid grades: 6 is what most children of 11 read. One word such as "physiotherapist" weighs much in a short
# text, so a single text may lie higher, and all of them together may not.
ALL_AT_MOST, ONE_AT_MOST, LONGEST_SENTENCE, LONGEST_TEXT = 6.0, 12.5, 24, 45
VOWELS = re.compile(r"[aeiouy]+")


def texts() -> Iterator[tuple[str, str]]:
    yield from ((rule.id, rule.output.patient_text) for rule in RULES.rules)
    yield from ((rule.id, rule.patient_reason) for rule in RULES.consults)


def sentences(text: str) -> list[list[str]]:
    parts = re.split(r"(?<=[.!?;:])\s+", re.sub(r"\{\w+\}", "20", text))
    return [re.findall(r"[A-Za-z0-9'-]+", part) for part in parts if part]


def syllables(word: str) -> int:
    word = word.lower()
    count = len(VOWELS.findall(word)) - (word.endswith("e") and not word.endswith("le"))
    return max(1, count)


def grade(text: str) -> float:
    said = sentences(text)
    words = [word for sentence in said for word in sentence]
    return 0.39 * len(words) / len(said) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


@pytest.mark.parametrize(("rule_id", "text"), list(texts()))
def test_a_patient_can_read_it(rule_id: str, text: str) -> None:
    assert grade(text) <= ONE_AT_MOST
    assert max(map(len, sentences(text))) <= LONGEST_SENTENCE
    assert len(text.split()) <= LONGEST_TEXT


def test_all_of_them_together_are_read_at_11() -> None:
    assert grade(" ".join(text for _, text in texts())) <= ALL_AT_MOST


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_no_bone_drug_but_where_a_clinician_has_released_it(rule: object) -> None:
    named = bone_drug_named(rule.output.patient_text)  # type: ignore[attr-defined]
    assert not named or rule.output.kind == "medication"  # type: ignore[attr-defined]
