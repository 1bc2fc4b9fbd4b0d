"""The two edges of bone along one compartment of a knee: the best continuous pair of paths, by dynamic programming."""

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Rows = npt.NDArray[np.float64]

# Gaussian blur across and down, in pixels of the strip: along the joint line it may be wider than across it.
BLUR = (1.6, 0.9)
# Every second column is enough: after the blur its neighbour says nothing new.
STEP = 2
# The narrowest and the widest gap that is looked for, in rows of a strip whose plateau is 200 pixels wide.
LEAST_GAP, MOST_GAP = 2, 32
# An edge that is steeper than this counts no more: metal or a black border must not outdo bone.
STEEPEST = 0.16
# What a pair of edges costs for lying off the expected row, and for being wider than a usual gap; in slopes.
OFF_ROWS, OFF_COST = 20.0, 0.06
USUAL_GAP, WIDE_COST = 14.0, 0.03
IMPOSSIBLE = 9.0
NEIGHBOURS = np.ones((3, 3), np.uint8)


def slopes(strip: Plane) -> Plane:
    """How steeply each place brightens downwards, a row, in shares of the strip's own contrast.

    Args:
        strip: gray, (rows, columns), bone bright.

    Returns:
        (rows, columns / `STEP`), positive where it is brighter below.
    """
    low, high = np.percentile(strip, (2, 98))
    smooth = cv2.GaussianBlur(strip, (0, 0), sigmaX=BLUR[0], sigmaY=BLUR[1])[:, ::STEP] / np.float32(max(high - low, 1))
    return np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1) / 2, np.float32)


def best_pair(slope: Plane) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """(upper rows, lower rows), one of each a column: falling and rising edges that together are steepest.

    From one column to the next the upper edge and the gap each move by at most a row.

    Args:
        slope: of `slopes`, the joint line expected at half its height.
    """
    totals = [*_totals(_pairs(slope))]
    row, gap = np.unravel_index(int(totals[-1].argmax()), totals[-1].shape)
    path = [(row, gap)]
    for total in totals[-2::-1]:
        top, left = max(0, row - 1), max(0, gap - 1)
        around = total[top : row + 2, left : gap + 2]
        down, right = divmod(int(around.argmax()), around.shape[1])
        row, gap = top + down, left + right
        path.append((row, gap))
    upper, gaps = np.array(path[::-1]).T
    return upper, upper + gaps + LEAST_GAP


def finely(slope: Plane, rows: npt.NDArray[np.intp]) -> Rows:
    """The rows of the edges to fractions, by the parabola through each slope and its two neighbours."""
    inner, columns = np.clip(rows, 1, slope.shape[0] - 2), np.arange(len(rows))
    before, here, after = (np.abs(slope[inner + step, columns]).astype(np.float64) for step in (-1, 0, 1))
    bend = np.minimum(before - 2 * here + after, -1e-6)
    return np.asarray(inner + np.clip((before - after) / (2 * bend), -0.5, 0.5), np.float64)


def _pairs(slope: Plane) -> Plane:
    """What each pair is worth in each column: (columns, rows of the upper edge, gaps)."""
    rows = slope.shape[0]
    gaps = np.arange(LEAST_GAP, MOST_GAP + 1, dtype=np.float32)
    middle = np.arange(rows, dtype=np.float32)[:, None] + gaps / 2
    cost = OFF_COST * ((middle - rows / 2) / OFF_ROWS) ** 2 + WIDE_COST * np.maximum(0, gaps / USUAL_GAP - 1)
    rising = np.pad(np.minimum(slope, STEEPEST).T, ((0, 0), (0, MOST_GAP)), constant_values=-IMPOSSIBLE)
    lower = np.lib.stride_tricks.sliding_window_view(rising, MOST_GAP + 1, axis=1)[:, :rows, LEAST_GAP:]
    return np.asarray(lower + np.minimum(-slope, STEEPEST).T[:, :, None] - cost, np.float32)


def _totals(pairs: Plane) -> list[Plane]:
    """The worth of the best path up to each pair, one (rows, gaps) a column."""
    totals = [pairs[0]]
    for pair in pairs[1:]:
        totals.append(pair + cv2.dilate(totals[-1], NEIGHBOURS))
    return totals
