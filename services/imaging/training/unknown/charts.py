"""Charts, codes and screens."""

import cv2
import numpy as np

from services.imaging.training.unknown.brush import (
    Random,
    box,
    curve,
    ellipse,
    filled,
    line_of,
    number,
    sheet,
    word,
    write,
)  # fmt: skip
from shared.radiograph.prepare import GrayPixels


def axes(rng: Random, paper: float, ink: float) -> GrayPixels:
    """An empty chart."""
    page = sheet(rng, paper)
    height, width = page.shape
    curve(page, [(40, 20), (40, height - 40), (width - 20, height - 40)], ink, 2)
    for x in range(60, width - 30, 60):
        write(page, number(rng), (x, height - 20), 0.35, ink)
    for y in range(30, height - 50, 50):
        write(page, number(rng), (2, y), 0.35, ink)
        curve(page, [(40, y), (width - 20, y)], (2 * paper + ink) / 3)
    return page


def shades(rng: Random) -> tuple[float, float]:
    """Paper and ink, one light and one dark."""
    light, dark = float(rng.integers(170, 250)), float(rng.integers(0, 60))
    return (light, dark) if rng.random() < 0.5 else (dark, light)


def line_chart(rng: Random) -> GrayPixels:
    """Some wandering lines."""
    paper, ink = shades(rng)
    page = axes(rng, paper, ink)
    height, width = page.shape
    for _ in range(rng.integers(1, 5)):
        x = np.arange(42, width - 20, 4)
        y = height / 2 + np.cumsum(rng.normal(0, 8, x.size))
        curve(page, np.column_stack([x, np.clip(y, 20, height - 42)]), (ink * 2 + paper) / 3, 2)
    return page


def bar_chart(rng: Random) -> GrayPixels:
    """Bars side by side."""
    paper, ink = shades(rng)
    page = axes(rng, paper, ink)
    height, width = page.shape
    wide = rng.integers(16, 60)
    for x in range(50, width - 60, int(wide) + 10):
        box(page, (x, rng.uniform(0.1, 0.8) * height), (x + wide, height - 41), rng.integers(60, 200))
    return page


def scatter_chart(rng: Random) -> GrayPixels:
    """A cloud of dots."""
    paper, ink = shades(rng)
    page = axes(rng, paper, ink)
    height, width = page.shape
    for x, y in rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 300):
        ellipse(page, (width * (0.5 + x / 7), height * (0.5 - y / 7)), (3, 3), (ink + paper) / 2)
    return page


