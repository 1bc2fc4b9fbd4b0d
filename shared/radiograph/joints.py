"""The joint finder: where in a radiograph the knee joints are, framed as the staging network has seen them.

The network (`model/knee_joints.onnx`) sees the whole picture at 256 pixels and gives two maps of 64 x 64: `heat`, how
likely the middle of a joint line lies in a cell, and `width`, how wide that joint's tibial plateau is.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from shared.inference import Scorer
from shared.radiograph.prepare import GrayPixels, network_input

MODEL = Path(__file__).parent / "model" / "knee_joints.onnx"
INPUT, HEAT, WIDTH = "radiograph", "heat", "width"
FINDER_SIZE = 256
MAPS_SIZE = 64

# Framing of the joint crops of the Osteoarthritis Initiative that the staging network is trained on, measured on their
# mean picture: the plateau spans 0.80 of the side, the joint line lies 0.588 of the side below the top.
PLATEAU_SHARE = 0.80
JOINT_LINE_SHARE = 0.588

# On the validation part a picture's best joint has at least 0.47, and of 144 pictures without one a single one, with an
# implant, has more than 0.35. Where one knee is seen a second is likely: the weakest second knee of the training part
# has 0.27, the strongest false one 0.20.
THRESHOLD = 0.35
SECOND_THRESHOLD = 0.25
# More than two knees are no picture of one patient's two legs; they are counted, from the first one's height on.
MOST_KNEES = 6
# Two peaks nearer than this, in widths of the wider joint, are one joint.
APART = 0.8
# The narrower of two knees in one picture has at least this share of the other's width; a letter R has less.
LEAST_OF_OTHER = 0.6
# From this share of the picture on, the joint's box is the picture: it is a crop already.
WHOLE_SHARE = 0.75

Map = npt.NDArray[np.float32]


@dataclass(frozen=True)
class KneeJoint:
    """One knee joint.

    Attributes:
        box: (x, y, width, height) in pixels of the radiograph given, framed like a joint crop. A square that may reach
            beyond the picture where the joint lies at its border, or the whole picture if that is a crop already.
        confidence: 0 to 1, the height of the network's peak.
        visible: share of the box that lies within the picture; below 1 the joint is at, or cut by, the border.
        line: (x, y, width) in the same pixels: the middle of the joint line and the width of the tibial plateau, as the
            network gave them; None where only the box is known.
    """

    box: tuple[int, int, int, int]
    confidence: float
    visible: float
    line: tuple[float, float, float] | None = None

    @property
    def middle(self) -> tuple[float, float]:
        """(x, y) of the box's middle."""
        x, y, width, height = self.box
        return x + width / 2, y + height / 2

    @property
    def plateau(self) -> tuple[float, float, float]:
        """(x, y, width) of the tibial plateau: `line`, or where the box's framing puts it."""
        x, y, width, height = self.box
        return self.line or (x + width / 2, y + height * JOINT_LINE_SHARE, width * PLATEAU_SHARE)


@dataclass(frozen=True)
class Peak:
    """A joint in the network's square: middle of the joint line and width of the plateau, in shares of its side."""

    x: float
    y: float
    width: float
    confidence: float


def find_knees(pixels: GrayPixels, scorer: Scorer, known_knee: bool = False) -> list[KneeJoint]:
    """Find the knee joints in a radiograph of one or both legs, or in a ready-made joint crop.

    Args:
        pixels: gray radiograph, uint8, (height, width), bone bright; the working pixels of the intake.
        scorer: the network of `MODEL`.
        known_knee: the picture is known to show a knee, so its best joint is believed as soon as a second one is.

    Returns:
        the joints from left to right in the picture; none where no knee joint is seen.

    Raises:
        ServiceUnavailable: the scorer's runtime does not answer.
    """
    outputs = scorer.score({INPUT: network_input(pixels, FINDER_SIZE)})
    peaks = peaks_of(outputs[HEAT][0, :, :, 0], outputs[WIDTH][0, :, :, 0], known_knee)
    peaks = sorted(peaks, key=lambda peak: peak.x)
    return [joint_at(peak, pixels) for peak in peaks]


def peaks_of(heat: Map, width: Map, known_knee: bool = False) -> list[Peak]:
    """The highest peaks of the heat map, best first, at most `MOST_KNEES`, each with the width found there."""
    sure = heat.max() >= THRESHOLD
    if not sure and not known_knee:
        return []
    rows, columns = np.nonzero((heat >= SECOND_THRESHOLD) & (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))))
    kept: list[Peak] = []
    for row, column in sorted(zip(rows, columns, strict=True), key=lambda cell: -heat[cell]):
        if len(kept) >= 2 and heat[row, column] < THRESHOLD:
            break
        peak = peak_at(heat, width, int(row), int(column))
        if all(may_be_beside(peak, other) for other in kept):
            kept.append(peak)
    return kept[: MOST_KNEES if sure else 1]


def may_be_beside(peak: Peak, other: Peak) -> bool:
    """Whether both may be knees: far enough from each other, and about as wide."""
    narrow, wide = sorted((peak.width, other.width))
    apart = np.hypot(peak.x - other.x, peak.y - other.y)
    return bool(apart > APART * wide and narrow >= LEAST_OF_OTHER * wide)


def peak_at(heat: Map, width: Map, row: int, column: int) -> Peak:
    """A peak to fractions of a cell: the centre of mass of the heat around it, and the mean width weighted alike."""
    top, left = max(0, row - 2), max(0, column - 2)
    around = slice(top, row + 3), slice(left, column + 3)
    weights = heat[around] / heat[around].sum()
    y, x = (np.arange(length) + start for length, start in zip(weights.shape, (top, left), strict=True))
    return Peak(
        x=float((weights.sum(0) * (x + 0.5)).sum()) / heat.shape[1],
        y=float((weights.sum(1) * (y + 0.5)).sum()) / heat.shape[0],
        width=float((weights * width[around]).sum()),
        confidence=float(heat[row, column]),
    )


def joint_at(peak: Peak, pixels: GrayPixels) -> KneeJoint:
    """The joint in the radiograph's pixels: the padding to a square undone, the crop's frame laid around it."""
    height, width = pixels.shape
    square = max(height, width)
    length = peak.width * square / PLATEAU_SHARE
    x, y = peak.x * square - (square - width) / 2, peak.y * square - (square - height) / 2
    line = x, y, peak.width * square
    if length >= WHOLE_SHARE * square:
        return KneeJoint((0, 0, width, height), peak.confidence, visible=1.0, line=line)
    box = round(x - length / 2), round(y - length * JOINT_LINE_SHARE), round(length), round(length)
    return KneeJoint(box, peak.confidence, visible_share(box, width, height), line)


def visible_share(box: tuple[int, int, int, int], width: int, height: int) -> float:
    """Share of a box that lies within a picture of the given size."""
    x, y, across, down = box
    shown = max(0, min(x + across, width) - max(x, 0)) * max(0, min(y + down, height) - max(y, 0))
    return shown / max(1, across * down)


def joint_crop(pixels: GrayPixels, box: tuple[int, int, int, int]) -> GrayPixels:
    """The part of the radiograph in a joint's box; what the box has beyond the picture is black."""
    x, y, width, height = box
    crop = np.zeros((height, width), np.uint8)
    top, left = max(0, y), max(0, x)
    part = pixels[top : max(top, y + height), left : max(left, x + width)]
    crop[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]] = part
    return crop
