"""The X-ray beam of the QA phantom: path lengths through tissue to a picture, by Beer-Lambert.

Lengths are millimetres, attenuation coefficients per millimetre at an effective energy of about 40 keV
(NIST XCOM: muscle 0.27/cm, fat 0.23/cm, cortical bone 1.28/cm).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import GrayPixels

Plane = npt.NDArray[np.float32]
Outline = Sequence[tuple[float, float]]
Profile = Sequence[tuple[float, float]]
Box = tuple[slice, slice]

MUSCLE_PER_MM = 0.027
FAT_PER_MM = 0.022
CORTEX_PER_MM = 0.128
MARROW_PER_MM = 0.024

SCATTER_SHARE = 0.25
SCATTER_MM = 25.0
FOCUS_MM = 0.30
BASE_MM, BASE_WEAKENED = 14.0, 0.35
EDGE_MM, EDGE_GAIN = 0.9, 1.0
CURVE_POINTS = 12
BEYOND = 100  # pixels
EDGE_SIGMA = 1.5  # pixels


@dataclass(frozen=True)
class Bone:
    """One bone as an outline blown up to a solid. Profiles are (y in mm, value) pairs, linear in between.

    Attributes:
        outline: corner points (x, y) in mm, joined by a smooth closed curve.
        depth: half of the bone's depth along the beam, mm.
        cortex: thickness of the cortical shell, mm.
        trabecular: share of the inside that is trabecular bone at a bone density of 1.
    """

    outline: Outline
    depth: Profile
    cortex: Profile
    trabecular: Profile


@dataclass(frozen=True)
class Field:
    """The detector: (height, width) in pixels, the size of a pixel and where the origin of the anatomy lies."""

    size: tuple[int, int]
    pixel_mm: float
    origin_mm: tuple[float, float]

    def rows_mm(self) -> Plane:
        """y of every row, mm."""
        rows = np.arange(self.size[0], dtype=np.float32)
        return np.asarray(rows * self.pixel_mm - self.origin_mm[1], np.float32)

    def corners(self, outline: Outline) -> npt.NDArray[np.int32]:
        """The smooth closed curve in pixels with four binary places, as cv2 draws it."""
        points = (smooth(outline) + self.origin_mm) / self.pixel_mm
        return np.rint(points * 16.0).astype(np.int32)


def smooth(outline: Outline) -> npt.NDArray[np.float64]:
    """A closed Catmull-Rom curve through the corner points."""
    p1 = np.asarray(outline, np.float64)
    p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
    t = np.linspace(0.0, 1.0, CURVE_POINTS, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (p0, p1, p2, p3))
    curve = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    return np.asarray(0.5 * curve.reshape(-1, 2))


def depth_inside(field: Field, outline: Outline) -> tuple[Box, Plane]:
    """The part of the field around an outline, and there the distance to the outline from within, mm; zero outside."""
    corners = field.corners(outline)
    # The drawing ends a margin beyond the field: bone that leaves the field has no border where it leaves.
    low = np.maximum(corners.min(0) // 16 - 2, -BEYOND)
    high = np.minimum(corners.max(0) // 16 + 3, np.array(field.size[::-1]) + BEYOND)
    width, height = (int(side) for side in np.maximum(high - low, 1))
    coverage = np.zeros((height, width), np.uint8)
    cv2.fillPoly(coverage, [(corners - 16 * low).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, field.size[::-1])
    box = slice(int(top), max(int(top), int(bottom))), slice(int(left), max(int(left), int(right)))
    return box, fine_distance(coverage)[top - low[1] : bottom - low[1], left - low[0] : right - low[0]] * field.pixel_mm


def fine_distance(coverage: GrayPixels) -> Plane:
    """Distance to the edge in fractions of a pixel; whole pixels would draw a steep edge as stairs.

    The nearest outside pixel is found by the distance transform; how far the edge passes from its centre follows
    from the blurred coverage there, which is half on the edge and changes by 1 / (sigma * sqrt(2 pi)) a pixel.
    """
    framed = cv2.copyMakeBorder(coverage, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    inside = (framed > 127).astype(np.uint8)
    distance, nearest = cv2.distanceTransformWithLabels(
        inside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    blurred = cv2.GaussianBlur(framed.astype(np.float32), (0, 0), EDGE_SIGMA) / 255.0
    offsets = np.zeros(int(nearest.max()) + 1, np.float32)
    outside = inside == 0
    offsets[nearest[outside]] = (blurred[outside] - 0.5) * (EDGE_SIGMA * np.sqrt(2.0 * np.pi))
    fine = np.maximum(distance + offsets[nearest], 0.0) * inside
    return np.asarray(fine[1:-1, 1:-1], np.float32)


def chord(distance: Plane, radius: Plane) -> Plane:
    """Path through a solid whose rim is round with `radius`: 2 * sqrt(r^2 - (r - d)^2), full depth further inside."""
    d = np.clip(distance, 0.0, radius)
    return np.asarray(2.0 * np.sqrt(np.maximum(d * (2.0 * radius - d), 0.0)), np.float32)


def profile(field: Field, points: Profile) -> Plane:
    """A profile along y as a column, (height, 1)."""
    heights, values = zip(*points, strict=True)
    return np.asarray(np.interp(field.rows_mm(), heights, values)[:, None], np.float32)


def add_bone(attenuation: Plane, field: Field, bone: Bone, density: float, texture: Plane) -> None:
    """Add to the line integral of the attenuation what a bone has beyond the muscle that it replaces."""
    box, distance = depth_inside(field, bone.outline)
    cortex, depth, trabecular = (profile(field, p)[box[0]] for p in (bone.cortex, bone.depth, bone.trabecular))
    whole = chord(distance, depth)
    inside = chord(distance - cortex, depth - cortex)
    share = np.clip(trabecular * density * texture[box], 0.0, 0.6)
    # The shell thins and loses mineral with the trabecular bone, but less.
    shell = (whole - inside) * (CORTEX_PER_MM * (0.4 + 0.6 * density) - MUSCLE_PER_MM)
    core = inside * (share * CORTEX_PER_MM + (1.0 - share) * MARROW_PER_MM - MUSCLE_PER_MM)
    attenuation[box] += shell + core


def soft_tissue(field: Field, skin: Outline, depth_mm: float, muscles: Sequence[tuple[Outline, float]]) -> Plane:
    """Line integral through a limb or trunk: muscles, each with half its depth in mm, in an envelope of fat."""
    attenuation = np.zeros(field.size, np.float32)
    layers = [(skin, depth_mm, FAT_PER_MM), *((*muscle, MUSCLE_PER_MM - FAT_PER_MM) for muscle in muscles)]
    for outline, depth, per_mm in layers:
        box, distance = depth_inside(field, outline)
        attenuation[box] += chord(distance, np.full((1, 1), depth, np.float32)) * per_mm
    return attenuation


def noise(field: Field, rng: np.random.Generator, detail_mm: tuple[float, float]) -> Plane:
    """Gaussian noise of zero mean and unit spread with details of about (horizontal, vertical) `detail_mm`."""
    sigmas = [max(0.3, detail / field.pixel_mm) for detail in detail_mm]
    step = max(1, int(min(sigmas) / 2))  # coarse noise is made coarsely: a wide blur of the whole field is slow
    white = rng.standard_normal((-(-field.size[0] // step), -(-field.size[1] // step)), np.float32)
    smoothed = cv2.GaussianBlur(white, (0, 0), sigmaX=sigmas[0] / step, sigmaY=sigmas[1] / step)
    level = (smoothed - smoothed.mean()) / max(float(smoothed.std()), 1e-6)
    return np.asarray(cv2.resize(level, field.size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def exposed(attenuation: Plane, field: Field, size: tuple[int, int], photons: float, rng: np.random.Generator) -> Plane:
    """The detector's signal as a line integral again: focal blur, scatter and noise of `photons` a pixel in air."""
    primary = cv2.GaussianBlur(np.exp(-attenuation), (0, 0), max(0.3, FOCUS_MM / field.pixel_mm))
    small = cv2.resize(primary, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    spread = cv2.GaussianBlur(small, (0, 0), max(0.3, SCATTER_MM / field.pixel_mm / 8))
    scatter = cv2.resize(spread, field.size[::-1], interpolation=cv2.INTER_LINEAR)
    signal = cv2.resize(primary + SCATTER_SHARE * scatter, size[::-1], interpolation=cv2.INTER_CUBIC)
    counts = np.maximum(signal, 1e-5) * photons
    counts += np.sqrt(counts) * rng.standard_normal(size, np.float32)
    return np.asarray(-np.log(np.maximum(counts, 1.0) / photons), np.float32)


def developed(signal: Plane, pixel_mm: float, dark: float, bright: float) -> GrayPixels:
    """What a digital system shows: slow changes weakened, edges strengthened, `dark` black and `bright` white."""
    small = cv2.resize(signal, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    spread = cv2.GaussianBlur(small, (0, 0), max(0.3, BASE_MM / pixel_mm / 8))
    base = cv2.resize(spread, signal.shape[::-1], interpolation=cv2.INTER_LINEAR)
    edges = signal - cv2.GaussianBlur(signal, (0, 0), max(0.3, EDGE_MM / pixel_mm))
    shares = (signal - BASE_WEAKENED * base + EDGE_GAIN * edges - dark) / (bright - dark)
    return np.asarray(np.rint(np.clip(shares, 0.0, 1.0) * 255.0), np.uint8)
