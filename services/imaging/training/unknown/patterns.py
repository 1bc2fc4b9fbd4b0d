"""Patterns that repeat, and gradients."""

import numpy as np

from services.imaging.training.unknown.brush import (
    Random,
    clouds,
    ellipse,
    filled,
    grainy,
    grid,
    shape,
    sheet,
    stretched,
)  # fmt: skip
from shared.radiograph.prepare import GrayPixels


def chessboard(rng: Random) -> GrayPixels:
    """Squares of two shades."""
    size, cell = shape(rng), rng.integers(8, 70)
    y, x = np.mgrid[: size[0], : size[1]] // cell
    dark, light = rng.integers(0, 70), rng.integers(150, 256)
    return np.where((x + y) % 2, light, dark).astype(np.uint8)


def grating(rng: Random) -> GrayPixels:
    """Parallel waves."""
    y, x = grid(shape(rng))
    angle, waves = rng.uniform(0, np.pi), rng.uniform(3, 60)
    return stretched(np.sin(waves * (x * np.cos(angle) + y * np.sin(angle))))


def rings(rng: Random) -> GrayPixels:
    """Rings about a point."""
    y, x = grid(shape(rng))
    return stretched(np.cos(rng.uniform(6, 50) * np.hypot(x - rng.uniform(-1, 1), y - rng.uniform(-1, 1))))


def ramp(rng: Random) -> GrayPixels:
    """A gradient from dark to light."""
    y, x = grid(shape(rng))
    angle = rng.uniform(0, 2 * np.pi)
    return grainy(stretched(x * np.cos(angle) + y * np.sin(angle)), rng, rng.uniform(0, 4))


def halo(rng: Random) -> GrayPixels:
    """A gradient about a point."""
    y, x = grid(shape(rng))
    away = np.hypot(x - rng.uniform(-0.6, 0.6), y - rng.uniform(-0.6, 0.6)) ** rng.uniform(0.5, 2)
    return grainy(stretched(-away if rng.random() < 0.7 else away), rng, rng.uniform(0, 4))


def vignette(rng: Random) -> GrayPixels:
    """An empty bright plate whose corners are darker."""
    y, x = grid(shape(rng))
    plate = 200 - rng.uniform(30, 90) * (x**2 + y**2) + 5 * clouds(rng, x.shape, 5, 2)
    return grainy(np.clip(plate, 0, 255), rng, 5)


def bricks(rng: Random) -> GrayPixels:
    """A wall."""
    size = shape(rng)
    high, wide = rng.integers(18, 40), rng.integers(44, 90)
    row = np.arange(size[0])[:, None] // high
    column = np.arange(size[1])[None, :] + row % 2 * wide // 2
    mortar = (np.arange(size[0])[:, None] % high < 3) | (column % wide < 3)
    tone = rng.integers(70, 150, (200, 200))[row % 200, column // wide % 200]
    return grainy(np.where(mortar, 190, tone), rng, 12)


def halftone(rng: Random) -> GrayPixels:
    """Dots whose size follows a smooth shade."""
    size, step = shape(rng), rng.uniform(5, 12)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    dots = np.cos(2 * np.pi * (x + y) / step / 1.4) + np.cos(2 * np.pi * (x - y) / step / 1.4)
    return np.where(dots > 1.5 * clouds(rng, size, 4), 235, 20).astype(np.uint8)


def hexagons(rng: Random) -> GrayPixels:
    """A honeycomb."""
    page = sheet(rng, rng.integers(0, 90))
    side = float(rng.integers(12, 44))
    corners = side * np.column_stack([np.cos(np.arange(6) * np.pi / 3), np.sin(np.arange(6) * np.pi / 3)])
    for column in range(int(page.shape[1] / side / 1.5) + 2):
        for row in range(int(page.shape[0] / side / 1.7) + 2):
            middle = np.array([column * 1.5 * side, (row + column % 2 / 2) * side * 1.732])
            filled(page, middle + 0.93 * corners, rng.integers(110, 230))
    return page


def triangles(rng: Random) -> GrayPixels:
    """Triangles of many shades."""
    page = sheet(rng, 128)
    cell = int(rng.integers(24, 70))
    for y in range(0, page.shape[0], cell):
        for x in range(0, page.shape[1], cell):
            filled(page, [(x, y), (x + cell, y), (x, y + cell)], rng.integers(0, 255))
            filled(page, [(x + cell, y), (x + cell, y + cell), (x, y + cell)], rng.integers(0, 255))
    return page


def polka_dots(rng: Random) -> GrayPixels:
    """Dots in rows."""
    page = sheet(rng, rng.integers(0, 100))
    step, ink = int(rng.integers(20, 60)), rng.integers(160, 255)
    for row, y in enumerate(range(0, page.shape[0], step)):
        for x in range(row % 2 * step // 2, page.shape[1], step):
            ellipse(page, (x, y), (step * 0.3, step * 0.3), ink)
    return page


def herringbone(rng: Random) -> GrayPixels:
    """Zigzag bands."""
    size, cell = shape(rng), int(rng.integers(16, 50))
    y, x = np.mgrid[: size[0], : size[1]]
    zigzag = y + np.abs(x % (2 * cell) - cell)
    return grainy(np.where(zigzag // (cell // 2) % 2, rng.integers(120, 230), rng.integers(10, 90)), rng, 6)


def spiral(rng: Random) -> GrayPixels:
    """Arms of a spiral."""
    y, x = grid(shape(rng))
    return stretched(np.sin(rng.integers(1, 9) * np.arctan2(y, x) + rng.uniform(5, 30) * np.hypot(x, y)))
