"""Things that people make, as a camera or a scanner would show them."""

import numpy as np

from services.imaging.training.unknown.brush import (
    Random,
    box,
    clipped,
    clouds,
    curve,
    ellipse,
    filled,
    grainy,
    shape,
    sheet,
    soft,
    word,
    write,
)
from shared.radiograph.prepare import GrayPixels


def keyboard(rng: Random) -> GrayPixels:
    """Rows of keys."""
    page = sheet(rng, rng.integers(10, 60))
    size, ink = int(rng.integers(30, 48)), rng.choice([80, 220])
    for row, y in enumerate(range(20, page.shape[0] - size, size + 6)):
        for x in range(10 + 12 * (row % 3), page.shape[1] - size, size + 6):
            box(page, (x, y), (x + size, y + size), ink)
            write(page, word(rng)[0].upper(), (x + 8, y + size * 0.6), 0.5, 255 - ink)
    return page


def clock(rng: Random) -> GrayPixels:
    """A clock's face."""
    page = sheet(rng, rng.integers(60, 200))
    height, width = page.shape
    radius, middle = min(height, width) * 0.42, np.array([width / 2, height / 2])
    ellipse(page, (width / 2, height / 2), (radius, radius), 235)
    ellipse(page, (width / 2, height / 2), (radius, radius), 20, 6)
    for hour in range(1, 13):
        way = np.array([np.sin(hour * np.pi / 6), -np.cos(hour * np.pi / 6)])
        write(page, str(hour), tuple(middle + 0.82 * radius * way - (8, -6)), 0.7, 10)
    for angle, length in zip(rng.uniform(0, 6.28, 2), (0.5, 0.7), strict=True):
        curve(page, [middle, middle + length * radius * np.array([np.sin(angle), -np.cos(angle)])], 15, 5)
    return page


def car(rng: Random) -> GrayPixels:
    """A car on a road."""
    page = sheet(rng, rng.integers(140, 220))
    height, width = page.shape
    box(page, (0, 0.7 * height), (width, height), 80)
    body = rng.integers(30, 200)
    filled(page, np.array([(.08, .7), (.1, .5), (.3, .48), (.4, .33), (.65, .33), (.75, .48), (.92, .52), (.93, .7)])
           * (width, height), body)  # fmt: skip
    filled(page, np.array([(0.36, 0.48), (0.43, 0.37), (0.62, 0.37), (0.68, 0.48)]) * (width, height), 230)
    for x in (0.25, 0.76):
        ellipse(page, (x * width, 0.7 * height), (0.07 * width, 0.07 * width), 15)
        ellipse(page, (x * width, 0.7 * height), (0.035 * width, 0.035 * width), 170)
    return grainy(soft(page, 1.2), rng, 6)


def logo(rng: Random) -> GrayPixels:
    """A mark of simple shapes with a name."""
    page = sheet(rng, rng.choice([10, 245]))
    height, width = page.shape
    ink = 255 - int(page[0, 0])
    ellipse(page, (width / 2, 0.4 * height), (0.25 * width, 0.25 * height), ink)
    filled(page, rng.uniform(0.3, 0.6, (4, 2)) * (width, height), 128)
    write(page, word(rng).upper()[:7], (0.2 * width, 0.85 * height), 1.6, ink)
    return page


def building_plan(rng: Random) -> GrayPixels:
    """An engineering drawing: thin lines, arcs, dimensions."""
    page = sheet(rng, rng.choice([25, 240]))
    height, width = page.shape
    ink = 255 - int(page[0, 0])
    for _ in range(12):
        x, y = rng.uniform(0.05, 0.7) * width, rng.uniform(0.05, 0.7) * height
        box(page, (x, y), (x + rng.uniform(30, 180), y + rng.uniform(30, 180)), ink, int(rng.integers(1, 3)))
        ellipse(page, (x, y), (24, 24), ink, 1)
        write(page, str(rng.integers(10, 999)), (x + 10, y - 5), 0.4, ink)
    return page


def circuit_board(rng: Random) -> GrayPixels:
    """Tracks, pads and chips."""
    page = sheet(rng, rng.integers(50, 100))
    height, width = page.shape
    for _ in range(90):
        x, y = rng.uniform(0, 1, 2) * (width, height)
        turn, go = rng.integers(-60, 60), rng.integers(-120, 120)
        curve(page, [(x, y), (x + go, y), (x + go + turn, y + abs(turn))], 170, 2)
        ellipse(page, (x, y), (4, 4), 220)
    for _ in range(6):
        x, y = rng.uniform(0, 0.8, 2) * (width, height)
        box(page, (x, y), (x + 70, y + 40), 20)
        write(page, word(rng)[:6].upper(), (x + 6, y + 24), 0.4, 200)
    return page


def tools(rng: Random) -> GrayPixels:
    """A spanner and a hammer on a bench."""
    page = clipped(150 + 10 * clouds(rng, shape(rng), 30, 3))
    height, width = page.shape
    for _ in range(3):
        x, y = rng.uniform(0.2, 0.8, 2) * (width, height)
        angle = rng.uniform(0, np.pi)
        way = np.array([np.cos(angle), np.sin(angle)]) * 0.35 * min(height, width)
        curve(page, np.array([(x, y), (x, y)]) + np.outer([-1, 1], way), 40, 14)
        ellipse(page, (x + way[0], y + way[1]), (26, 26), 50)
        ellipse(page, (x + way[0], y + way[1]), (10, 10), 160)
    return grainy(soft(page, 1), rng, 5)
