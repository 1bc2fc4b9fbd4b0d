"""The pictures that the joint finder learns from, and where their joints are.

`knee_joints.csv` holds our own annotations of `knee_bone`: middle of the joint line (`x`, `y`) and width of the tibial
plateau, in shares of the picture's width, height and width; `place` is the joint's place in the picture. They were
proposed by matching a mean joint crop at many scales, looked at one by one, and set by hand where the match failed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from shared.radiograph.intake import decode
from shared.radiograph.joints import JOINT_LINE_SHARE, PLATEAU_SHARE
from shared.radiograph.prepare import GrayPixels
from shared.training.data import Split, read_table, split_by_patient

ANNOTATIONS = Path(__file__).with_name("knee_joints.csv")
NO_KNEE_TABLES = ("spine_dxa", "spine_masked", "spine_view", "other")
# Lower legs of children with a part of the knee at the border: neither a joint to find nor a picture without one.
NEITHER = frozenset(f"other/limb/O{number}.jpg" for number in (267, 269, 270, 273))
CROPS = 1500


@dataclass(frozen=True)
class Case:
    """One picture, uint8 (height, width), and its joints as rows of (x, y, width) in pixels."""

    file: str
    table: str
    pixels: GrayPixels
    joints: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """The cases of each part; no patient, and no group of near-duplicates, is in two of them."""

    train: list[Case]
    validation: list[Case]
    test: list[Case]


def read_parts(data: Path, limit: int | None, seed: int, exclude: tuple[str, ...] = ()) -> Parts:
    """Leg radiographs, ready-made joint crops, and pictures without a knee, each split 70:20:10.

    Args:
        exclude: tables to leave out of the pictures without a knee.
    """
    cases: Parts = Parts([], [], [])
    no_knee = [(table, without_knee) for table in NO_KNEE_TABLES if table not in exclude]
    for table, read in (("knee_bone", legs), ("knee_kl", crops), *no_knee):
        rows = read_table(data, table, min(limit, CROPS) if limit else CROPS)
        split = split_by_patient(groups(rows), [0] * len(rows), seed)
        add(cases, split, list(read(data, table, rows)))
    return cases


def groups(rows: pd.DataFrame) -> list[str]:
    """Who is behind each row: the group of near-duplicates, else the patient, else the file itself."""
    for column in ("group", "patient"):
        if column in rows:
            return [str(name) for name in rows[column]]
    return [str(name) for name in rows["file"]]


def add(parts: Parts, split: Split, cases: list[Case]) -> None:
    """Deal the cases of one table out to the parts."""
    for part, rows in ((parts.train, split.train), (parts.validation, split.validation), (parts.test, split.test)):
        part.extend(cases[row] for row in rows if cases[row].file not in NEITHER)


def legs(data: Path, table: str, rows: pd.DataFrame) -> Iterable[Case]:
    """Radiographs of one or both legs with the annotated joints."""
    annotated = pd.read_csv(ANNOTATIONS).groupby("file")
    for file in rows["file"]:
        pixels = decode((data / file).read_bytes()).pixels
        height, width = pixels.shape
        shares = annotated.get_group(file)[["x", "y", "width"]].to_numpy(float)
        yield Case(file, table, pixels, shares * (width, height, width))


def crops(data: Path, table: str, rows: pd.DataFrame) -> Iterable[Case]:
    """Ready-made joint crops; they are framed alike, so that the mean frame serves for all."""
    for file in rows["file"]:
        pixels = decode((data / file).read_bytes()).pixels
        joint = (0.5, JOINT_LINE_SHARE, PLATEAU_SHARE)
        yield Case(file, table, pixels, np.array([joint]) * pixels.shape[0])


def without_knee(data: Path, table: str, rows: pd.DataFrame) -> Iterable[Case]:
    """Spines, chests, hips, hands, implants and photographs."""
    for file in rows["file"]:
        yield Case(file, table, decode((data / file).read_bytes()).pixels, np.zeros((0, 3)))
