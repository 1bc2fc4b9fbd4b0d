"""What the heads learn from: whole pictures for anatomy and the way they lie, regions for bone."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from services.imaging.network import BONE_CLASSES, CONTENTS, Site
from services.imaging.regions import Box, column_tiles, dxa_tiles, knee_regions
from services.imaging.training.tables import Row
from services.imaging.training.unknown.kinds import (
    FITTING,
    FITTING_EACH,
    FITTING_SEED,
    VIEWS,
    VIEWS_EACH,
    VIEWS_SEED,
    drawn,
)  # fmt: skip
from shared.inference import Scorer
from shared.inference.onnx import OnnxScorer
from shared.radiograph.intake import decode
from shared.radiograph.joints import MODEL, joint_crop
from shared.radiograph.prepare import NETWORK_SIZE, GrayPixels, squared
from shared.training.run import Run

VARIANTS = 5
# The tables of what is drawn: pictures to be refused, and views of knees.
DRAWN, DRAWN_VIEWS = "drawn", "drawn_views"


@dataclass(frozen=True)
class Case:
    """One radiograph.

    Args:
        pixels: the working pixels, uint8 (height, width).
        content: index into `CONTENTS`.
        bone: index into `BONE_CLASSES`, or None where the picture has no bone label.
        t_score: where the table has one.
        group: the patient, or the group of near-duplicates.
    """

    pixels: GrayPixels
    content: int
    bone: int | None
    t_score: float | None
    table: str
    file: str
    group: str

    @property
    def site(self) -> Site | None:
        """The readout that reads its bone; None without a bone label."""
        return None if self.bone is None else cast(Site, CONTENTS[self.content])


@dataclass(frozen=True)
class Regions:
    """What the bone readouts look at: one row a region.

    Args:
        pixels: uint8 (variants, count, 224, 224), not equalised. The first variant is what the service looks at; in
            the others the region is moved, grown and mirrored at random.
        case: number of the case that the region is of.
    """

    pixels: npt.NDArray[np.uint8]
    case: npt.NDArray[np.int64]


def read_cases(data: Path, rows: list[Row]) -> list[Case]:
    """The pictures of these rows."""
    return [
        Case(
            pixels=decode((data / row.file).read_bytes()).pixels,
            content=row.content,
            bone=row.bone,
            t_score=row.t_score,
            table=row.table,
            file=row.file,
            group=row.group,
        )
        for row in rows
    ]


def drawn_cases(limit: int | None) -> list[Case]:
    """What the gate learns from beside the radiographs, drawn by code; at most `limit` of each kind.

    A kind to be refused is one group, so that each is judged by a head that never saw the kind.
    """
    each, views_each = (min(count, limit or count) for count in (FITTING_EACH, VIEWS_EACH))
    unknown = CONTENTS.index("not_radiograph")
    cases = [
        Case(pixels, unknown, None, None, DRAWN, kind, f"{DRAWN}/{kind}")
        for kind, pixels in drawn(FITTING, each, FITTING_SEED)
    ]
    for draw, content in VIEWS.items():
        for number, (kind, pixels) in enumerate(drawn((draw,), views_each, VIEWS_SEED)):
            name = f"{kind}/{number}"
            cases.append(Case(pixels, CONTENTS.index(content), None, None, DRAWN_VIEWS, name, f"{DRAWN_VIEWS}/{name}"))
    return cases


def describe(cases: list[Case]) -> str:
    """How many of what, for the progress."""
    contents = Counter(CONTENTS[case.content] for case in cases)
    bones = Counter(f"{case.site} {BONE_CLASSES[case.bone]}" for case in cases if case.bone is not None)
    return f"{len(cases)} pictures; anatomy {dict(contents)}; bone {dict(bones)}"


def wholes(cases: list[Case]) -> npt.NDArray[np.uint8]:
    """The whole pictures as the network sees them, uint8 (count, 224, 224)."""
    return np.stack([squared(case.pixels, NETWORK_SIZE) for case in cases])


def read_regions(cases: list[Case], run: Run) -> Regions:
    """The regions of every case with a bone label, as the service finds them, and their variants."""
    finder, random = OnnxScorer(MODEL), np.random.default_rng(run.seed)
    boxes = [(number, box) for number, case in enumerate(cases) for box in region_boxes(case, finder)]
    variants = [np.stack([crop(cases[number].pixels, box) for number, box in boxes])]
    for _ in range(run.count(VARIANTS)):
        variants.append(np.stack([varied(cases[number].pixels, box, random) for number, box in boxes]))
    return Regions(np.stack(variants), np.array([number for number, _ in boxes]))


def region_boxes(case: Case, finder: Scorer) -> list[Box]:
    """The regions of one case; none without a bone label."""
    if case.site is None:
        return []
    if case.site == "knee":
        return knee_regions(case.pixels, finder).boxes
    return dxa_tiles(case.pixels) if case.site == "spine_dxa" else column_tiles(case.pixels)


def crop(pixels: GrayPixels, box: Box) -> GrayPixels:
    """A region as the network sees it, (224, 224)."""
    return squared(joint_crop(pixels, box), NETWORK_SIZE)


def varied(pixels: GrayPixels, box: Box, random: np.random.Generator) -> GrayPixels:
    """A region moved and grown by up to a twentieth and a tenth of its width, every other one mirrored."""
    x, y, width, height = box
    scale, (right, down) = random.uniform(0.9, 1.1), random.uniform(-0.05, 0.05, 2) * width
    left, top = x + width * (1 - scale) / 2 + right, y + height * (1 - scale) / 2 + down
    moved = crop(pixels, (round(left), round(top), max(8, round(width * scale)), max(8, round(height * scale))))
    return moved[:, ::-1] if random.random() < 0.5 else moved
