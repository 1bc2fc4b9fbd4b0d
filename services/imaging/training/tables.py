"""The label tables: the public sets' own, and the one table that a hospital fills in (docs/training.md).

Every row becomes a `Row`, whatever table it comes from. What a row says wrongly is a `Fault` that names table, line and
cure; nothing is guessed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from services.imaging.network import BONE_CLASSES, CONTENTS, OTHER, SITES, Content
from shared.label_table import Fault, wrong_t_score

# What the public tables show; `other` says it by its own label, the hospital's table in its column `anatomy`.
PUBLIC: dict[str, Content | None] = {
    "knee_bone": "knee",
    "knee_kl": "knee",
    "spine_dxa": "spine_dxa",
    "spine_masked": "spine_cut_out",
    "spine_view": "spine_radiograph",
    "spine_view_fullsize": "spine_radiograph",
    "spine_landmarks": "spine_radiograph",
    "knee_kl_india": "knee",
    "other": None,
}
OTHER_LABELS: dict[str, Content] = {
    "chest": "chest",
    "hip": "hip",
    "limb": "limb",
    "knee_implant": "knee_implant",
    "fundus": "not_radiograph",
    "photo": "not_radiograph",
}
BONE_TABLES = ("knee_bone", "spine_dxa", "spine_masked")
HOSPITAL = "radiographs"
COLUMNS: dict[str, tuple[str, ...]] = {
    HOSPITAL: ("file", "patient", "anatomy", "label"),
    **{table: ("file", "label") if table in (*BONE_TABLES, "other") else ("file",) for table in PUBLIC},
    "spine_view_fullsize": ("file", "spine_view_file"),
}
PARTS = ("train", "validation", "test")
# A ready-made crop is a knee too, but six thousand of them would drown the rest.
CROPS = 500


@dataclass(frozen=True)
class Row:
    """One radiograph's line in a table.

    Args:
        line: in the file, the heading being line 1. patient: empty where the table does not know it.
        group: what never lies on both sides of a split: the patient, or the group of near-duplicates.
        content: index into `CONTENTS`. bone: index into `BONE_CLASSES`, or None without a bone label.
        held_out: whether it is kept apart, for the figures only (`part` is `test`).
    """

    table: str
    line: int
    file: str
    patient: str
    group: str
    content: int
    bone: int | None
    t_score: float | None
    part: str

    @property
    def held_out(self) -> bool:
        return self.part == "test"

    @property
    def place(self) -> str:
        """For people: where the line is."""
        return f"{self.table}.csv, line {self.line}"


class WrongData(Exception):
    """The data cannot be learned from; the faults say why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(fault.message for fault in faults))
        self.faults = faults


def read_rows(data: Path, exclude: Iterable[str] = ()) -> tuple[list[Row], list[Fault]]:
    """The rows of every table in the folder that is not excluded, and what is wrong with the others."""
    wanted = [table for table in (HOSPITAL, *PUBLIC) if table not in exclude]
    present = [table for table in wanted if (data / f"{table}.csv").is_file()]
    if not present:
        names = ", ".join(f"{table}.csv" for table in wanted)
        return [], [Fault(f"{data} holds none of the tables {names}: see docs/training.md for what one looks like.")]
    rows, faults = [], []
    for table in present:
        try:
            frame = read_frame(data, table)
        except WrongData as wrong:
            faults += wrong.faults
            continue
        if table == "knee_kl" and len(frame) > CROPS:
            frame = frame.sample(CROPS, random_state=0)
        for line, record in lines(frame):
            row = read_row(table, line, record, faults)
            rows += [row] if row else []
    return rows, faults


def limited(rows: list[Row], limit: int | None) -> list[Row]:
    """At most that many rows a table, drawn with a fixed seed: for trying out."""
    if limit is None:
        return rows
    random = np.random.default_rng(0)
    kept = []
    for table in dict.fromkeys(row.table for row in rows):
        of_table = [row for row in rows if row.table == table]
        kept += [of_table[number] for number in sorted(random.permutation(len(of_table))[:limit])]
    return kept


