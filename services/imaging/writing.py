"""Writing in a picture, found by its shape: letters of like height in a row, brighter than their ground.

A name burned into the pixels goes wherever the picture goes. One or two letters, as a side marker has, are no writing.
Of the 157 films of knee_bone it finds the one that has writing, and none of 400 joints and spines that have none. Of
names drawn into a corner it finds nine in ten on a phantom, eight on a knee and six on a spine, where letters lie on
bone: enough to warn by, too few to blank by.
"""

import cv2
import numpy as np
import numpy.typing as npt

from shared.contracts.film import FilmWarning
from shared.radiograph.prepare import GrayPixels

# A letter in pixels of the working picture; its strokes are thinner than `STROKE` and stand out from what is around
# them by so much (of 255).
STROKE = 9
LOWEST, HIGHEST, WIDEST, LEAST_CONTRAST = 7, 40, 40, 60
MOST_NUMBERED = 2**16 - 1
# A row: so many letters or more whose heights and bases agree, none further from the next than so many heights.
LETTERS, SAME_HEIGHT, SAME_BASE, FURTHEST = 6, 0.45, 0.35, 1.8

WRITING = FilmWarning(
    type="burned_in_text",
    detail="There seems to be writing in the picture, which may name the patient: export it without annotations.",
)


def writing(pixels: GrayPixels) -> list[FilmWarning]:
    """A warning where a radiograph, uint8 (height, width), holds a row of letters brighter than their ground."""
    ground = cv2.morphologyEx(pixels, cv2.MORPH_OPEN, np.ones((STROKE, STROKE), np.uint8))
    letters = _letters(cv2.subtract(pixels, ground) > LEAST_CONTRAST)
    return [WRITING] if _longest_row(letters) >= LETTERS else []


def _letters(strokes: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """x, y, width, height, area of every part that may be a letter."""
    mask = strokes.astype(np.uint8)
    # No more parts than pixels: where 16 bits number them all, it takes half as long.
    numbers = cv2.CV_16U if cv2.countNonZero(mask) < MOST_NUMBERED else cv2.CV_32S
    _, _, parts, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, numbers, cv2.CCL_SPAGHETTI)
    parts = parts[1:]
    width, height, area = parts[:, 2], parts[:, 3], parts[:, 4]
    fits = (height >= LOWEST) & (height <= HIGHEST) & (width <= WIDEST) & (width >= 2)
    solid = area / np.maximum(width * height, 1)
    return np.asarray(parts[fits & (solid > 0.15)], np.int32)


def _longest_row(letters: npt.NDArray[np.int32]) -> int:
    """How many letters the longest row has."""
    longest = 0
    for first in letters:
        x, y, _, height, _ = (int(number) for number in first)
        bases, heights = letters[:, 1] + letters[:, 3], letters[:, 3]
        like = (np.abs(heights - height) <= SAME_HEIGHT * height) & (np.abs(bases - y - height) <= SAME_BASE * height)
        row = letters[like & (letters[:, 0] >= x)]
        row = row[row[:, 0].argsort()]
        gaps = row[1:, 0] - (row[:-1, 0] + row[:-1, 2])
        apart = np.flatnonzero(gaps > FURTHEST * height)
        longest = max(longest, int(apart[0]) + 1 if len(apart) else len(row))
    return longest
