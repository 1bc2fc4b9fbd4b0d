"""The minimal joint space width of both compartments of a knee, by its edges in the picture: no network, no grade.

Widths are vertical distances of the femoral from the tibial edge, as a share of the tibial plateau and, where the file
says how far its pixels lie apart, in millimetres. The figures are in docs/model-cards/joint-space.md.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from services.staging.joint_edges import Plane, best_pair, finely, slopes
from shared.contracts.findings import Side
from shared.contracts.joint_space import Compartment, CompartmentWidth, JointSpace, JointSpaceWithheld, WidthWithheld
from shared.radiograph import Radiograph
from shared.radiograph.joints import KneeJoint, joint_crop
from shared.radiograph.prepare import GrayPixels

# The part of the joint that is looked at, at one scale for every picture: as wide as the plateau, the line amid it.
COLUMNS, ROWS = 200, 96
# The compartments in shares of the plateau from its left edge: without the outermost margin, where osteophytes lie,
# and without the slopes of the tibial spines and the intercondylar notch.
SPANS = ((0.13, 0.35), (0.65, 0.87))
# A column counts as clear where both of its edges are this steep; so many of them must be.
LEAST_SLOPE, LEAST_CLEAR = 0.04, 0.75
# The narrowest tenth of the columns: the minimum itself would be one column's noise.
NARROWEST = 10
# Below so many rows two blurred edges push each other apart, and their distance says nothing.
LEAST_ROWS = 2.6
# Compartments that differ by less, in shares of the plateau, are not told apart: a mirrored film moves the difference
# by about as much at most in 95 of 100 knees.
NARROWER_BY = 0.02


@dataclass(frozen=True)
class Gap:
    """The minimal width of a compartment in pixels of the radiograph, or why there is none."""

    pixels: float | None
    withheld: WidthWithheld | None = None


def joint_space(
    radiograph: Radiograph, joint: KneeJoint, side: Side, withheld: JointSpaceWithheld | None = None
) -> JointSpace:
    """Measure one knee.

    Args:
        radiograph: upright, bone bright.
        side: whose knee it is; it decides which compartment is the medial one.
        withheld: why the knee's picture is not fit to be measured.
    """
    if withheld:
        return JointSpace(withheld=withheld)
    spacing = radiograph.pixel_spacing_mm
    names = compartments(side, radiograph.patient_orientation)
    found = [
        width_of(name, gap, joint.plateau[2], spacing[0] if spacing else None)
        for name, gap in zip(names, gaps(radiograph.pixels, joint), strict=True)
    ]
    measured = any(width.width_mm is not None for width in found)
    return JointSpace(
        compartments=sorted(found, key=lambda width: width.compartment == "lateral"),
        narrower=narrower(*found),
        spacing_plane=radiograph.spacing_plane if measured else None,
    )


def compartments(side: Side, orientation: tuple[str, str] | None) -> tuple[Compartment, Compartment]:
    """What lies left and right in the picture. A right knee's medial side is on the right, unless rows run to the right
    of the patient: the picture is then a mirror image of the usual one."""
    if side == "unknown":
        return "left_in_picture", "right_in_picture"
    mirrored = orientation is not None and orientation[0].startswith("R")
    return ("medial", "lateral") if (side == "left") != mirrored else ("lateral", "medial")


def gaps(pixels: GrayPixels, joint: KneeJoint) -> tuple[Gap, Gap]:
    """The left and the right compartment of a joint, as they lie in the picture."""
    x, y, width = joint.plateau
    across, down = max(1, round(width)), max(1, round(width * ROWS / COLUMNS))
    frame = joint_crop(pixels, (round(x - across / 2), round(y - down / 2), across, down))
    smaller = across > COLUMNS
    strip = cv2.resize(frame, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    left, right = (gap(strip[:, round(a * COLUMNS) : round(b * COLUMNS)].astype(np.float32)) for a, b in SPANS)
    return _in_pixels(left, down / ROWS), _in_pixels(right, down / ROWS)


def gap(strip: Plane) -> Gap:
    """The minimal width of one compartment, in rows of its strip."""
    slope = slopes(strip)
    upper, lower = best_pair(slope)
    columns = np.arange(len(upper))
    clear = (-slope[upper, columns] >= LEAST_SLOPE) & (slope[lower, columns] >= LEAST_SLOPE)
    if clear.mean() < LEAST_CLEAR:
        return Gap(None, "edges_unclear")
    widths = (finely(slope, lower) - finely(slope, upper))[clear]
    narrowest = float(np.percentile(widths, NARROWEST))
    return Gap(narrowest) if narrowest >= LEAST_ROWS else Gap(None, "too_narrow")


def _in_pixels(found: Gap, row: float) -> Gap:
    return found if found.pixels is None else Gap(found.pixels * row)


def width_of(name: Compartment, found: Gap, plateau: float, spacing_mm: float | None) -> CompartmentWidth:
    """A compartment's width in shares of the plateau and, where the distance of pixels is known, in millimetres."""
    if found.pixels is None:
        return CompartmentWidth(compartment=name, withheld=found.withheld)
    millimetres = round(found.pixels * spacing_mm, 1) if spacing_mm else None
    return CompartmentWidth(compartment=name, ratio=round(found.pixels / plateau, 4), width_mm=millimetres)


def narrower(one: CompartmentWidth, other: CompartmentWidth) -> Compartment | Literal["neither"] | None:
    """Which of the two is narrower, as far as the measurement can tell."""
    if one.ratio is None or other.ratio is None:
        return None
    if abs(one.ratio - other.ratio) < NARROWER_BY:
        return "neither"
    return one.compartment if one.ratio < other.ratio else other.compartment
