"""The knee joint crops of Chen 2018 as the network sees them, split by patient."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.training.data import Split, read_pixels, read_table, split_by_patient, without_duplicates
from shared.training.run import Run

GRADES = 5


@dataclass(frozen=True)
class Knees:
    """Joint crops, uint8 (count, 224, 224), with grade and patient."""

    pixels: npt.NDArray[np.uint8]
    grades: npt.NDArray[np.int64]
    patients: list[str]
    split: Split


def read_knees(run: Run) -> Knees:
    """The crops without duplicates, split by patient."""
    table = read_table(run.data, "knee_kl", run.limit)
    pixels = read_pixels(run.data, table["file"])
    kept = without_duplicates(pixels)
    table = table.iloc[kept]
    grades, patients = table["grade"].to_numpy(np.int64), table["patient"].tolist()
    return Knees(pixels[kept], grades, patients, split_by_patient(patients, grades, run.seed))
