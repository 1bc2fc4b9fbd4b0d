"""Damaged files of every kind only ever raise a TrabeculaError; `python -m tests.fuzz.intake` runs many more."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.problems import TrabeculaError
from shared.radiograph.intake import decode
from tests.fuzz.inputs import files
from tests.fuzz.intake import case, finding

CASES = 600
NO_LIMIT = 2**40


@pytest.mark.parametrize("name", sorted(set(files()) - {"jpeg cmyk"}))
def test_whole_files_are_read(name: str) -> None:
    assert decode(files()[name]).pixels.shape in {(60, 50), (50, 60), (48, 40)}


@pytest.mark.filterwarnings("ignore")
def test_damaged_files() -> None:
    corpus = files()
    assert [fault for number in range(CASES) if (fault := finding(case(number, corpus)[1], NO_LIMIT))] == []


def test_a_case_is_the_same_each_time() -> None:
    corpus = files()
    assert case(7, corpus) == case(7, corpus)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", bytes(128) + b"DICM"]), st.binary(max_size=400))
@pytest.mark.filterwarnings("ignore")
def test_noise_behind_a_magic_number(magic: bytes, noise: bytes) -> None:
    with pytest.raises(TrabeculaError):
        decode(magic + noise)
