"""Medical pictures of other kinds, and things that an X-ray machine might show, drawn from simple shapes."""

import numpy as np

from services.imaging.training.unknown.brush import (
    Random,
    clipped,
    clouds,
    curve,
    disc,
    ellipse,
    filled,
    grainy,
    grid,
    shape,
    sheet,
    soft,
)
from shared.radiograph.prepare import GrayPixels


def ultrasound_fan(rng: Random) -> GrayPixels:
    """Speckle in a fan on black."""
    y, x = grid(shape(rng))
    away, angle = np.hypot(x, y + 1.05), np.arctan2(x, y + 1.05)
    speckle = 70 * np.exp(0.5 * clouds(rng, x.shape, 90)) * (1 + 0.4 * clouds(rng, x.shape, 5, 2)) * np.exp(-0.3 * away)
    speckle *= 1 - disc(y, x, (rng.uniform(-0.3, 0.3), 0.1), (0.3, 0.2))
    return clipped(np.where((away > 0.3) & (away < 1.95) & (np.abs(angle) < 0.6), speckle, 4))


def ct_body(rng: Random) -> GrayPixels:
    """An axial slice of the abdomen: wall, liver, vertebra, table."""
    y, x = grid(shape(rng))
    body = 90 * disc(y, x, (0, 0), (0.92, 0.66)) + 30 * disc(y, x, (0, 0), (0.82, 0.56))
    body += 25 * disc(y, x, (-0.35, -0.05), (0.4, 0.35)) - 20 * disc(y, x, (0.3, -0.2), (0.25, 0.18))
    body += 110 * disc(y, x, (0, 0.33), (0.16, 0.13)) + 60 * disc(y, x, (0.42, 0.1), (0.13, 0.1))
    for angle in np.linspace(0.3, 2.8, 8):
        body += 110 * disc(y, x, (0.84 * np.cos(angle), 0.58 * np.sin(angle)), (0.06, 0.025))
    return grainy(body + 5 * clouds(rng, x.shape, 40), rng, 7)


def ct_chest(rng: Random) -> GrayPixels:
    """An axial slice of the chest: dark lungs with vessels, heart, vertebra."""
    y, x = grid(shape(rng))
    body = 120 * disc(y, x, (0, 0), (0.95, 0.68))
    for sign in (-1, 1):
        body -= 105 * disc(y, x, (sign * 0.45, 0), (0.36, 0.5))
        for _ in range(30):
            at = (sign * 0.45 + rng.normal(0, 0.14), rng.normal(0, 0.2))
            body += 70 * disc(y, x, at, (0.015, 0.015))
    body += 20 * disc(y, x, (0.1, -0.15), (0.28, 0.24)) + 110 * disc(y, x, (0, 0.45), (0.14, 0.12))
    return grainy(body, rng, 6)


def mr_knee_slice(rng: Random) -> GrayPixels:
    """A sagittal slice of a knee as MR shows it: bright marrow between dark cortices, gray muscle."""
    y, x = grid(shape(rng))
    leg = 70 * disc(y, x, (0, 0), (0.75, 1.6)) + 10 * clouds(rng, x.shape, 12, 3)
    for at, half in (((0.05, -0.75), (0.28, 0.8)), ((0.08, 0.85), (0.34, 0.75)), ((-0.5, -0.1), (0.12, 0.25))):
        leg += -60 * disc(y, x, at, (half[0] + 0.05, half[1] + 0.05)) + 150 * disc(y, x, at, half)
    return grainy(np.clip(leg, 0, 235), rng, 9)


def mr_head_axial(rng: Random) -> GrayPixels:
    """An axial slice of a head: bright rim, folded cortex, dark ventricles."""
    y, x = grid(shape(rng))
    head = 170 * disc(y, x, (0, 0), (0.72, 0.88)) - 120 * disc(y, x, (0, 0), (0.67, 0.83))
    folds = 50 + 28 * np.sign(clouds(rng, x.shape, 26, 2)) * (np.hypot(x / 0.62, y / 0.78) > 0.65)
    head += (60 + folds) * disc(y, x, (0, 0), (0.62, 0.78))
    for sign in (-1, 1):
        head -= 120 * disc(y, x, (sign * 0.13, 0), (0.07, 0.3))
    return grainy(head, rng, 6)


def mammogram(rng: Random) -> GrayPixels:
    """A breast from the side: a half disc at the edge of a black film."""
    y, x = grid(shape(rng))
    left = float(x.min())
    breast = disc(y, x, (left, 0), (rng.uniform(0.9, 1.4), rng.uniform(0.7, 0.95)))
    return grainy(
        breast * (95 + 28 * clouds(rng, x.shape, 8, 4) + 60 * disc(y, x, (left + 0.4, 0), (0.4, 0.3))), rng, 3
    )


