"""What the drawn pictures share: sheets, planes of noise, words, and finishing."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import GrayPixels

Random = np.random.Generator
Plane = npt.NDArray[np.float32]
Draw = Callable[[Random], GrayPixels]
Real = float | np.integer[Any] | np.floating[Any]
Place = tuple[Real, Real]
SHORTEST, LONGEST = 300, 640
LETTERS = "aaabcdeeeefghiiiklmnnooprrsstttuuvwyz"


def shape(rng: Random) -> tuple[int, int]:
    """Height and width of a picture."""
    height, width = rng.integers(SHORTEST, LONGEST, 2)
    return int(height), int(width)


def sheet(rng: Random, shade: Real) -> GrayPixels:
    """A sheet of one shade."""
    return np.full(shape(rng), shade, np.uint8)


def grid(size: tuple[int, int]) -> tuple[Plane, Plane]:
    """y and x of every pixel, from -1 to 1 along the shorter side."""
    height, width = size
    half = min(size) / 2
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return (y - height / 2) / half, (x - width / 2) / half


def clouds(rng: Random, size: tuple[int, int], cells: float, octaves: int = 1) -> Plane:
    """Smooth noise, mean 0 and deviation 1; `cells` blobs along the longer side, each octave twice as many."""
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        count = cells * 2**octave
        small = tuple(max(2, round(count * side / max(size))) for side in size)
        noise = rng.standard_normal(small).astype(np.float32)
        total += cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC) / 2**octave
    return np.asarray((total - total.mean()) / total.std(), np.float32)


def stretched(plane: npt.ArrayLike, low: float = 0, high: float = 255) -> GrayPixels:
    """Any numbers to gray: the smallest becomes `low`, the largest `high`."""
    numbers = np.asarray(plane, np.float32)
    spread = max(float(np.ptp(numbers)), 1e-6)
    return np.asarray(low + (high - low) * (numbers - numbers.min()) / spread, np.uint8)


def clipped(plane: npt.ArrayLike) -> GrayPixels:
    """Numbers to gray, cut off at 0 and 255."""
    return np.clip(np.asarray(plane, np.float32), 0, 255).astype(np.uint8)


def soft(picture: npt.ArrayLike, sigma: float) -> GrayPixels:
    """Blurred."""
    return np.asarray(cv2.GaussianBlur(np.asarray(picture, np.uint8), (0, 0), sigma), np.uint8)


def grainy(picture: npt.ArrayLike, rng: Random, amount: float) -> GrayPixels:
    """With noise of this deviation."""
    numbers = np.asarray(picture, np.float32)
    return clipped(numbers + rng.normal(0, amount, numbers.shape))


def word(rng: Random) -> str:
    """A word of no language."""
    return "".join(rng.choice(list(LETTERS), rng.integers(2, 10)))


def line_of(rng: Random, words: Real) -> str:
    """Some words."""
    return " ".join(word(rng) for _ in range(int(words)))


def number(rng: Random) -> str:
    """A number as reports hold them."""
    return f"{rng.normal(0, 2):.{rng.integers(1, 4)}f}"


def write(picture: GrayPixels, text: str, at: Place, scale: Real, shade: Real) -> None:
    """Text whose first letter stands at (x, y)."""
    place = round(at[0]), round(at[1])
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, float(scale), float(shade), 1, cv2.LINE_AA)


def points(numbers: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Places (count, 2) as OpenCV wants them."""
    return np.round(np.asarray(numbers)).astype(np.int32).reshape(-1, 1, 2)


def curve(picture: GrayPixels, numbers: npt.ArrayLike, shade: Real, thick: int = 1) -> None:
    """A line through places (count, 2) of x and y."""
    cv2.polylines(picture, [points(numbers)], False, float(shade), thick, cv2.LINE_AA)


def filled(picture: GrayPixels, numbers: npt.ArrayLike, shade: Real) -> None:
    """A filled polygon."""
    cv2.fillPoly(picture, [points(numbers)], float(shade), cv2.LINE_AA)


def ellipse(picture: GrayPixels, at: Place, axes: Place, shade: Real, thick: int = -1) -> None:
    """An ellipse about (x, y) with half axes (x, y); filled, or a line."""
    centre, half = (round(at[0]), round(at[1])), (max(1, round(axes[0])), max(1, round(axes[1])))
    cv2.ellipse(picture, centre, half, 0, 0, 360, float(shade), thick, cv2.LINE_AA)


def box(picture: GrayPixels, at: Place, to: Place, shade: Real, thick: int = -1) -> None:
    """A rectangle between two corners (x, y)."""
    cv2.rectangle(picture, (round(at[0]), round(at[1])), (round(to[0]), round(to[1])), float(shade), thick)


def ball(y: Plane, x: Plane, at: tuple[float, float], half: tuple[float, float]) -> Plane:
    """Height of a ball over the plane: 1 in the middle, 0 outside; (x, y) each."""
    inside = 1 - ((x - at[0]) / half[0]) ** 2 - ((y - at[1]) / half[1]) ** 2
    return np.sqrt(np.clip(inside, 0, 1))


def disc(y: Plane, x: Plane, at: tuple[float, float], half: tuple[float, float]) -> Plane:
    """1 within an ellipse about (x, y), 0 outside, with a soft rim."""
    away = ((x - at[0]) / half[0]) ** 2 + ((y - at[1]) / half[1]) ** 2
    return np.asarray(1 / (1 + np.exp(np.clip(12 * (away - 1), -50, 50))), np.float32)
