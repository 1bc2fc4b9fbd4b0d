"""The table of OWASP ASVS 4.0.3 in docs/security.md leaves no item of levels 1 and 2 out, and names none twice."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
# How many items each section has; deleted ones and those of level 3 are taken out below.
SECTIONS = {
    "1.1": 7, "1.2": 4, "1.4": 5, "1.5": 4, "1.6": 4, "1.7": 2, "1.8": 2, "1.9": 2, "1.10": 1, "1.11": 2, "1.12": 2,
    "1.14": 6, "2.1": 12, "2.2": 3, "2.3": 3, "2.4": 5, "2.5": 7, "2.6": 3, "2.7": 6, "2.8": 7, "2.9": 3, "2.10": 4,
    "3.1": 1, "3.2": 4, "3.3": 4, "3.4": 5, "3.5": 3, "3.7": 1, "4.1": 5, "4.2": 2, "4.3": 3, "5.1": 5, "5.2": 8,
    "5.3": 10, "5.4": 3, "5.5": 4, "6.1": 3, "6.2": 6, "6.3": 2, "6.4": 2, "7.1": 4, "7.2": 2, "7.3": 4, "7.4": 3,
    "8.1": 4, "8.2": 3, "8.3": 8, "9.1": 3, "9.2": 4, "10.2": 2, "10.3": 3, "11.1": 8, "12.1": 3, "12.2": 1, "12.3": 6,
    "12.4": 2, "12.5": 2, "12.6": 1, "13.1": 5, "13.2": 6, "13.3": 2, "13.4": 2, "14.1": 4, "14.2": 6, "14.3": 3,
    "14.4": 7, "14.5": 4,
}  # fmt: skip
DELETED = {"1.4.2", "1.4.3", "1.12.1", "4.1.4", "7.3.2", "13.1.2", "13.2.4", "14.3.1"}
EVERY = {f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)} - DELETED
STATES = ("met", "partly", "open", "not applicable")


def rows():
    table = PAGE.partition("## OWASP ASVS")[2]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.count("|") == 4
    ][2:]


def items(cell):
    """Every item that a cell names; "2.1.3 to 2.1.7" names five."""
    for part in re.sub(r"\*\*V\d+\*\*", "", cell).split(","):
        first, *last = re.findall(r"\d+\.\d+\.\d+", part)
        section, _, number = first.rpartition(".")
        until = int((last or [first])[0].rpartition(".")[2])
        yield from (f"{section}.{each}" for each in range(int(number), until + 1))


def test_every_item_stands_in_the_table_once():
    named = [item for cell, _, _ in rows() for item in items(cell)]
    assert set(named) == EVERY, (sorted(set(named) - EVERY), sorted(EVERY - set(named)))
    assert len(named) == len(set(named))


@pytest.mark.parametrize(("item", "state", "why"), rows())
def test_a_row_has_a_state_and_a_reason(item, state, why):
    assert state.startswith(STATES)
    assert len(why) > 2


def test_every_test_that_the_page_names_is_there():
    named = set(re.findall(r"`(test_\w+\.py)`", PAGE))
    there = {file.name for file in Path(__file__).parents[1].rglob("test_*.py")}
    assert named <= there, named - there
