"""Size and tone of decoded pixels: the working size, the range that counts and the scaling to 8 bit."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from shared.contracts.film import FilmWarning
from shared.radiograph.markers import with_dim_markers
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.radiograph import WORKING_SIZE

Pixels = npt.NDArray[Any]

# Half a per cent at each end: dead pixels and specks do not decide the contrast of the bone.
DARK_PERCENTILE = 0.5
BRIGHT_PERCENTILE = 99.5
# A marker of lead or plastic is larger than that. It lies alone at the end of the scale, with nothing between it and
# the tissue: from the fifth last percentile on, a step of more than half of the range is where the tissue ends.
MARKER_STEPS = np.linspace(95.0, BRIGHT_PERCENTILE, 19)
# The eye tells apart about as many; the flattest of the labelled radiographs has 37.
FEWEST_LEVELS = 32


def working_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) with the long side at most `WORKING_SIZE`, proportions kept, never below one pixel."""
    scale = min(1.0, WORKING_SIZE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def percentiles_of(gray: npt.NDArray[np.uint8], shares: Sequence[float]) -> list[float]:
    """What `np.percentile` says of uint8 levels, from their histogram: a sixth of its time.

    Args:
        shares: 0 to 100.
    """
    up_to = np.cumsum(cv2.calcHist([gray], [0], None, [256], [0, 256]).ravel())
    found = []
    for share in shares:
        place = share / 100 * (gray.size - 1)
        below, above = np.searchsorted(up_to, [int(place), min(int(place) + 1, gray.size - 1)], side="right")
        found.append(float(below + (above - below) * (place - int(place))))
    return found


def mean_and_spread(levels: npt.NDArray[Any]) -> tuple[float, float]:
    """The mean and the standard deviation, by OpenCV's vector code: a thirtieth of NumPy's time for uint8."""
    mean, spread = cv2.meanStdDev(levels)
    return float(mean[0, 0]), float(spread[0, 0])


def robust_range(values: Pixels) -> tuple[float, float]:
    """The range that holds the tissue: the 0.5th to the 99.5th percentile, bright and dark markers left out.

    Where these two are equal (a few bright pixels on a flat field) it is the extremes.
    """
    kept = without_marker(values.ravel())
    kept = -without_marker(-kept.astype(np.float64))
    low, high = np.percentile(kept, (DARK_PERCENTILE, BRIGHT_PERCENTILE))
    if high <= low:
        low, high = values.min(), values.max()
    return float(low), float(high)


def inner_range(values: Pixels) -> float:
    """From the 6th to the 94th percentile of every fourth pixel: never more than the `robust_range`, and soon known."""
    dark, bright = np.percentile(values[::4, ::4], (6.0, 94.0))
    return float(bright - dark)


def without_marker(values: Pixels) -> Pixels:
    """The values, less the few at the bright end that lie apart from all others."""
    steps = np.percentile(values, MARKER_STEPS)
    gaps = np.diff(steps)
    widest = int(np.argmax(gaps))
    if gaps[widest] <= 0.5 * (steps[-1] - np.percentile(values, DARK_PERCENTILE)):
        return values
    return np.asarray(values[values <= steps[widest]])


def stretched(values: Pixels) -> GrayPixels:
    """Scale values of any depth, (height, width), linearly to 8 bit over their `robust_range`.

    A constant picture is black; markers that lie far above the range are dimmed (`with_dim_markers`).
    """
    low, high = robust_range(values)
    pixels = to_gray((values.astype(np.float64) - low) / max(high - low, 1e-12))
    above = values > high + (high - low)
    return with_dim_markers(pixels, above) if above.any() else pixels


def to_gray(shares: npt.NDArray[np.floating[Any]]) -> GrayPixels:
    """Shares of full brightness, 0 to 1 and clipped there, as uint8."""
    return np.asarray(np.rint(np.clip(shares, 0.0, 1.0) * 255.0), np.uint8)


def contrast_warnings(values: Pixels) -> tuple[FilmWarning, ...]:
    """A warning where stored integers have fewer than `FEWEST_LEVELS` levels between dark and bright."""
    if inner_range(values) >= FEWEST_LEVELS:
        return ()
    low, high = robust_range(values)
    if high - low >= FEWEST_LEVELS:
        return ()
    return (
        FilmWarning(
            type="low_contrast",
            detail=f"The picture has only {max(1, round(high - low))} levels of gray: detail of the bone is lost. "
            "Export it again with its full range.",
        ),
    )
