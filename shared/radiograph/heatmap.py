"""The heat map: where in the preview a network found its evidence, painted over the gray pixels."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import GrayPixels
from shared.radiograph.preview import COMPRESSION

Box = tuple[int, int, int, int]
Heat = npt.NDArray[np.float32]
# How much of the gray picture shows through where the evidence is strongest.
SHOWS_THROUGH = 0.45


def heatmap_png(pixels: GrayPixels, boxes: Sequence[Box], heat: Sequence[Heat]) -> bytes:
    """The gray pixels with the evidence in colour, an 8-bit RGB PNG of the preview's own size.

    Args:
        pixels: uint8 (height, width).
        boxes: what each map covers: x, y, width, height in `pixels`; it may reach beyond the picture.
        heat: a map of any size for each box; above zero speaks for the finding, the rest is left gray.
    """
    evidence = np.zeros(pixels.shape, np.float32)
    for box, part in zip(boxes, heat, strict=True):
        laid_over(evidence, box, part)
    strength = (evidence / evidence.max() if evidence.max() > 0 else evidence)[..., np.newaxis]
    colours = cv2.applyColorMap((strength[..., 0] * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    gray = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    share = strength * (1 - SHOWS_THROUGH)
    painted = (gray * (1 - share) + colours * share).astype(np.uint8)
    written, encoded = cv2.imencode(".png", painted, [cv2.IMWRITE_PNG_COMPRESSION, COMPRESSION])
    if not written:
        raise RuntimeError("the heat map could not be encoded")
    return encoded.tobytes()


def laid_over(evidence: Heat, box: Box, heat: Heat) -> None:
    """Add a map's positive part to the evidence, in place; where boxes overlap the stronger evidence stays."""
    x, y, width, height = box
    square = max(width, height)
    # The network saw the box padded to a square, so the map covers that square.
    left, top = x - (square - width) // 2, y - (square - height) // 2
    grown = cv2.resize(np.maximum(heat, 0), (square, square), interpolation=cv2.INTER_CUBIC)
    bottom, right = min(top + square, evidence.shape[0]), min(left + square, evidence.shape[1])
    rows, columns = slice(max(0, top), max(0, bottom)), slice(max(0, left), max(0, right))
    part = grown[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    evidence[rows, columns] = np.maximum(evidence[rows, columns], part)
