"""The films that a table names: are they there, is each one patient's, and is what the table says of it one thing?"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.evaluation.table import TruthRow
from shared.label_table import Fault


def wrong_films(folder: Path, rows: Sequence[TruthRow]) -> list[Fault]:
    """Everything that is wrong with the films and with what several lines say of one.

    Args:
        folder: the table's, which the films' names are relative to.
    """
    of_film: dict[str, list[TruthRow]] = defaultdict(list)
    for row in rows:
        of_film[row.film].append(row)
    faults = [fault for file, same in of_film.items() for fault in _wrong_lines(file, same)]
    present = []
    for file, same in of_film.items():
        if not same[0].file:  # a stored assessment
            continue
        missing = _missing(folder, same[0])
        faults += [missing] if missing else []
        present += [] if missing else [file]
    return faults + list(_copies(folder, {file: of_film[file][0] for file in present}))


def _wrong_lines(file: str, rows: list[TruthRow]) -> Iterator[Fault]:
    where = f"lines {' and '.join(str(row.line) for row in rows)}: {file}"
    if len({row.patient for row in rows}) > 1:
        yield Fault(f"{where} has two patients: give it one, or name another film.")
    if len({row.osteoporosis for row in rows if row.osteoporosis is not None}) > 1:
        yield Fault(f"{where} is osteoporosis in one line and not in the other: correct one.")
    if len(rows) > 1 and any(row.side is None for row in rows):
        yield Fault(f"{where} has several lines: name the side in each.")
    elif len({row.side for row in rows}) < len(rows):
        yield Fault(f"{where} has two lines for one side: leave one.")


def _missing(folder: Path, row: TruthRow) -> Fault | None:
    path = folder / row.file
    if not path.resolve().is_relative_to(folder.resolve()):
        return Fault(f"line {row.line}: file {row.file} lies outside the table's folder: copy it into it.")
    if not path.is_file():
        return Fault(f"line {row.line}: file {row.file} is missing: put it there, or take the line out.")
    return None


def _copies(folder: Path, first_rows: dict[str, TruthRow]) -> Iterator[Fault]:
    """Films that are byte for byte another one: they would count twice."""
    seen: dict[bytes, TruthRow] = {}
    for file, row in first_rows.items():
        with (folder / file).open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").digest()
        if other := seen.get(digest):
            pair = f"line {row.line}: {file} is the same picture as {other.file} in line {other.line}"
            if other.patient == row.patient:
                yield Fault(f"{pair}, so it counts twice: one of them is enough.", notice=True)
            else:
                yield Fault(f"{pair}, under another patient: find out whose it is and take the other out.")
        seen.setdefault(digest, row)
