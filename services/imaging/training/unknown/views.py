"""Knees as the network must not read them, drawn with the beam of the QA phantom: from the side, skyline, growing.

No data set here holds such views, so real ones are not judged: the drawings only show the direction. Frontal knees and
lumbar spines drawn in the same way belong to what is known, so that the manner of drawing tells nothing.
"""

from dataclasses import replace

import cv2
import numpy as np

from services.imaging.training.unknown.brush import Random
from shared.radiograph import phantom_knee, phantom_spine
from shared.radiograph.phantom import KNEE_PHOTONS, SPINE_PHOTONS, field_of, trabeculae
from shared.radiograph.phantom_beam import Bone, Field, Plane, add_bone, depth_inside, developed, exposed, soft_tissue
from shared.radiograph.prepare import GrayPixels

FEMUR_FROM_THE_SIDE = replace(phantom_knee.FEMUR, outline=(
    (-15, -240), (-14, -120), (-18, -80), (-25, -50), (-27, -25), (-20, -6), (-4, -1), (14, -2), (30, -12), (38, -30),
    (36, -48), (26, -62), (18, -80), (14, -120), (14, -240),
))  # fmt: skip
TIBIA_FROM_THE_SIDE = replace(phantom_knee.TIBIA, outline=(
    (-26, 6), (-10, 4), (10, 4), (28, 7), (30, 18), (22, 40), (14, 70), (12, 120), (12, 250), (-12, 250), (-13, 120),
    (-17, 62), (-30, 42), (-28, 20),
))  # fmt: skip
FIBULA_FROM_THE_SIDE = replace(phantom_knee.FIBULA, outline=tuple((x + 56, y) for x, y in phantom_knee.FIBULA.outline))
PATELLA_FROM_THE_SIDE = replace(phantom_knee.PATELLA, outline=(
    (-44, -58), (-38, -48), (-37, -34), (-42, -20), (-49, -24), (-53, -38), (-51, -50),
))  # fmt: skip
TROCHLEA = replace(phantom_knee.FEMUR, depth=((-10, 20), (60, 26)), cortex=((0, 1.6), (60, 1.6)), outline=(
    (-44, -2), (-32, -14), (-16, -12), (0, 3), (16, -14), (30, -17), (43, -4), (52, 24), (58, 44), (0, 52), (-58, 44),
    (-52, 24),
))  # fmt: skip
PATELLA_FROM_BELOW = replace(phantom_knee.PATELLA, outline=(
    (-25, -32), (-12, -43), (2, -46), (16, -42), (27, -31), (16, -24), (2, -14), (-12, -22),
))  # fmt: skip
FRONTAL, FROM_THE_SIDE = phantom_knee.BONES, (
    FEMUR_FROM_THE_SIDE, TIBIA_FROM_THE_SIDE, FIBULA_FROM_THE_SIDE, PATELLA_FROM_THE_SIDE,
)  # fmt: skip
SKYLINE = (TROCHLEA, PATELLA_FROM_BELOW)
PHOTONS_VARY = 3.0


def lateral(rng: Random) -> GrayPixels:
    """A knee from the side."""
    return knee_of(FROM_THE_SIDE, rng)


def skyline_view(rng: Random) -> GrayPixels:
    """The patella over the trochlea, the knee bent."""
    return knee_of(SKYLINE, rng)


def growing(rng: Random) -> GrayPixels:
    """A frontal knee whose growth plates are open, smaller than an adult's or as large."""
    return knee_of(FRONTAL, rng, plates=True)


def frontal(rng: Random) -> GrayPixels:
    """A frontal knee."""
    return knee_of(FRONTAL, rng)


def knees_on_a_sheet(rng: Random) -> GrayPixels:
    """Frontal knees side by side, one above the other or four on a sheet; or one whose pixels are not square."""
    height, width = (int(side) for side in rng.integers(300, 600, 2))
    knees = [cv2.resize(frontal(rng), (width, height), interpolation=cv2.INTER_AREA) for _ in range(4)]
    sheets = (
        knees[0],
        np.hstack(knees[:2]),
        np.vstack(knees[:2]),
        np.vstack([np.hstack(knees[:2]), np.hstack(knees[2:])]),
    )
    return np.asarray(sheets[rng.integers(len(sheets))], np.uint8)


