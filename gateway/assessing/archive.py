"""An archive of films, assessed file by file: one row for each, in a table that a later run goes on with."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.assessing.case import Case, read_record
from gateway.assessing.film_list import FILE, read_list
from gateway.assessing.workflow import Findings, Workflow
from shared.contracts.findings import Knee
from shared.problems import InvalidInput, ServiceUnavailable, problem_for

COLUMNS = (
    "file", "status", "reason", "detail", "anatomy", "bone", "normal", "osteopenia", "osteoporosis", "right_grade",
    "left_grade", "other_grade", "uncertain", "category", "probability", "warnings", "versions",
)  # fmt: skip
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Film:
    """One file of the archive.

    Args:
        name: as the table names it, relative to the folder or the manifest. path: where it lies.
        record: what the manifest says of the person, by the names of the clinical record; empty where it says nothing.
    """

    name: str
    path: Path
    record: Mapping[str, str | float | bool] = field(default_factory=dict)


def films_in(source: Path) -> list[Film]:
    """The files of a folder and those below it, or the lines of a manifest: a CSV with a column `file`, and any fields
    of the clinical record beside it.

    Raises:
        InvalidInput: there is no such folder or manifest, or it has nothing to read.
    """
    films = _listed(source) if source.is_file() else _found(source)
    if not films:
        raise InvalidInput(f"{source} names no file: give a folder of films, or a CSV with a column `{FILE}`.")
    return films


def _found(folder: Path) -> list[Film]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = [(path.relative_to(folder), path) for path in files]
    return [Film(name.as_posix(), path) for name, path in named if not any(part[0] == "." for part in name.parts)]


def _listed(manifest: Path) -> list[Film]:
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{manifest} cannot be read as CSV in UTF-8: {error}.") from error
    lines = read_list(text, str(manifest))
    return [Film(line.file, manifest.parent / line.file, line.record) for line in lines]


async def assess_film(film: Film, workflow: Workflow, versions: str) -> Row:
    """The row of one film; what is refused has its reason in it.

    Raises:
        ServiceUnavailable: a service is out of order, so that the row would not be what the installation answers.
    """
    try:
        risk = read_record(dict(film.record)) if film.record else None
        findings = await workflow.assess(Case(film.path.read_bytes(), risk, None))
    except OSError as error:
        return _refused(film, "unreadable", f"It cannot be read: {error.strerror}.", versions)
    except InvalidInput as error:
        reason = error.members.get("reason") or slug(problem_for(error).type)
        return _refused(film, str(reason), error.detail, versions)
    if findings.lacks_a_service:
        raise ServiceUnavailable(f"Broken off at {film.name}, as a service is out of order: {findings.missing}")
    return {**_answer(findings), "file": film.name, "versions": versions}


def slug(problem_type: str) -> str:
    """The last part of a problem's or a warning's type."""
    return problem_type.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


def _refused(film: Film, reason: str, detail: str, versions: str) -> Row:
    return {"file": film.name, "status": "refused", "reason": reason, "detail": detail, "versions": versions}


def _answer(findings: Findings) -> Row:
    row: dict[str, Any] = {
        "status": findings.status,
        "warnings": ";".join(dict.fromkeys(slug(warning.type) for warning in findings.warnings)),
        "category": findings.combined.category,
    }
    if imaging := findings.imaging:
        row |= {"anatomy": imaging.anatomy, "bone": imaging.appearance, **imaging.bone.model_dump()}
    else:  # the film was refused, and the record beside it was not
        missing = next((warning for warning in findings.warnings if warning.component == "imaging"), None)
        row |= {"reason": missing.reason if missing else None, "detail": missing.detail if missing else None}
    if findings.staging:
        row |= _grades(findings.staging.knees)
    if findings.clinical:
        row["probability"] = findings.clinical.probability
    return row


def _grades(knees: Sequence[Knee]) -> Row:
    """Grades by side, the worse one where a side has several; and the sides whose grade is uncertain."""
    worst = {knee.side: knee for knee in sorted(knees, key=lambda knee: knee.stage)}
    named = {"right": "right", "left": "left", "unknown": "other"}
    uncertain = [named[side] for side, knee in worst.items() if knee.quality == "uncertain"]
    return {**{f"{named[side]}_grade": knee.stage for side, knee in worst.items()}, "uncertain": ";".join(uncertain)}


class Results:
    """The table on its way: each row is in the file before the next film is asked for, so that nothing is done twice.

    Args:
        path: of the CSV; made where there is none, gone on with where there is one.
        versions: of the models that answer now.

    Raises:
        InvalidInput: the file is another table, or was answered by other versions.
    """

    def __init__(self, path: Path, versions: str) -> None:
        self._path, self._versions = path, versions
        self.done = frozenset(self._kept()) if path.exists() else frozenset[str]()
        if not path.exists():
            self._append(",".join(COLUMNS) + "\n")

    def left(self, films: Sequence[Film]) -> list[Film]:
        """The films that have no row yet."""
        return [film for film in films if film.name not in self.done]

    def add(self, row: Row) -> None:
        """Write one row."""
        line = io.StringIO()
        csv.DictWriter(line, COLUMNS, lineterminator="\n").writerow(row)
        self._append(line.getvalue())

    def _append(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8", newline="") as file:
            file.write(text)

    def _kept(self) -> Iterator[str]:
        """The names that are done. A last row that was cut off is dropped: its film is assessed again."""
        text = self._path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._path.write_text(whole, encoding="utf-8", newline="")
        reader = csv.DictReader(io.StringIO(whole))
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InvalidInput(f"{self._path} is no table of this command: name another file with --out.")
        for row in reader:
            if row["versions"] != self._versions:
                raise InvalidInput(
                    f"{self._path} was answered by {row['versions']}, and {self._versions} answer now: name another "
                    "file with --out, so that one table does not mix them."
                )
            yield row[FILE]
