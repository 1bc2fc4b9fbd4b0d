"""Size and tone of decoded pixels: the reduction to working size and the robust scaling to 8 bit."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import GrayPixels
from shared.radiograph.radiograph import WORKING_SIZE

Pixels = npt.NDArray[Any]

# Half a per cent at each end: a lead marker or dead pixels do not decide the contrast of the bone.
DARK_PERCENTILE = 0.5
BRIGHT_PERCENTILE = 99.5


def working_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) with the long side at most `WORKING_SIZE`, proportions kept, never below one pixel."""
    scale = min(1.0, WORKING_SIZE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def fitted(pixels: Pixels) -> Pixels:
    """Reduce (height, width) or (height, width, channels) to working size by area averaging; never enlarge."""
    height, width = pixels.shape[:2]
    size = working_size(width, height)
    if size == (width, height):
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def stretched(values: Pixels) -> GrayPixels:
    """Scale values of any depth linearly to 8 bit, from the 0.5th to the 99.5th percentile.

    Where these two are equal (a few bright pixels on a flat field) the extremes are used; a constant picture is black.
    """
    low, high = np.percentile(values, (DARK_PERCENTILE, BRIGHT_PERCENTILE))
    if high <= low:
        low, high = values.min(), values.max()
    return to_gray((values.astype(np.float64) - float(low)) / max(float(high) - float(low), 1e-12))


def to_gray(shares: npt.NDArray[np.floating[Any]]) -> GrayPixels:
    """Shares of full brightness, 0 to 1 and clipped there, as uint8."""
    return np.asarray(np.rint(np.clip(shares, 0.0, 1.0) * 255.0), np.uint8)