def hand(rng: Random) -> GrayPixels:
    """Finger bones in a row of soft fingers."""
    page = sheet(rng, 8)
    height, width = page.shape
    ellipse(page, (width / 2, 0.72 * height), (0.26 * width, 0.24 * height), 75)
    palm = np.array([width / 2, 0.8 * height])
    for angle in np.linspace(-2.35, -0.95, 5):
        way = np.array([np.cos(angle), np.sin(angle)]) * height * rng.uniform(0.62, 0.72)
        curve(page, [palm, palm + way], 75, int(0.09 * width))
        for start, end in ((0.15, 0.45), (0.5, 0.68), (0.72, 0.86), (0.89, 0.97)):
            curve(page, [palm + start * way, palm + end * way], 185, int(0.035 * width))
            ellipse(page, tuple(palm + end * way), (0.025 * width, 0.02 * width), 205)
    return grainy(soft(page, 2.5), rng, 5)


def foot_lateral(rng: Random) -> GrayPixels:
    """A foot from the side: heel, ankle and forefoot."""
    page = sheet(rng, 10)
    height, width = page.shape
    filled(page, np.array([(.1, .75), (.15, .5), (.3, .4), (.3, .0), (.55, .0), (.57, .4), (.95, .68), (.95, .8)])
           * (width, height), 80)  # fmt: skip
    for at, half in (
        ((0.22, 0.66), (0.11, 0.1)),
        ((0.4, 0.5), (0.1, 0.07)),
        ((0.43, 0.2), (0.06, 0.22)),
        ((0.58, 0.62), (0.07, 0.06)),
    ):
        ellipse(page, (at[0] * width, at[1] * height), (half[0] * width, half[1] * height), rng.integers(160, 210))
    curve(page, np.array([(0.64, 0.65), (0.82, 0.72), (0.93, 0.75)]) * (width, height), 180, 16)
    return grainy(soft(page, 3), rng, 5)


def skull_lateral(rng: Random) -> GrayPixels:
    """A skull from the side: vault, face, jaw, neck."""
    y, x = grid(shape(rng))
    skull = 150 * disc(y, x, (0.05, -0.2), (0.75, 0.62)) - 70 * disc(y, x, (0.05, -0.2), (0.7, 0.57))
    skull += 80 * disc(y, x, (-0.5, 0.25), (0.25, 0.3)) - 60 * disc(y, x, (-0.5, 0.05), (0.12, 0.1))
    skull += 90 * disc(y, x, (-0.4, 0.62), (0.32, 0.09)) + 60 * disc(y, x, (0.2, 0.75), (0.14, 0.4))
    return grainy(skull + 8 * clouds(rng, x.shape, 12, 3) + 12, rng, 5)


def dental_panoramic(rng: Random) -> GrayPixels:
    """A row of teeth along the curve of a jaw."""
    height, width = int(rng.integers(240, 330)), int(rng.integers(480, 640))
    y, x = grid((height, width))
    page = clipped(70 + 45 * disc(y, x, (0, 0.2), (1.7, 0.7)) + 8 * clouds(rng, x.shape, 10, 3))
    for place in np.linspace(-0.8, 0.8, 15):
        middle = (width / 2 + place * width / 2, height * (0.52 - 0.12 * place**2))
        for sign in (-1, 1):
            ellipse(page, (middle[0], middle[1] + sign * 30), (11, 34), rng.integers(170, 225))
            ellipse(page, (middle[0], middle[1] + sign * 26), (3, 24), 130)
    return grainy(soft(page, 1.5), rng, 4)


def tooth_film(rng: Random) -> GrayPixels:
    """A few teeth close up."""
    page = sheet(rng, 60)
    height, width = page.shape
    for x in np.linspace(0.15, 0.85, 4) * width:
        filled(page, [(x - 50, 20), (x + 50, 20), (x + 34, height * 0.4), (x + 12, height * 0.9),
                      (x - 12, height * 0.9), (x - 34, height * 0.4)], rng.integers(150, 200))  # fmt: skip
        ellipse(page, (x, height * 0.16), (44, 30), 235)
        curve(page, [(x, height * 0.2), (x, height * 0.85)], 90, 8)
    return grainy(soft(page, 4), rng, 6)


def fundus_gray(rng: Random) -> GrayPixels:
    """The back of an eye: a disc, vessels, the optic disc."""
    y, x = grid(shape(rng))
    page = clipped(disc(y, x, (0, 0), (0.93, 0.93)) * (115 - 35 * (x**2 + y**2) + 6 * clouds(rng, x.shape, 10, 3)))
    height, width = page.shape
    at = np.array([width / 2 + 0.4 * min(height, width) / 2, height / 2])
    for angle in rng.uniform(0, 2 * np.pi, 11):
        way = np.cumsum(np.column_stack([np.cos(a := angle + np.cumsum(rng.normal(0, 0.07, 40))), np.sin(a)]), axis=0)
        curve(page, at + 0.013 * min(height, width) * way, 55, int(rng.integers(1, 5)))
    ellipse(page, tuple(at), (0.06 * width, 0.07 * width), 220)
    masked = np.where(np.hypot(x, y) < 0.95, soft(page, 1.3), 3)
    return grainy(masked, rng, 2)
