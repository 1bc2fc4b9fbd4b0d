"""Where the bone readouts look: both knees with the shafts beside the joint, the middle of a DXA image, the column.

Which frames serve best was chosen by cross-validation (docs/model-cards/imaging.md gives the results): the joint
alone says little about bone density, and the shafts' cortex says more.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from services.imaging.network import Anatomy, Site
from shared.inference import Scorer
from shared.radiograph.joints import KneeJoint, find_knees, joint_crop, visible_share
from shared.radiograph.prepare import GrayPixels

Box = tuple[int, int, int, int]
# A frame that shows less than this of itself, as around a ready-made joint crop, lacks the shafts.
ENOUGH = 0.5
# Of 255; cut-out spines lie on black, which JPEG blurs a little.
BLACK = 12
# A cut-out lies on black all round: of its border at least 0.93 is black in `spine_masked`, of an uncut spine's at
# most 0.78 (1,021 pictures). The border is this share of the shorter side wide.
BLACK_BORDER, BORDER = 0.85, 0.02
MOST_TILES = 6


@dataclass(frozen=True)
class Regions:
    """Boxes (x, y, width, height) in the radiograph's pixels for the readout of a site.

    Args:
        enough: whether they show what the readout has learned from; the answer is indeterminate otherwise.
        joints: the knee joints that were found, in the radiograph's pixels.
    """

    site: Site
    boxes: list[Box]
    enough: bool
    joints: tuple[KneeJoint, ...] = ()

    def crops(self, pixels: GrayPixels) -> list[GrayPixels]:
        """The regions themselves."""
        return [joint_crop(pixels, box) for box in self.boxes]


def bone_regions(pixels: GrayPixels, anatomy: Anatomy, finder: Scorer) -> Regions:
    """The regions of a knee or a spine, by what the anatomy head takes it for."""
    if anatomy.knee >= anatomy.spine:
        return knee_regions(pixels, finder)
    if anatomy.likeliest_spine == "spine_dxa":
        return Regions("spine_dxa", dxa_tiles(pixels), enough=True)
    cut_out = anatomy.likeliest_spine == "spine_cut_out" and is_cut_out(pixels)
    return Regions("spine_cut_out", column_tiles(pixels), enough=cut_out)


def knee_regions(pixels: GrayPixels, finder: Scorer) -> Regions:
    """A frame of twice the joint's crop around each knee; the whole picture where no joint is found."""
    height, width = pixels.shape
    knees = find_knees(pixels, finder, known_knee=True)
    frames = [doubled(knee.box) for knee in knees]
    shown = [frame for frame in frames if visible_share(frame, width, height) >= ENOUGH]
    return Regions("knee", shown or frames or [(0, 0, width, height)], enough=bool(shown), joints=tuple(knees))


def doubled(box: Box) -> Box:
    """The box grown to twice its sides about its middle."""
    x, y, width, height = box
    return x - width // 2, y - height // 2, 2 * width, 2 * height


def dxa_tiles(pixels: GrayPixels) -> list[Box]:
    """Three overlapping squares down the middle half of a lumbar DXA image, where the column is."""
    height, width = pixels.shape
    return [(width // 4, top, width // 2, height // 2) for top in (0, height // 4, height // 2)]


def column_tiles(pixels: GrayPixels) -> list[Box]:
    """Squares along a column that was cut out on black, as wide as it is, at most `MOST_TILES`."""
    x, y, width, height = bone_box(pixels)
    side, length = min(width, height), max(width, height)
    count = int(np.clip(round(length / side), 1, MOST_TILES))
    starts = [round((length - side) * number / max(1, count - 1)) for number in range(count)]
    return [(x, y + start, side, side) if height >= width else (x + start, y, side, side) for start in starts]


def is_cut_out(pixels: GrayPixels) -> bool:
    """Whether the background really is blacked out: black nearly all along the border."""
    rim = max(1, round(min(pixels.shape) * BORDER))
    border = (pixels[:rim], pixels[-rim:], pixels[:, :rim], pixels[:, -rim:])
    return bool((np.concatenate([side.ravel() for side in border]) <= BLACK).mean() >= BLACK_BORDER)


def bone_box(pixels: GrayPixels) -> Box:
    """The box around everything brighter than black, specks left out; the whole picture if there is nothing."""
    bright = cv2.morphologyEx((pixels > BLACK).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    if not bright.any():
        return 0, 0, pixels.shape[1], pixels.shape[0]
    x, y, width, height = cv2.boundingRect(bright)
    return int(x), int(y), int(width), int(height)
