"""Reading labelled radiographs and splitting them by patient."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from shared.radiograph.intake import decode
from shared.radiograph.prepare import NETWORK_SIZE, GrayPixels, equalised, squared

PARTS = ("train", "validation", "test")
SHARES = (0.7, 0.2, 0.1)  # the seed paper's 70:20:10


@dataclass(frozen=True)
class Split:
    """Row numbers of each part; no patient is in two parts."""

    train: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]

    def describe(self) -> str:
        return f"{len(self.train)} train, {len(self.validation)} validation, {len(self.test)} test"


def read_table(data: Path, name: str, limit: int | None = None) -> pd.DataFrame:
    """A label table; with `limit`, that many rows drawn with a fixed seed.

    Raises:
        FileNotFoundError: the table is not in the data folder.
    """
    table = pd.read_csv(data / f"{name}.csv", dtype={"patient": str, "group": str}, keep_default_na=False)
    if limit is not None and limit < len(table):
        table = table.sample(limit, random_state=0)
    return table.reset_index(drop=True)


def prepared(file: bytes, size: int = NETWORK_SIZE) -> GrayPixels:
    """One file through the intake that serving uses, resized and equalised."""
    return equalised(squared(decode(file).pixels, size))


def without_duplicates(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Row numbers with the second and later copies of the same picture left out."""
    first: dict[str, int] = {}
    for row, picture in enumerate(pixels):
        first.setdefault(hashlib.sha256(picture.tobytes()).hexdigest(), row)
    return np.array(sorted(first.values()), np.int64)


def split_by_patient(
    patients: Sequence[str], grades: Sequence[int], seed: int = 0, shares: Sequence[float] = SHARES
) -> Split:
    """70:20:10 by patient, or by other shares; stratified by each patient's highest grade."""
    highest = pd.DataFrame({"patient": patients, "grade": grades}).groupby("patient")["grade"].max()
    random, part_of = np.random.default_rng(seed), {}
    for grade in sorted(highest.unique()):
        members = random.permutation(np.sort(highest.index[highest == grade].to_numpy(str)))
        cuts = np.round(np.cumsum(shares) * len(members)).astype(int)
        for part, group in zip(PARTS, np.split(members, cuts[:-1]), strict=True):
            part_of.update(dict.fromkeys(group, part))
    parts = np.array([part_of[patient] for patient in patients])
    return Split(*(np.flatnonzero(parts == part) for part in PARTS))
