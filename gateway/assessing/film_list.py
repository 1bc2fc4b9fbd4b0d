"""A list of films as people write it: a CSV with a column `file`, and fields of the clinical record beside it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from shared.problems import InvalidInput

FILE, PATIENT_NUMBER = "file", "patient_number"


@dataclass(frozen=True)
class ListedFilm:
    """One line.

    Args:
        line: its number in the list, the heading being 1.
        file: as the list names it.
        patient_number: the hospital's own; null where the list has none.
        record: what the list says of the person, by the names of the clinical record; empty where it says nothing.
    """

    line: int
    file: str
    patient_number: str | None
    record: Mapping[str, str | float | bool]


def read_list(text: str, name: str) -> list[ListedFilm]:
    """The lines of a list.

    Args:
        name: of the list, for what is said of its faults.

    Raises:
        InvalidInput: a line has no file, or not as many values as the heading has columns.
    """
    try:
        lines = list(csv.DictReader(io.StringIO(text)))
    except csv.Error as error:
        raise InvalidInput(f"{name} cannot be read as CSV: {error}.") from error
    films = []
    for number, line in enumerate(lines, start=2):
        file = line.pop(FILE, None)
        if not file or None in line or None in line.values():
            raise InvalidInput(
                f"{name}, line {number}: it needs a `{FILE}`, and as many values as the heading has columns."
            )
        patient = line.pop(PATIENT_NUMBER, None) or None
        films.append(ListedFilm(number, file, patient, {field: _value(cell) for field, cell in line.items() if cell}))
    return films


def _value(text: str) -> str | float | bool:
    """A cell as a record has it: a number, true or false, or a word."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text
