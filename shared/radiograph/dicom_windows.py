"""Which of a DICOM file's tables and windows (PS3.3 C.11.2) shows its data: the first one that does is taken.

Windows are often left over from another step of processing. One that fits shows tissue: what lies between the
darkest and the brightest of the picture, which are air, markers and metal and may well be black or white.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from shared.radiograph.dicom_elements import code, items, numbers
from shared.radiograph.dicom_luts import looked_up
from shared.radiograph.tones import Pixels, robust_range

if TYPE_CHECKING:
    from pydicom import Dataset

Shares = npt.NDArray[np.float64]

# Air and what is saturated lie within a fiftieth of the range at either end.
END_OF_RANGE = 0.02
# More of the tissue than this share black or white, or tissue in less than this share of the scale, is no picture.
MOST_CLIPPED = 0.5
LEAST_SPREAD = 0.25
BLACK, WHITE = 0.005, 0.995


def fitting_shares(values: Pixels, dataset: "Dataset") -> tuple[Shares | None, bool]:
    """(shares of full brightness by the first transform that fits, or None; whether there was any transform)."""
    tissue, tried = tissue_of(values), False
    for shares in transformed(values, dataset):
        if fits(shares, tissue):
            return shares, True
        tried = True
    return None, tried


def tissue_of(values: Pixels) -> npt.NDArray[np.bool_]:
    """Where values lie inside the robust range; everywhere, in a picture that has nothing there."""
    low, high = robust_range(values)
    edge = END_OF_RANGE * (high - low)
    inside = np.asarray((values > low + edge) & (values < high - edge))
    return inside if inside.any() else np.ones(values.shape, np.bool_)


def fits(shares: Shares, tissue: npt.NDArray[np.bool_]) -> bool:
    """Whether a transform leaves most of the tissue neither black nor white, and some contrast in it."""
    shown = shares[tissue]
    clipped = float(((shown <= BLACK) | (shown >= WHITE)).mean())
    low, high = np.percentile(np.clip(shown, 0.0, 1.0), (1, 99))
    return clipped <= MOST_CLIPPED and float(high - low) >= LEAST_SPREAD


def transformed(values: Pixels, dataset: "Dataset") -> Iterator[Shares]:
    """The values through each usable table, then through each usable window."""
    for item in items(dataset, "VOILUTSequence"):
        looked = looked_up(values, item, dataset)
        if looked is not None:
            yield np.asarray(looked[0] / looked[1], np.float64)
    function = code(dataset, "VOILUTFunction") or "LINEAR"
    narrowest = 1.0 if function == "LINEAR" else 0.0
    for centre, width in zip_longest(numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")):
        if centre is not None and width is not None and width > narrowest:
            yield windowed(values, centre, width, function)


def windowed(values: Pixels, centre: float, width: float, function: str) -> Shares:
    """Values through a window, not clipped (PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    offset = values.astype(np.float64) - centre
    if function == "SIGMOID":
        return np.asarray(1.0 / (1.0 + np.exp(np.clip(-4.0 * offset / width, -60.0, 60.0))))
    return offset / width + 0.5 if function == "LINEAR_EXACT" else (offset + 0.5) / (width - 1.0) + 0.5
