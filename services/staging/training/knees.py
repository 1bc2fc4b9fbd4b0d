"""Graded knee joints, split by patient: the crops of Chen 2018 and the radiographs of Gornale & Patravali 2020."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from shared.inference.onnx import OnnxScorer
from shared.radiograph import joints
from shared.radiograph.intake import decode
from shared.radiograph.joints import find_knees, joint_crop
from shared.radiograph.prepare import NETWORK_SIZE, GrayPixels, equalised, squared
from shared.training.data import Split, read_table, split_by_patient, without_duplicates
from shared.training.likeness import Likeness, copies

GRADES = 5
# There are few Indian knees, and their test part has to tell something: 60:20:20.
INDIAN_SHARES = (0.6, 0.2, 0.2)


@dataclass(frozen=True)
class Knees:
    """Joints of one set.

    Args:
        name: of the table.
        files: of the radiographs.
        pixels: uint8 (count, 224, 224), not equalised.
        patients: the patient of each, or the group of pictures that look alike where patients are not known.
    """

    name: str
    files: list[Path]
    pixels: npt.NDArray[np.uint8]
    grades: npt.NDArray[np.int64]
    patients: list[str]
    split: Split

    @cached_property
    def equalised(self) -> npt.NDArray[np.uint8]:
        """As the network sees them before scaling."""
        return np.stack([equalised(picture) for picture in self.pixels])

    def patients_of(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """The patients of some rows."""
        return [self.patients[row] for row in rows]

    def describe(self) -> str:
        """How many there are, for people."""
        return f"{self.name}: {self.split.describe()} knees"


def read_sets(data: Path, limit: int | None = None, seed: int = 0, exclude: Sequence[str] = ()) -> list[Knees]:
    """The crops, and the Indian knees unless they are excluded."""
    sets = [read_knees(data, limit, seed)]
    if "knee_kl_india" not in exclude:
        sets.append(read_indian_knees(data, limit, seed))
    return sets


def read_knees(data: Path, limit: int | None = None, seed: int = 0) -> Knees:
    """The crops of the Osteoarthritis Initiative without duplicates, 70:20:10."""
    table = read_table(data, "knee_kl", limit)
    pixels = np.stack([squared(decode((data / file).read_bytes()).pixels, NETWORK_SIZE) for file in table["file"]])
    kept = without_duplicates(pixels)
    table = table.iloc[kept]
    grades, patients = table["grade"].to_numpy(np.int64), table["patient"].tolist()
    files = [data / file for file in table["file"]]
    return Knees("knee_kl", files, pixels[kept], grades, patients, split_by_patient(patients, grades, seed))


def read_indian_knees(data: Path, limit: int | None = None, seed: int = 0) -> Knees:
    """The radiographs of Indian hospitals that show one knee, 60:20:20 by group, each framed as serving frames it.

    A picture of both legs carries one grade for two knees, and one with two grades carries none: both are left out.
    """
    table = read_table(data, "knee_kl_india", limit)
    grades, finder = table.apply(agreed_grade, axis=1), OnnxScorer(joints.MODEL)
    rows = np.flatnonzero(grades.notna() & (table["knees_found"] <= 1))
    framed = [_joint(decode((data / file).read_bytes()).pixels, finder) for file in table["file"].iloc[rows]]
    alone = [number for number, picture in enumerate(framed) if picture is not None]
    table, kept = table.iloc[rows[alone]], grades.iloc[rows[alone]].to_numpy(np.int64)
    pixels = np.stack([squared(picture, NETWORK_SIZE) for picture in framed if picture is not None])
    groups = table["group"].tolist()
    split = without_copies(pixels, split_by_patient(groups, kept, seed, INDIAN_SHARES))
    return Knees("knee_kl_india", [data / file for file in table["file"]], pixels, kept, groups, split)


def without_copies(pixels: npt.NDArray[np.uint8], split: Split) -> Split:
    """The split without those pictures of the later parts that look like copies of one of an earlier part.

    Its groups do not join all of the set's near-duplicates.
    """
    parts = (split.train, split.validation, split.test)
    part_of = {int(row): number for number, rows in enumerate(parts) for row in rows}
    pairs = copies([Likeness.of(picture) for picture in pixels])
    later = {max(pair, key=part_of.__getitem__) for pair in pairs if part_of[pair[0]] != part_of[pair[1]]}
    return Split(*(rows[~np.isin(rows, list(later))] for rows in parts))


def agreed_grade(row: "pd.Series[str]") -> int | None:
    """The grade that both readers give, or nothing."""
    grades = {grade for reader in ("grade_expert1", "grade_expert2") for grade in str(row[reader]).split("|")}
    return int(grades.pop()) if len(grades) == 1 else None


def _joint(pixels: GrayPixels, finder: OnnxScorer) -> GrayPixels | None:
    """The only joint of a picture; the whole picture where none is found, nothing where there are two."""
    found = find_knees(pixels, finder, known_knee=True)
    if len(found) > 1:
        return None
    return joint_crop(pixels, found[0].box) if found else pixels