def read_frame(data: Path, table: str) -> pd.DataFrame:
    """A table as text.

    Raises:
        WrongData: it is no CSV file in UTF-8, or lacks a column.
    """
    try:
        frame = pd.read_csv(data / f"{table}.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError) as error:
        cause = str(error).strip().splitlines()[-1]
        cure = "save it as CSV, UTF-8, with commas"
        raise WrongData([Fault(f"{table}.csv cannot be read ({cause}): {cure}.")]) from error
    frame.columns = frame.columns.str.strip()
    missing = [column for column in COLUMNS[table] if column not in frame.columns]
    if missing:
        columns = ", ".join(frame.columns)
        cure = "save it with commas" if ";" in columns or "\t" in columns else "add it to the heading"
        raise WrongData([Fault(f"{table}.csv lacks the column {' and '.join(missing)}: {cure} (it has {columns}).")])
    if frame.empty:
        raise WrongData([Fault(f"{table}.csv has a heading and no rows: add a row for each radiograph.")])
    return frame


def lines(frame: pd.DataFrame) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number in the file and the fields, spaces around them left out."""
    for number, record in zip(frame.index, frame.to_dict("records"), strict=True):
        yield int(number) + 2, {str(name): str(value).strip() for name, value in record.items()}


def read_row(table: str, line: int, record: dict[str, str], faults: list[Fault]) -> Row | None:
    """One row; what is wrong with it goes to `faults`, and then there is none."""
    before, place = len(faults), f"{table}.csv, line {line}"
    content, bone = content_of(table, record), bone_of(table, record)
    for message in wrong_fields(table, record, content, bone):
        faults.append(Fault(f"{place}: {message}"))
    if len(faults) > before:
        return None
    assert content is not None  # noqa: S101 -- wrong_fields has said so otherwise
    patient = record.get("patient", "")
    return Row(
        table=table,
        line=line,
        file=record["file"],
        patient=patient,
        group=group_of(table, record),
        content=CONTENTS.index(content),
        bone=None if bone is None else BONE_CLASSES.index(bone),
        t_score=t_score_of(record),
        part=record.get("part", "") if table == HOSPITAL else "",  # `spine_landmarks` has its publisher's own
    )


def group_of(table: str, record: dict[str, str]) -> str:
    """What never lies on both sides of a split. `spine_view_fullsize` shows the people of `spine_view` again."""
    if table == "spine_view_fullsize":
        return f"spine_view/{record['spine_view_file']}"
    named = record.get("group") or record.get("series") or record.get("patient")
    return f"{table}/{named or record['file']}"


def content_of(table: str, record: dict[str, str]) -> str | None:
    """What a row says that its picture shows, one of `CONTENTS` if it is right."""
    if table == HOSPITAL:
        return record["anatomy"]
    return PUBLIC[table] or OTHER_LABELS.get(record["label"])


def bone_of(table: str, record: dict[str, str]) -> str | None:
    """What a row says of the bone, one of `BONE_CLASSES` if it is right; None where it says nothing."""
    return (record["label"] or None) if table in (HOSPITAL, *BONE_TABLES) else None


def t_score_of(record: dict[str, str]) -> float | None:
    """The T-score; None where there is none."""
    written = record.get("t_score", "")
    return float(written) if written else None


def wrong_fields(table: str, record: dict[str, str], content: str | None, bone: str | None) -> Iterator[str]:
    """What is wrong with a row, field by field, each with its cure."""
    if not record["file"]:
        yield "file is empty: name the radiograph, relative to the folder."
    if table == HOSPITAL and not record["patient"]:
        yield "patient is empty: give every patient a code; without it a patient could be in two parts."
    if content not in CONTENTS:
        allowed = CONTENTS if table == HOSPITAL else OTHER_LABELS
        column = "anatomy" if table == HOSPITAL else "label"
        yield f"{column} '{record[column]}' is not known: use one of {', '.join(allowed)}."
    elif bone is not None and content not in SITES:
        cure = "cut the spine out on black (spine_cut_out)" if CONTENTS.index(content) < OTHER.start else "say nothing"
        yield f"label '{bone}' for {content}, whose bone is not read: leave it empty, or {cure}."
    if bone is not None and bone not in BONE_CLASSES:
        yield f"label '{bone}' is not known: use one of {', '.join(BONE_CLASSES)}, or leave it empty."
    if message := wrong_t_score(record.get("t_score", "")):
        yield message
    if table == HOSPITAL and record.get("part", "") not in ("", *PARTS):
        yield f"part '{record['part']}' is not known: use one of {', '.join(PARTS)}, or leave it empty."
