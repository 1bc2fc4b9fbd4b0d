"""Reduction to working size strip by strip, so that a large picture never lies in memory at full size twice."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from shared.radiograph.tones import Pixels, working_size

STRIP_PIXELS, MOST_ROWS = 131_072, 512

RESIZED = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.int16), np.dtype(np.float32))
Sums = npt.NDArray[np.float32]


def strips(pixels: Pixels) -> Iterator[Pixels]:
    """Views of (height, width) or (height, width, channels), a few rows each, from top to bottom."""
    rows = strip_rows(pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        yield pixels[top : top + rows]


def strip_rows(width: int) -> int:
    """How many rows of a picture make a strip."""
    return max(1, min(MOST_ROWS, STRIP_PIXELS // max(1, width)))


def fitted(pixels: Pixels) -> Pixels:
    """Reduce (height, width) or (height, width, channels) to working size by area averaging; never enlarge."""
    height, width = pixels.shape[:2]
    size = working_size(width, height)
    if size == (width, height):
        return pixels
    if pixels.dtype in RESIZED:  # OpenCV needs no copy of these, and is many times as fast
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return fitted_strips(strips(pixels), width, height)


def fitted_strips(parts: Iterator[Pixels], width: int, height: int) -> Pixels:
    """As `fitted`, of a picture of which only a strip at a time is in memory.

    Args:
        parts: strips of one type, (rows, width) or (rows, width, channels), from top to bottom.
        width, height: of the whole picture.

    Returns:
        (height, width) or (height, width, channels) at working size, in the type of the parts.

    Raises:
        ValueError: the parts have not `height` rows in all.
    """
    new_width, new_height = working_size(width, height)
    if (new_width, new_height) == (width, height):
        return whole(parts, height)
    result: Sums | None = None
    kind, top = np.dtype(np.uint8), 0
    for part in parts:
        if result is None:
            kind, result = part.dtype, np.zeros((new_height, new_width, *part.shape[2:]), np.float32)
        add(result, narrowed(part, new_width), top, height)
        top += len(part)
    if result is None or top != height:
        raise ValueError(f"{top} rows of {height}")
    return result if kind.kind == "f" else np.rint(result).astype(kind)


def whole(parts: Iterator[Pixels], height: int) -> Pixels:
    """Strips of a picture that is no larger than the working size, put together."""
    pixels = np.concatenate(list(parts))
    if len(pixels) != height:
        raise ValueError(f"{len(pixels)} rows of {height}")
    return pixels


def narrowed(part: Pixels, width: int) -> Sums:
    """A strip at the new width and its old height."""
    values = part.astype(np.float32)
    if values.shape[1] == width:
        return values
    return np.asarray(cv2.resize(values, (width, len(values)), interpolation=cv2.INTER_AREA), np.float32)


def add(result: Sums, part: Sums, top: int, height: int) -> None:
    """Add the rows `top` and following of a picture of `height` rows to the rows of `result` that they lie in."""
    step = height / len(result)
    first, last = int(top / step), min(len(result), int(np.ceil((top + len(part)) / step)) + 1)
    edges = np.arange(first, last)[:, np.newaxis] * step
    rows = np.arange(top, top + len(part))[np.newaxis, :]
    # How much of each old row lies in each new one.
    shares = np.clip(np.minimum(edges + step, rows + 1) - np.maximum(edges, rows), 0.0, 1.0) / step
    flat = part.reshape(len(part), -1)
    result[first:last] += (shares.astype(np.float32) @ flat).reshape(last - first, *part.shape[1:])