def pie_chart(rng: Random) -> GrayPixels:
    """Sectors of a circle, and their legend."""
    page = sheet(rng, rng.choice([20, 120, 235]))
    height, width = page.shape
    ends = np.cumsum(rng.dirichlet(np.ones(6))) * 360
    centre, radius = (width // 3, height // 2), min(width, height) // 3
    for number_, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        shade = float(40 + 35 * number_)
        cv2.ellipse(page, centre, (radius, radius), 0, float(start), float(end), shade, -1)
        box(page, (width * 0.72, 40 + 30 * number_), (width * 0.76, 56 + 30 * number_), shade)
        write(page, word(rng), (width * 0.78, 54 + 30 * number_), 0.4, 128)
    return page


def heat_chart(rng: Random) -> GrayPixels:
    """A matrix of shaded cells with numbers."""
    count, cell = int(rng.integers(5, 14)), int(rng.integers(30, 56))
    page = np.full((count * cell + 60, count * cell + 60), 225, np.uint8)
    for row, column in np.ndindex(count, count):
        x, y, shade = 50 + column * cell, 10 + row * cell, rng.integers(10, 240)
        box(page, (x, y), (x + cell, y + cell), shade)
        write(page, number(rng)[:4], (x + 3, y + cell * 0.6), 0.35, 255 if shade < 128 else 0)
    return page


def box_chart(rng: Random) -> GrayPixels:
    """Boxes with whiskers."""
    paper, ink = shades(rng)
    page = axes(rng, paper, ink)
    height, width = page.shape
    for x in range(70, width - 50, 60):
        low, mid, high = np.sort(rng.uniform(0.2, 0.8, 3)) * height
        curve(page, [(x, low - 30), (x, high + 30)], ink)
        box(page, (x - 15, low), (x + 15, high), (paper + ink) / 2)
        curve(page, [(x - 15, mid), (x + 15, mid)], ink, 2)
    return page


def bar_code(rng: Random) -> GrayPixels:
    """A bar code and its number."""
    page = sheet(rng, 240)
    height, width = page.shape
    x = 0.12 * width
    while x < 0.88 * width:
        wide = rng.integers(1, 4) * 3
        box(page, (x, height * 0.2), (x + wide, height * 0.75), 10)
        x += wide + rng.integers(1, 4) * 3
    write(page, str(rng.integers(10**11, 10**12)), (0.25 * width, height * 0.85), 0.8, 20)
    return page


def qr_code(rng: Random) -> GrayPixels:
    """A square code of the usual kind."""
    count = int(rng.integers(21, 45))
    cells = rng.random((count, count)) < 0.5
    for row, column in ((0, 0), (0, count - 7), (count - 7, 0)):
        mark = np.zeros((7, 7), bool)
        mark[1:-1, 1:-1], mark[2:-2, 2:-2] = True, False
        cells[row : row + 7, column : column + 7] = mark
    code = np.kron(np.where(cells, 245, 10), np.ones((10, 10))).astype(np.uint8)
    return np.asarray(np.pad(code, int(rng.integers(10, 60)), constant_values=245), np.uint8)


def desktop(rng: Random) -> GrayPixels:
    """Windows over each other, with title bars and text."""
    page = sheet(rng, rng.integers(20, 140))
    height, width = page.shape
    for _ in range(rng.integers(2, 6)):
        x, y = rng.uniform(0, 0.5) * width, rng.uniform(0, 0.5) * height
        right, bottom = x + rng.uniform(0.3, 0.6) * width, y + rng.uniform(0.3, 0.6) * height
        shade = rng.choice([30, 235])
        box(page, (x, y), (right, bottom), shade)
        box(page, (x, y), (right, y + 20), 110)
        for row in np.arange(y + 40, bottom - 8, 18):
            write(page, line_of(rng, 3)[:30], (x + 8, row), 0.38, 255 - shade)
    box(page, (0, height - 24), (width, height), 60)
    return page


def terminal(rng: Random) -> GrayPixels:
    """Code on a dark screen, indented."""
    page = sheet(rng, rng.integers(8, 40))
    height, _ = page.shape
    for y in range(20, height - 8, 17):
        write(page, line_of(rng, rng.integers(1, 7)), (10 + 24 * rng.integers(0, 5), y), 0.4, rng.integers(110, 230))
    return page


def phone_chat(rng: Random) -> GrayPixels:
    """Bubbles of a conversation on a tall screen."""
    page = np.full((640, 320), rng.choice([15, 210]), np.uint8)
    for number_, y in enumerate(range(60, 600, 62)):
        left = 20 if number_ % 2 else 110
        box(page, (left, y), (left + 190, y + 44), rng.choice([90, 150]))
        write(page, line_of(rng, 3)[:22], (left + 8, y + 26), 0.4, 250)
    box(page, (0, 0), (320, 40), 60)
    return page


def maze(rng: Random) -> GrayPixels:
    """Walls of a maze."""
    count, cell = int(rng.integers(14, 30)), 16
    page = np.full((count * cell, count * cell), rng.choice([20, 230]), np.uint8)
    ink = 255 - int(page[0, 0])
    for row, column in np.ndindex(count, count):
        x, y = column * cell, row * cell
        curve(page, [(x, y), (x + cell, y)] if rng.random() < 0.5 else [(x, y), (x, y + cell)], ink, 2)
    return page


def street_map(rng: Random) -> GrayPixels:
    """Streets of a town, parks and names."""
    page = sheet(rng, rng.integers(200, 240))
    height, width = page.shape
    for _ in range(4):
        filled(page, rng.uniform(0, 1, (4, 2)) * (width, height), rng.integers(150, 200))
    for _ in range(26):
        x, y = rng.uniform(0, 1, 2) * (width, height)
        angle = rng.choice([0.2, 1.77]) + rng.normal(0, 0.05)
        way = np.array([np.cos(angle), np.sin(angle)]) * 900
        curve(page, np.array([(x, y), (x, y)]) + np.outer([-1, 1], way), 255, int(rng.integers(2, 9)))
    for _ in range(12):
        write(page, word(rng).title(), (rng.uniform(0, 0.8) * width, rng.uniform(0.05, 1) * height), 0.4, 70)
    return page
