"""Which knee is whose: the side of each joint, what names it, and layouts that name none.

What the file says comes first. Without it two joints beside each other are the patient's right and left as a frontal
radiograph shows them, unless they are two exposures of one leg: two legs mirror each other, one leg does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from shared.contracts.film import FilmWarning
from shared.contracts.findings import Side, SideSource
from shared.inference import Scorer
from shared.radiograph import Radiograph
from shared.radiograph.joints import THRESHOLD, KneeJoint, find_knees, joint_crop
from shared.radiograph.prepare import GrayPixels, network_input

# Correlation of two joints as they are, less that of one with the other's mirror image. The 92 radiographs of both
# legs in knee_bone have at most -0.00; one leg of each beside itself, turned, scaled and developed otherwise, at
# least 0.09.
SAME_HANDED = 0.045
# Frames of so many joints, which show the fibula; their side in pixels, the details compared, the shifts tried.
COMPARED_FRAME, COMPARED_SIZE, COARSE, MOST_SHIFT = 1.5, 64, 16, 12
# A second knee may lie upside down beside the first where the picture is about as wide as it is high, or wider.
ROOM_FOR_TWO = 0.9


@dataclass(frozen=True)
class NamedSide:
    """A joint's side and what names it."""

    side: Side = "unknown"
    source: SideSource = "unknown"


UNKNOWN = NamedSide()
RIGHT_FIRST: tuple[Side, Side] = ("right", "left")
LEFT_FIRST: tuple[Side, Side] = ("left", "right")


def name_sides(radiograph: Radiograph, joints: Sequence[KneeJoint]) -> tuple[list[NamedSide], list[FilmWarning]]:
    """The side of each joint, from left to right in the picture, and what is odd about the layout."""
    tagged = NamedSide(radiograph.laterality, "tag") if radiograph.laterality else UNKNOWN
    if len(joints) > 2:
        return [UNKNOWN] * len(joints), [_more_than_two(len(joints))]
    if len(joints) < 2:
        return [tagged] * len(joints), []
    if one_leg_twice(radiograph.pixels, joints[0], joints[1]):
        return [tagged] * 2, [SAME_LEG]
    if order := _order(radiograph):
        return [NamedSide(side, "tag") for side in order], []
    if radiograph.laterality:
        return [UNKNOWN] * 2, [_one_side_for_two(radiograph.laterality)]
    return [NamedSide(side, "position") for side in RIGHT_FIRST], []


def one_leg_twice(pixels: GrayPixels, first: KneeJoint, second: KneeJoint) -> bool:
    """Whether two joints are two exposures of one leg: one above the other, or not each other's mirror image."""
    (x, y), (other_x, other_y) = first.middle, second.middle
    if abs(other_y - y) > abs(other_x - x):
        return True
    one, two = (_details(pixels, joint) for joint in (first, second))
    return _likeness(one, two) - _likeness(one, two[:, ::-1]) > SAME_HANDED


def upside_down_beside(pixels: GrayPixels, joints: Sequence[KneeJoint], finder: Scorer) -> list[FilmWarning]:
    """A warning where a second knee lies upside down beside the only one that was found."""
    height, width = pixels.shape
    if len(joints) != 1 or width < ROOM_FOR_TWO * height:
        return []
    across = joints[0].box[2]
    for other in find_knees(np.ascontiguousarray(pixels[::-1, ::-1]), finder):
        middle = width - other.middle[0], height - other.middle[1]
        if other.confidence >= THRESHOLD and abs(middle[0] - joints[0].middle[0]) > across / 2:
            return [UPSIDE_DOWN]
    return []


def _order(radiograph: Radiograph) -> tuple[Side, Side] | None:
    """The sides from left to right by PatientOrientation, whose first value says where the rows run to."""
    rows = (radiograph.patient_orientation or ("", ""))[0][:1]
    return {"L": RIGHT_FIRST, "R": LEFT_FIRST}.get(rows)


def _details(pixels: GrayPixels, joint: KneeJoint) -> npt.NDArray[np.float32]:
    """A joint and what is around it, without its slow shades: (64, 64)."""
    (x, y), side = joint.middle, round(joint.box[2] * COMPARED_FRAME)
    frame = joint_crop(pixels, (round(x - side / 2), round(y - side / 2), side, side))
    small = network_input(frame, COMPARED_SIZE)[0, :, :, 0]
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), COARSE), np.float32)


def _likeness(one: npt.NDArray[np.float32], two: npt.NDArray[np.float32]) -> float:
    """The best correlation over small shifts, -1 to 1."""
    inner = np.ascontiguousarray(one[MOST_SHIFT:-MOST_SHIFT, MOST_SHIFT:-MOST_SHIFT])
    return float(cv2.matchTemplate(np.ascontiguousarray(two), inner, cv2.TM_CCOEFF_NORMED).max())


SAME_LEG = FilmWarning(
    type="same_leg_twice",
    detail="The picture seems to hold two exposures of one leg, so they are not named right and left.",
)
UPSIDE_DOWN = FilmWarning(
    type="upside_down",
    detail="A second knee seems to lie upside down in the picture and was not graded: send each exposure by itself.",
)


def _more_than_two(count: int) -> FilmWarning:
    return FilmWarning(
        type="more_than_two_knees",
        detail=f"The picture holds {count} knees, so no side is named: send the exposures of one patient one by one.",
    )


def _one_side_for_two(side: Side) -> FilmWarning:
    return FilmWarning(
        type="side_differs",
        detail=f"The file says that it shows the {side} side alone, and the picture shows two knees: no side is named.",
    )
