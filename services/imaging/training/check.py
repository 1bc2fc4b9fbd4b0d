"""`make check-data DATA=DIR`: is a data folder fit to be learned from? Training does the same first.

Everything that is wrong is reported at once, each with file and cure; a notice stops nothing.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from services.imaging.network import BONE_CLASSES, CONTENTS, OTHER, SITES
from services.imaging.training.tables import Row, WrongData, read_rows
from shared.label_table import Fault, listed
from shared.problems import TrabeculaError
from shared.radiograph.intake import decode
from shared.training.likeness import Likeness, copies

OSTEOPOROSIS = BONE_CLASSES.index("osteoporosis")
# As many patients of each kind as there are folds, so that every fold can have one.
FEWEST_PATIENTS = 5


def checked_rows(data: Path, exclude: tuple[str, ...] = ()) -> tuple[list[Row], list[Fault]]:
    """The rows to learn from, and the notices.

    Raises:
        WrongData: with every fault that stops the training.
    """
    rows, faults = read_rows(data, exclude)
    if rows:
        faults += [*repeated(rows), *leaking(rows), *contradictory(rows), *pictures(data, rows)]
        if not any(not fault.notice for fault in faults):  # a table half understood would seem to lack labels
            faults += [*lacking(rows)]
    wrong = [fault for fault in faults if not fault.notice]
    if wrong:
        raise WrongData(wrong)
    return rows, [fault for fault in faults if fault.notice]


def repeated(rows: list[Row]) -> Iterator[Fault]:
    """Files that are listed twice."""
    by_file = defaultdict(list)
    for row in rows:
        by_file[row.file].append(row)
    for file, same in by_file.items():
        tables = Counter(row.table for row in same)
        if max(tables.values()) == 1:
            continue
        patients = sorted({row.patient for row in same})
        where = " and ".join(str(row.line) for row in same)
        if len(patients) > 1:
            names = " and ".join(patients)
            problem = f"{file} is named for the patients {names} (lines {where}): two patients' pictures"
            yield Fault(f"{problem} need two names; put each patient's into a folder of its own.")
        else:
            yield Fault(f"{same[0].table}.csv: {file} is listed twice (lines {where}): leave one of the lines.")


def leaking(rows: list[Row]) -> Iterator[Fault]:
    """Patients that are both learned from and held out."""
    parts = defaultdict(set)
    for row in rows:
        parts[row.group].add(row.part or "train")
    for group, named in parts.items():
        if "test" in named and len(named) > 1:
            patient = group.split("/", 1)[1]
            yield Fault(f"The patient {patient} is in the parts {' and '.join(sorted(named))}: choose one for all.")


def contradictory(rows: list[Row]) -> Iterator[Fault]:
    """Labels that their own T-score gainsays; the label is believed, since it may rest on more."""
    for row in rows:
        if row.t_score is None or row.bone is None:
            continue
        by_score = 2 if row.t_score <= -2.5 else 1 if row.t_score < -1.0 else 0
        if by_score != row.bone:
            problem = f"{row.place}: label {BONE_CLASSES[row.bone]} with a T-score of {row.t_score}, which is"
            yield Fault(f"{problem} {BONE_CLASSES[by_score]} by the WHO's limits; the label is believed.", notice=True)


def pictures(data: Path, rows: list[Row]) -> Iterator[Fault]:
    """Files that are missing or cannot be decoded, and pictures that are copies of each other."""
    readable, likenesses = [], []
    for row in rows:
        path = data / row.file
        if not path.resolve().is_relative_to(data.resolve()):
            yield Fault(f"{row.place}: {row.file} lies outside the folder: copy it into it.")
        elif not path.is_file():
            yield Fault(f"{row.place}: {row.file} is missing: put it there, or take the line out.")
        else:
            try:
                likenesses.append(Likeness.of(decode(path.read_bytes()).pixels))
                readable.append(row)
            except TrabeculaError as error:
                yield Fault(f"{row.place}: {row.file} cannot be read. {error.detail}")
    for first, second in copies(likenesses):
        if fault := copy(readable[first], readable[second]):
            yield fault


def copy(first: Row, second: Row) -> Fault | None:
    """What it means that one picture is a copy of the other."""
    pair = f"{first.file} ({first.patient or 'patient unknown'}) and {second.file} ({second.patient or 'unknown'})"
    if first.file == second.file:  # in two built-in tables, each for its own purpose
        return None
    if first.group == second.group and not first.patient:  # the table itself says that they are alike
        return None
    if first.patient and second.patient and first.group != second.group:
        cure = "find out whose it is and take the other out, or give both the same patient"
        return Fault(f"{pair} are the same picture under two patients: {cure}.")
    return Fault(f"{pair} are the same picture twice; one of them is enough.", notice=True)


def lacking(rows: list[Row]) -> Iterator[Fault]:
    """What a whole network needs and the tables do not have: bone labels for every anatomy, and what to refuse."""
    contents = Counter(CONTENTS[row.content] for row in rows)
    for site in SITES:
        if not contents[site]:
            message = f"There is no {site}: the network will not know one, and takes it for what it looks most like."
            yield Fault(message, notice=True)
            continue
        patients = defaultdict(set)
        for row in rows:
            if CONTENTS[row.content] == site and row.bone is not None and not row.held_out:
                patients[row.bone == OSTEOPOROSIS].add(row.group)
        for has, group in ((True, "osteoporosis"), (False, "no osteoporosis (normal or osteopenia)")):
            if len(patients[has]) < FEWEST_PATIENTS:
                count = f"{len(patients[has])} patients with {group}, and {FEWEST_PATIENTS} are needed"
                yield Fault(f"{site}: {count}: label more, or take the {site} pictures out.")
    if not any(contents[site] for site in SITES):
        yield Fault(f"No picture shows {', '.join(SITES)}: there is nothing to learn from.")
    if not any(contents[content] for content in CONTENTS[OTHER]):
        kinds = ", ".join(CONTENTS[OTHER])
        yield Fault(f"No picture shows what must be refused: add some of {kinds}, or the public other.csv.")


def checked(data: Path, exclude: tuple[str, ...] = ()) -> list[Row]:
    """The rows to learn from; notices are printed, and what is wrong ends the program with one line for each fault."""
    try:
        rows, notices = checked_rows(data, exclude)
    except WrongData as wrong:
        print(listed(wrong.faults), file=sys.stderr)
        sys.exit(f"{data}: not fit to be learned from; nothing was trained.")
    if notices:
        print(listed(notices), flush=True)
    return rows


def main() -> None:
    """Check the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="data folder")
    parser.add_argument("--exclude", action="append", default=[], help="a table to leave out; may be repeated")
    options = parser.parse_args()
    rows = checked(options.data, tuple(options.exclude))
    counts = Counter((row.table, CONTENTS[row.content]) for row in rows)
    print("\n".join(f"{table}: {count} {content}" for (table, content), count in sorted(counts.items())))
    print(f"{options.data}: fit to be learned from.")


if __name__ == "__main__":
    main()
