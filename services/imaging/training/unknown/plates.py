"""What lies on other plates: bags, metal, bottles, cells, gels, prints, relief."""

import cv2
import numpy as np

from services.imaging.training.unknown.brush import (
    Random,
    ball,
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
    stretched,
    write,
)
from shared.radiograph.prepare import GrayPixels


def cells(rng: Random) -> GrayPixels:
    """Cells under a microscope."""
    page = sheet(rng, rng.integers(150, 225))
    for x, y in rng.uniform(0, 1, (120, 2)) * page.shape[::-1]:
        half = rng.uniform(9, 26, 2)
        ellipse(page, (x, y), tuple(half), rng.integers(90, 150))
        ellipse(page, (x + 2, y), tuple(half * 0.4), rng.integers(20, 70))
    return grainy(soft(page, 1.5), rng, 5)


def vessels(rng: Random) -> GrayPixels:
    """An angiogram: branching dark vessels on gray."""
    page = clipped(150 + 14 * clouds(rng, shape(rng), 5, 3))
    ends = [(np.array([page.shape[1] * 0.3, 0.0]), 1.2, 12.0)]
    while ends:
        at, angle, thick = ends.pop()
        for _ in range(30):
            angle += rng.normal(0, 0.12)
            to = at + 7 * np.array([np.cos(angle), np.sin(angle)])
            curve(page, [at, to], 45, max(1, round(thick)))
            at = to
        if thick > 1.5:
            ends += [(at, angle + turn, thick * 0.68) for turn in (-0.5, 0.5)]
    return grainy(soft(page, 1.2), rng, 5)


def retina_layers(rng: Random) -> GrayPixels:
    """Optical coherence: bright wavy layers in speckle."""
    height, width = int(rng.integers(260, 420)), int(rng.integers(420, 640))
    y = np.arange(height)[:, None] / height
    wave = 0.4 + 0.05 * clouds(rng, (2, width), 4)[:1] - 0.12 * np.exp(-((np.linspace(-3, 3, width)) ** 2))[None, :]
    layers = sum(170 * np.exp(-(((y - wave - gap) / 0.018) ** 2)) for gap in (0, 0.1, 0.19, 0.25))
    tissue = 60 * ((y > wave) & (y < wave + 0.5))
    return clipped((layers + tissue + 14) * np.exp(0.3 * rng.standard_normal((height, width))))


def bright_tubes(rng: Random) -> GrayPixels:
    """Bright tubes on dark: what a child would draw for bones."""
    page = sheet(rng, rng.integers(0, 30))
    height, width = page.shape
    for x in np.sort(rng.uniform(0.1, 0.9, rng.integers(1, 5))) * width:
        curve(page, [(x, 0), (x + rng.normal(0, 40), height)], rng.integers(120, 230), int(rng.integers(14, 90)))
    return grainy(soft(page, rng.uniform(1, 6)), rng, 6)


def luggage(rng: Random) -> GrayPixels:
    """A bag in the scanner of an airport."""
    page = sheet(rng, 235)
    height, width = page.shape
    for _ in range(14):
        x, y = rng.uniform(0.05, 0.8, 2) * (width, height)
        layer = np.zeros_like(page)
        if rng.random() < 0.5:
            cv2.rectangle(
                layer, (int(x), int(y)), (int(x + rng.integers(30, 150)), int(y + rng.integers(20, 90))), 1, -1
            )
        else:
            ellipse(layer, (x, y), (rng.integers(10, 60), rng.integers(10, 60)), 1)
        page = clipped(page - rng.uniform(25, 90) * layer)
    return soft(page, 1.2)


def coins_and_keys(rng: Random) -> GrayPixels:
    """Metal on a plate: white discs, a key."""
    page = clipped(60 + 6 * clouds(rng, shape(rng), 6, 2))
    height, width = page.shape
    for _ in range(9):
        radius = rng.uniform(16, 40)
        ellipse(page, tuple(rng.uniform(0.1, 0.9, 2) * (width, height)), (radius, radius), rng.integers(220, 255))
    curve(page, np.array([(0.2, 0.5), (0.7, 0.6)]) * (width, height), 250, 10)
    ellipse(page, (0.2 * width, 0.5 * height), (26, 22), 250, 9)
    return grainy(soft(page, 1), rng, 4)


def bottles(rng: Random) -> GrayPixels:
    """Bottles side by side, lit through."""
    page = sheet(rng, rng.integers(5, 60))
    height, width = page.shape
    for x in np.linspace(0.2, 0.8, int(rng.integers(2, 5))) * width:
        shade = rng.integers(90, 190)
        neck, belly, top = 0.03 * width, 0.085 * width, rng.uniform(0.1, 0.25) * height
        sides = [(neck, top), (neck, top + 0.25 * height), (belly, top + 0.4 * height), (belly, 0.95 * height)]
        right, left = [(x + half, y) for half, y in sides], [(x - half, y) for half, y in reversed(sides)]
        filled(page, right + left, shade)
    return grainy(soft(page, 3), rng, 5)


def scintigram(rng: Random) -> GrayPixels:
    """A bone scan: few counts, a whole small body."""
    y, x = grid((640, 300))
    rate = (
        disc(y, x, (0, -1.6), (0.2, 0.25))
        + 0.7 * disc(y, x, (0, -0.8), (0.45, 0.6))
        + disc(y, x, (0, -0.6), (0.08, 0.9))
    )
    rate += disc(y, x, (0, 0.1), (0.4, 0.25)) + sum(0.8 * disc(y, x, (s * 0.25, 1.2), (0.1, 0.95)) for s in (-1, 1))
    dots = rng.poisson(rate * rng.uniform(1.5, 4))
    picture = soft(clipped(dots * 45), 1.2)
    return picture if rng.random() < 0.5 else np.asarray(255 - picture, np.uint8)


def gel(rng: Random) -> GrayPixels:
    """Bands in the lanes of an electrophoresis."""
    page = sheet(rng, rng.choice([20, 225]))
    height, width = page.shape
    for x in range(20, width - 40, 44):
        for y in rng.uniform(0.08, 0.95, rng.integers(2, 9)) * height:
            cv2.rectangle(page, (x, int(y)), (x + 32, int(y + rng.integers(3, 9))), float(255 - int(page[0, 0])), -1)
        write(page, str(x // 44 + 1), (x + 8, 14), 0.4, 128)
    return grainy(soft(page, 2.2), rng, 4)


def fingerprint(rng: Random) -> GrayPixels:
    """Ridges of a finger."""
    y, x = grid((480, 360))
    waves = np.sin(38 * np.hypot(x * 1.2, y * 0.8 + 0.2) + 1.3 * clouds(rng, x.shape, 4, 2))
    return clipped(235 - 190 * (waves > 0) * disc(y, x, (0, 0), (0.8, 1.15)) + rng.normal(0, 10, x.shape))


def planet(rng: Random) -> GrayPixels:
    """A globe with bands in black space."""
    y, x = grid(shape(rng))
    globe = ball(y, x, (0, 0), (0.8, 0.8))
    return grainy(globe * (130 + 50 * np.sin(14 * y + 0.5 * clouds(rng, x.shape, 6, 3))), rng, 3)


def relief(rng: Random) -> GrayPixels:
    """Hills seen from above, lit from the side."""
    heights = clouds(rng, shape(rng), 4, 6)
    return stretched(np.gradient(heights, axis=1) - np.gradient(heights, axis=0))
