"""Lead markers and letters in the air beside a limb: dimmed where the file keeps them far brighter than any tissue.

At full brightness a block of white looks like bone to a network. Half bright it is still legible. What lies in
tissue, such as an implant, is left alone: its surroundings are not as dark as air.
"""

import cv2
import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import GrayPixels

DIMMED = 128
DARK_AS_AIR = 64
MOST_MARKERS = 50
# Pixels around a marker that its edge is mixed into, and how far its surroundings reach.
EDGE, AROUND = 3, 8

Mask = npt.NDArray[np.bool_]


def with_dim_markers(pixels: GrayPixels, bright: Mask) -> GrayPixels:
    """The picture with each connected part of `bright` that air surrounds at no more than half brightness."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    if count - 1 > MOST_MARKERS:
        return pixels
    result = pixels.copy()
    for number in range(1, count):
        left, top, width, height = (int(value) for value in stats[number][:4])
        place = (
            slice(max(0, top - AROUND), top + height + AROUND),
            slice(max(0, left - AROUND), left + width + AROUND),
        )
        part = labels[place] == number
        with_edge = grown(part, EDGE)
        around = pixels[place][grown(part, AROUND) & ~with_edge & ~bright[place]]
        if around.size and np.median(around) < DARK_AS_AIR:
            result[place][with_edge] = np.minimum(result[place][with_edge], DIMMED)
    return result


def grown(part: Mask, by: int) -> Mask:
    """A part and all that is at most so many pixels away."""
    return np.asarray(cv2.dilate(part.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)), np.bool_)
