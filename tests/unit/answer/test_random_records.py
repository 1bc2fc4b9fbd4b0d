"""No answer to any record contradicts itself: 2,000 records made at random, 20,000 in the long run."""

from random import Random
from typing import Any

import pytest

from shared.contracts.policy import ClinicPolicy
from tests.unit.answer.contradictions import contradictions
from tests.unit.answer.records import some_record
from tests.unit.answer.whole import answer_to

SEED = 20261126
FILMS = (None, None, "normal", "low_bone_mass", "osteoporosis", "indeterminate")
POLICIES = (ClinicPolicy(), ClinicPolicy(postmenopausal_from=60), ClinicPolicy(postmenopausal_from=None))


def faults_of(count: int, seed: int) -> list[tuple[list[str], dict[str, Any], str | None, int | None]]:
    """Every answer that contradicts itself, with what it was made from."""
    random = Random(seed)
    faults = []
    for _ in range(count):
        record = some_record(random)
        film, policy = random.choice(FILMS), random.choice(POLICIES)
        grade = random.randint(0, 4) if film and random.random() < 0.6 else None
        if found := contradictions(answer_to(record, film, grade, policy)):
            faults.append((found, record, film, grade))
    return faults


def test_2000_random_records() -> None:
    assert faults_of(2000, SEED) == []


@pytest.mark.long
def test_20000_random_records() -> None:
    assert faults_of(20_000, SEED + 1) == []
