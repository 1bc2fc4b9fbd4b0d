"""The table that a site fills in with its own truth (docs/how-to/validate-at-your-site.md): one line a knee or a film.

Everything that is wrong is reported at once, each with line, column and cure; nothing is guessed.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from uuid import UUID

from shared.clinic.density import DIAGNOSTIC_BONE_SITES, OSTEOPOROSIS_TO
from shared.label_table import Fault, listed, wrong_t_score
from shared.problems import InvalidInput

Side = Literal["left", "right"]
SIDES: tuple[Side, ...] = get_args(Side)
GRADES = ("0", "1", "2", "3", "4")
YES_NO = {"yes": True, "no": False}
SEXES = ("female", "male", "other")
OLDEST = 120
FILMS = ("file", "assessment")
REQUIRED = ("patient",)
TRUTHS = ("kl_grade", "osteoporosis", "t_score")
SUBGROUPS = ("sex", "age", "device")
READER = re.compile(r"reader([2-9])_kl_grade")
KNOWN = (*FILMS, *REQUIRED, "side", *TRUTHS, "t_score_region", *SUBGROUPS)
LONGEST_CODE = 64


@dataclass(frozen=True)
class TruthRow:
    """One line: whose knee or film it is, and what is known of it.

    Args:
        line: in the file, the heading being line 1. patient: the table's code.
        file: relative to the table's folder; empty where the line names a stored assessment.
        assessment: the id of one that is stored, or None where the line names a file.
        side: of the knee, or None where the film shows one or its worse knee was graded.
        kl_grade: by the first reader. readers: by the others, by their number.
        osteoporosis: by the column, or else by the T-score.
    """

    line: int
    file: str
    patient: str
    side: Side | None = None
    kl_grade: int | None = None
    readers: Mapping[int, int] = field(default_factory=dict)
    osteoporosis: bool | None = None
    assessment: UUID | None = None
    sex: str | None = None
    age: float | None = None
    device: str | None = None

    @property
    def film(self) -> str:
        """What names the film, or the reading of it, within the table."""
        return self.file or str(self.assessment)


def read_table(table: Path) -> tuple[list[TruthRow], list[Fault]]:
    """The rows, and the notices.

    Raises:
        InvalidInput: with everything that is wrong with the table, or it cannot be read.
    """
    records, heading = _records(table)
    faults = list(_wrong_heading(heading))
    if all(fault.notice for fault in faults):
        for line, record in records:
            wrong = [Fault(f"{table.name}, line {line}: {message}") for message in _wrong_fields(record)]
            faults += wrong or [Fault(f"{table.name}, line {line}: {odd}", notice=True) for odd in _odd_fields(record)]
    if any(not fault.notice for fault in faults):
        raise wrong_table(table, faults)
    if not records:
        raise wrong_table(table, [Fault(f"{table.name} has a heading and no rows: add a row for each knee or film.")])
    return [_row(line, record) for line, record in records], faults


def wrong_table(table: Path, faults: list[Fault]) -> InvalidInput:
    """The error of a table that cannot be evaluated, with its faults."""
    return InvalidInput(f"{listed(faults)}\n{table}: not fit to be evaluated; nothing was read.")


def _records(table: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """The lines by number, with spaces around the fields left out and missing fields empty; and the heading."""
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{table} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{table} is not in UTF-8: save it as CSV, UTF-8, with commas.") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heading = [column.strip() for column in next(reader, [])]
        lines = [(reader.line_num, [value.strip() for value in values]) for values in reader]
    except csv.Error as error:
        raise InvalidInput(
            f"{table.name}, line {reader.line_num}: {error}: save it as CSV, UTF-8, with commas."
        ) from error
    return [(line, _record(heading, values)) for line, values in lines if any(values)], heading


def _record(heading: list[str], values: list[str]) -> dict[str, str]:
    """One line by column; values beyond the heading are kept under an empty name, to be complained about."""
    record = {column: values[place] if place < len(values) else "" for place, column in enumerate(heading)}
    more = [value for value in values[len(heading) :] if value]
    return {**record, "": ",".join(more)} if more else record


def _wrong_heading(heading: list[str]) -> Iterator[Fault]:
    columns = ", ".join(heading)
    missing = [column for column in REQUIRED if column not in heading]
    missing += [] if any(column in heading for column in FILMS) else [FILMS[0]]
    if missing:
        cure = "save it with commas" if ";" in columns or "\t" in columns else "add it to the heading"
        yield Fault(f"line 1: the column {' and '.join(missing)} is missing: {cure} (there are {columns or 'none'}).")
        return
    if not any(truth in heading for truth in TRUTHS):
        yield Fault(f"line 1: no column has a truth to compare with: add one of {', '.join(TRUTHS)}.")
    for column in sorted({column for column in heading if heading.count(column) > 1}):
        yield Fault(f"line 1: the column {column or 'without a name'} is there twice: leave one.")
    if any(map(READER.fullmatch, heading)) and "kl_grade" not in heading:
        yield Fault("line 1: a second reader's grades without kl_grade, the first one's: add that column.")
    for column in heading:
        if column not in KNOWN and not READER.fullmatch(column):
            yield Fault(f"line 1: the column {column or 'without a name'} is not known and not used.", notice=True)


def _wrong_fields(record: dict[str, str]) -> Iterator[str]:
    """What is wrong with a line, column by column, each with its cure."""
    if "" in record:
        yield "there are more fields than columns: put a value that holds a comma in quotes."
    yield from _wrong_film(record)
    if not record["patient"]:
        yield "patient is empty: give every patient a code of your own, since intervals are by patient."
    if len(record["patient"]) > LONGEST_CODE:
        yield f"patient has more than {LONGEST_CODE} letters: give every patient a short code."
    yield from _not_among(record, "side", SIDES)
    yield from _not_among(record, "osteoporosis", tuple(YES_NO))
    yield from _not_among(record, "sex", SEXES)
    yield from _not_among(record, "t_score_region", tuple(sorted(DIAGNOSTIC_BONE_SITES)))
    for column in record:
        if column == "kl_grade" or READER.fullmatch(column):
            yield from _not_among(record, column, GRADES)
    if message := wrong_t_score(record.get("t_score", "")):
        yield message
    if message := _wrong_age(record.get("age", "")):
        yield message


def _odd_fields(record: dict[str, str]) -> Iterator[str]:
    """What two columns say against each other; the line itself is right."""
    label, t_score = record.get("osteoporosis"), record.get("t_score")
    if label and t_score and YES_NO[label] != (float(t_score) <= OSTEOPOROSIS_TO):
        yield f"osteoporosis {label} with a T-score of {t_score}: the label is believed, since it may rest on more."


def _wrong_film(record: dict[str, str]) -> Iterator[str]:
    file, assessment = (record.get(column, "") for column in FILMS)
    if not file and not assessment:
        yield "file is empty: name the film, relative to the table's folder, or the assessment that is stored of it."
    elif file and assessment:
        yield "there are a file and an assessment: leave one, since only one of them can be the answer."
    elif assessment and _uuid(assessment) is None:
        yield f"assessment '{assessment[:40]}' is no id: copy it from the result page, or from the API's answer."


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def _not_among(record: dict[str, str], column: str, allowed: tuple[str, ...]) -> Iterator[str]:
    written = record.get(column, "")
    if written and written not in allowed:
        yield f"{column} '{written[:40]}' is not known: use one of {', '.join(allowed)}, or leave it empty."


def _wrong_age(written: str) -> str | None:
    try:
        years = float(written or 0)
    except ValueError:
        return f"age '{written[:40]}' is no number: write it in years."
    return None if 0 <= years <= OLDEST else f"age {written[:40]} is not between 0 and {OLDEST}: write it in years."


def _row(line: int, record: dict[str, str]) -> TruthRow:
    """A line without faults."""
    graded = {int(found[1]): value for column, value in record.items() if (found := READER.fullmatch(column)) and value}
    return TruthRow(
        line=line,
        file=record.get("file", ""),
        assessment=_uuid(record.get("assessment", "")),
        patient=record["patient"],
        side=next((side for side in SIDES if side == record.get("side")), None),
        kl_grade=int(record["kl_grade"]) if record.get("kl_grade") else None,
        readers={number: int(value) for number, value in sorted(graded.items())},
        osteoporosis=_osteoporosis(record),
        sex=record.get("sex") or None,
        age=float(record["age"]) if record.get("age") else None,
        device=record.get("device") or None,
    )


def _osteoporosis(record: dict[str, str]) -> bool | None:
    """By the column, which may rest on more than density; else by the T-score and the WHO's limit."""
    if written := record.get("osteoporosis"):
        return YES_NO[written]
    if written := record.get("t_score"):
        return float(written) <= OSTEOPOROSIS_TO
    return None