def spine(rng: Random) -> GrayPixels:
    """A frontal lumbar spine, uncut."""
    size, millimetres = picture(rng, phantom_spine.FIELD_MM)
    field = field_of(size, millimetres, phantom_spine.ORIGIN)
    attenuation = soft_tissue(field, phantom_spine.TRUNK, phantom_spine.TRUNK_DEPTH_MM, phantom_spine.MUSCLES)
    texture, density = trabeculae(field, rng), rng.uniform(0.5, 1.3)
    for bone in phantom_spine.BONES:
        add_bone(attenuation, field, varied(bone, rng, 0.4, 1.0), density, texture)
    signal = exposed(attenuation, field, size, SPINE_PHOTONS * rng.uniform(1 / PHOTONS_VARY, PHOTONS_VARY), rng)
    return developed(signal, millimetres / size[0], dark=rng.uniform(1.1, 1.5), bright=rng.uniform(3.9, 4.5))


def knee_of(bones: tuple[Bone, ...], rng: Random, plates: bool = False) -> GrayPixels:
    """A leg with these bones, varied, right or left, more or less of it in the picture."""
    size, millimetres = picture(rng, phantom_knee.FIELD_MM * rng.uniform(0.55, 1.05))
    field = field_of(size, millimetres, (phantom_knee.ORIGIN[0] + rng.normal(0, 0.03), rng.uniform(0.38, 0.54)))
    grown = rng.uniform(0.75, 1.0) if plates else rng.uniform(0.9, 1.08)
    attenuation = soft_tissue(field, phantom_knee.LEG, phantom_knee.LEG_DEPTH_MM, phantom_knee.MUSCLES)
    texture, density = trabeculae(field, rng), rng.uniform(0.5, 1.3)
    for bone in bones:
        add_bone(attenuation, field, varied(bone, rng, 0.7, grown), density, texture)
    if plates:
        for bone, y in ((phantom_knee.FEMUR, -28), (phantom_knee.TIBIA, 24), (phantom_knee.FIBULA, 32)):
            open_plate(attenuation, field, varied(bone, rng, 0.0, grown), (y + rng.normal(0, 4)) * grown, rng)
    signal = exposed(attenuation, field, size, KNEE_PHOTONS * rng.uniform(1 / PHOTONS_VARY, PHOTONS_VARY), rng)
    film = developed(signal, millimetres / size[0], dark=rng.uniform(0.1, 0.35), bright=rng.uniform(2.5, 3.3))
    return film if rng.random() < 0.5 else np.ascontiguousarray(film[:, ::-1])


def picture(rng: Random, millimetres: float) -> tuple[tuple[int, int], float]:
    """Height and width in pixels, and the height in millimetres."""
    height = int(rng.integers(420, 900))
    return (height, int(height * rng.uniform(0.65, 1.0))), millimetres


def varied(bone: Bone, rng: Random, millimetres: float, grown: float) -> Bone:
    """The bone with its corners moved by so much at random, and larger or smaller as a whole."""
    corners = grown * (np.asarray(bone.outline, float) + rng.normal(0, millimetres, (len(bone.outline), 2)))
    return replace(bone, outline=tuple((float(x), float(y)) for x, y in corners))


def open_plate(attenuation: Plane, field: Field, bone: Bone, y: float, rng: Random) -> None:
    """Take the mineral out of a thin, wavy band across a bone at height `y` in mm."""
    box, distance = depth_inside(field, bone.outline)
    rows = field.rows_mm()[box[0], np.newaxis]
    columns = np.linspace(-1, 1, distance.shape[1], dtype=np.float32)
    wave = y + rng.uniform(-2, 5) * (columns**2 - 0.3) + rng.normal(0, 0.8) * np.sin(7 * columns)
    half, left = rng.uniform(0.6, 2.0), rng.uniform(0.3, 0.7)
    band = np.exp(-(((rows - wave) / half) ** 2)) * (distance > 0)
    soft_part = cv2.GaussianBlur(np.asarray(attenuation[box], np.float32), (0, 0), 1.0)
    attenuation[box] -= np.asarray((1 - left) * band * soft_part * 0.6, np.float32)
