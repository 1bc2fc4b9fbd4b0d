"""Whether a network is given the detail it was shown: enough pixels, not blurred away, not compressed away.

The limits come from degrading radiographs until their reading moves (docs/model-cards/steadiness.md). They are judged
where the network looks: a knee's grade in the joint, its bone in a frame of twice the joint, and hold for both.
"""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from shared.contracts.film import FilmWarning
from shared.radiograph.prepare import NETWORK_SIZE, GrayPixels, squared
from shared.radiograph.radiograph import Radiograph

LACKS = frozenset({"few_pixels", "heavy_compression", "blurred"})
# Width in pixels of the picture as it was sent. Of the labelled films the narrowest joint has 193; with 150 the first
# grades, and with 130 the first bone readings, move.
LEAST_PIXELS = 180
# Spatial frequencies in cycles a network input: what a sharp film still has there, and what every film has.
FINE, MIDDLE, COARSE = (56, 80), (16, 28), (8, 16)
# Log10 of the mean power of the fine band over the others. Of 670 joints of labelled films the least have -2.03 and
# -3.19; a Gaussian blur by 1.5 pixels at 1,024 brings 99 in 100 below.
LEAST_FINE_TO_MIDDLE, LEAST_FINE_TO_COARSE = -2.05, -3.2
# JPEG's artefacts are as coarse as the joint is small: quality 50 of 100 moves grades at 226 pixels, 20 at 553.
LEAST_QUALITY_TIMES_PIXELS = 11_300


def lack_of_detail(
    radiograph: Radiograph, box: tuple[int, int, int, int], crop: GrayPixels, says: str
) -> FilmWarning | None:
    """Why a part of a radiograph does not hold the detail that a network needs, or nothing.

    Args:
        box: x, y, width, height of the part in the working pixels. crop: what the network is given of it.
        says: what is uncertain then, at the start of a sentence.
    """
    width = box[2] * max(radiograph.original_size) / max(radiograph.pixels.shape)
    if width < LEAST_PIXELS:
        return FilmWarning(
            type="few_pixels",
            detail=f"{says}: what the network looks at is {width:.0f} pixels wide and {LEAST_PIXELS} are needed. "
            "Export the picture at full size.",
        )
    if radiograph.jpeg_quality is not None and radiograph.jpeg_quality * width < LEAST_QUALITY_TIMES_PIXELS:
        return FilmWarning(
            type="heavy_compression",
            detail=f"{says}: the JPEG is compressed to quality {radiograph.jpeg_quality:.0f} of 100. "
            "Export the picture with less compression.",
        )
    if is_blurred(crop):
        return FilmWarning(
            type="blurred",
            detail=f"{says}: the joint is blurred, or the picture was enlarged. "
            "Export it from its source at full size.",
        )
    return None


def once(lacks: Iterable[FilmWarning | None]) -> list[FilmWarning]:
    """What is lacking anywhere in a picture, each kind once."""
    return list({lack.type: lack for lack in lacks if lack}.values())


def is_blurred(crop: GrayPixels) -> bool:
    """Whether a crop has lost its fine detail, uint8 (height, width), seen at the size of the network's input."""
    power = _power(squared(crop, NETWORK_SIZE)).ravel()
    fine, middle, coarse = (float(np.log10(power[band].mean() + 1e-9)) for band in _BANDS)
    return fine - middle < LEAST_FINE_TO_MIDDLE or fine - coarse < LEAST_FINE_TO_COARSE


def _power(square: GrayPixels) -> npt.NDArray[np.float32]:
    """Power by spatial frequency, (224, FINE[1] columns), the border faded out so that it adds no edge."""
    faded = (square - np.float32(square.mean())) * _WINDOW
    real, imaginary = cv2.split(cv2.dft(faded, flags=cv2.DFT_COMPLEX_OUTPUT)[:, : FINE[1]])
    return np.asarray(real * real + imaginary * imaginary, np.float32)


def _band(low: int, high: int) -> npt.NDArray[np.intp]:
    """Where in `_power`, row by row, a band of frequencies lies; half of the spectrum mirrors the other half."""
    down, across = np.fft.fftfreq(NETWORK_SIZE, 1 / NETWORK_SIZE), np.arange(FINE[1])
    radius = np.hypot(down[:, np.newaxis], across[np.newaxis])
    return np.flatnonzero((low <= radius) & (radius < high))


_HANN = np.hanning(NETWORK_SIZE).astype(np.float32)
_WINDOW = np.outer(_HANN, _HANN)
_BANDS = tuple(_band(*limits) for limits in (FINE, MIDDLE, COARSE))
