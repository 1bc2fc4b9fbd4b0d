"""How well the joint space is measured: again on the same film sent otherwise, and beside the readers' grades.

    make joint-space-figures DATA=DIR

Writes docs/model-cards/joint-space.md: the figures behind the limits of `services.staging.joint_space`.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from services.staging.joint_space import joint_space
from services.staging.staging import unfit_to_measure
from services.staging.training.joint_space_page import Again, Graded, again_table, grade_tables, head
from shared.contracts.findings import Side
from shared.contracts.joint_space import JointSpace
from shared.inference.onnx import OnnxScorer
from shared.radiograph.detail import lack_of_detail
from shared.radiograph.intake import decode
from shared.radiograph.joints import MODEL, find_knees, joint_crop
from shared.training.degrade import films, jpeg, reduced, resized

PAGE = Path("docs/model-cards/joint-space.md")
SOME, A_GRADE, SEED = 80, 300, 0
# Knees of the same film are the same knee where their middles lie this near, in shares of the width.
SAME_PLACE = 0.12
SIZES = (1400, 1024, 900, 800, 700)
LARGEST = max(SIZES) + 1
SIDES: dict[str, Side] = {"L": "left", "R": "right"}


@dataclass(frozen=True)
class Measured:
    """A knee's place, in shares of the picture's width, its measurement, and what measuring cost."""

    place: float
    space: JointSpace
    milliseconds: float


class Measurer:
    """The finder and the measurement on the bytes of a file."""

    def __init__(self) -> None:
        self._finder = OnnxScorer(MODEL)

    def knees(self, data: bytes, side: Side = "unknown") -> list[Measured]:
        """Every knee of a film, as the service measures it."""
        radiograph, found = decode(data), []
        for joint in find_knees(radiograph.pixels, self._finder, known_knee=True):
            lack = lack_of_detail(radiograph, joint.box, joint_crop(radiograph.pixels, joint.box), "")
            start = time.process_time()
            space = joint_space(radiograph, joint, side, unfit_to_measure(joint, lack))
            spent = (time.process_time() - start) * 1000
            found.append(Measured(joint.middle[0] / radiograph.pixels.shape[1], space, spent))
        return found


def ways(side: int) -> dict[str, tuple[Callable[[Image.Image], bytes], bool]]:
    """Name, what a film of this long side is made into before it is measured again, and whether it is mirrored."""
    found: dict[str, tuple[Callable[[Image.Image], bytes], bool]] = {
        "mirrored": (lambda image: png(ImageOps.mirror(image)), True)
    }
    found |= {f"long side {new}": (partial(sized, side=new), False) for new in SIZES if new < side}
    return found | {f"JPEG quality {q}": (partial(compressed, quality=q), False) for q in (80, 60)}


def png(image: Image.Image) -> bytes:
    """As a PNG, which loses nothing."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def sized(image: Image.Image, side: int) -> bytes:
    """At another size."""
    return png(resized(image, side))


def compressed(image: Image.Image, quality: int) -> bytes:
    """Compressed at the reference size."""
    return jpeg(reduced(image), quality)


def pairs(before: list[Measured], after: list[Measured], mirrored: bool) -> Iterator[Again]:
    """Each knee that is found again, with both measurements named as they lay in the first picture."""
    for one in before:
        for other in after:
            place = 1 - other.place if mirrored else other.place
            if abs(one.place - place) < SAME_PLACE:
                left, right = ratios(other.space)
                yield Again(ratios(one.space), (right, left) if mirrored else (left, right))
                break


def ratios(space: JointSpace) -> tuple[float, float]:
    """Both ratios; not a number where withheld."""
    found = [np.nan if width.ratio is None else width.ratio for width in space.compartments]
    return (found[0], found[1]) if found else (np.nan, np.nan)


def measured_again(measurer: Measurer, data: Path) -> dict[str, dict[str, list[Again]]]:
    """By set and way of sending: every knee before and after."""
    found: dict[str, dict[str, list[Again]]] = {}
    for name, path in films(data, SOME, SEED):
        before, image = measurer.knees(path.read_bytes()), Image.open(path).convert("L")
        for way, (make, mirrored) in ways(max(image.size)).items():
            rows = found.setdefault(name, {way: [] for way in ways(LARGEST)})[way]
            rows.extend(pairs(before, measurer.knees(make(image)), mirrored))
    return found


def graded(measurer: Measurer, data: Path) -> dict[str, list[Graded]]:
    """The crops of `knee_kl`, so many a grade, and those of `knee_kl_india` that hold one knee, by their grade."""
    ours = pd.read_csv(data / "knee_kl.csv").groupby("grade").sample(frac=1, random_state=SEED)
    ours = ours.groupby("grade").head(A_GRADE)
    theirs = pd.read_csv(data / "knee_kl_india.csv", dtype={"grade_expert1": str}).query("knees_found == 1")
    theirs = theirs[theirs["grade_expert1"].isin(["0", "1", "2", "3", "4"])]
    tables = {
        "knee_kl": zip(ours["file"], ours["grade"], ours["patient"], ours["side"].map(SIDES), strict=True),
        "knee_kl_india": ((r.file, r.grade_expert1, r.group, "unknown") for r in theirs.itertuples()),
    }
    found: dict[str, list[Graded]] = {}
    for name, rows in tables.items():
        for file, grade, patient, side in rows:
            path = data / file if (data / file).exists() else data / name / file
            knees = measurer.knees(path.read_bytes(), side)
            if len(knees) == 1:
                space = knees[0].space
                one = Graded(int(grade), str(patient), *ratios(space), space, knees[0].milliseconds)
                found.setdefault(name, []).append(one)
    return found


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    measurer = Measurer()
    by_grade, again = graded(measurer, options.data), measured_again(measurer, options.data)
    parts = [head(by_grade, again)]
    parts += [f"## Measured again: {name}\n\n{again_table(rows)}" for name, rows in again.items()]
    parts += [f"## By grade: {name}\n\n{grade_tables(rows)}" for name, rows in by_grade.items()]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"{PAGE} is written.")


if __name__ == "__main__":
    main()
