"""Pages: text, tables, forms, reports, notes. Light ones are also met dark, as screens and inverted scans show them."""

import cv2
import numpy as np

from services.imaging.training.unknown.brush import (
    Random,
    box,
    clouds,
    curve,
    ellipse,
    filled,
    line_of,
    number,
    sheet,
    soft,
    word,
    write,
)  # fmt: skip
from shared.radiograph.prepare import GrayPixels


def text_page(rng: Random) -> GrayPixels:
    """Lines of text, dark on light gray."""
    page = sheet(rng, rng.integers(190, 246))
    height, width = page.shape
    step, scale = rng.integers(12, 22), rng.uniform(0.3, 0.5)
    for y in range(40, height - 20, step):
        if rng.random() > 0.12:
            write(page, line_of(rng, width // 60), (width * 0.06, y), scale, rng.integers(10, 80))
    return page


def text_on_dark(rng: Random) -> GrayPixels:
    """A page of text, light on dark."""
    return np.asarray(255 - text_page(rng), np.uint8)


def table_of_numbers(rng: Random) -> GrayPixels:
    """A ruled table of numbers."""
    page = sheet(rng, rng.integers(180, 246))
    height, width = page.shape
    high, wide, ink = rng.integers(18, 34), rng.integers(60, 110), rng.integers(0, 110)
    for y in range(20, height, high):
        curve(page, [(0, y), (width, y)], ink)
        for x in range(5, width, wide):
            write(page, number(rng), (x + 6, y + 0.7 * high), 0.38, ink)
    for x in range(5, width, wide):
        curve(page, [(x, 0), (x, height)], ink)
    return page


def form_with_boxes(rng: Random) -> GrayPixels:
    """A form to be filled in."""
    page = sheet(rng, rng.integers(190, 250))
    height, width = page.shape
    for y in range(40, height - 30, int(rng.integers(30, 46))):
        write(page, word(rng).title(), (20, y), 0.45, 40)
        left = width * rng.uniform(0.3, 0.5)
        box(page, (left, y - 15), (width - 20, y + 6), 90, 1)
        if rng.random() < 0.5:
            write(page, line_of(rng, 2), (left + 6, y), 0.4, 60)
    return page


def receipt(rng: Random) -> GrayPixels:
    """A narrow till receipt on a darker table."""
    page = sheet(rng, rng.integers(40, 130))
    height, width = page.shape
    left, right = width * 0.25, width * 0.75
    box(page, (left, 0), (right, height), 235)
    for y in range(30, height - 10, 18):
        write(page, word(rng), (left + 10, y), 0.4, 40)
        write(page, number(rng), (right - 60, y), 0.4, 40)
    return soft(page, 0.8)


def report(rng: Random, paper: int, ink: int) -> GrayPixels:
    """A densitometry report: a scan, its reference curve, the table of vertebrae."""
    page = sheet(rng, paper)
    height, width = page.shape
    write(page, line_of(rng, 3).upper(), (16, 24), 0.5, ink)
    x0, y0, x1, y1 = 0.08 * width, 0.1 * height, rng.uniform(0.45, 0.9) * width, rng.uniform(0.4, 0.55) * height
    box(page, (x0, y0), (x1, y1), ink, 1)
    for level in range(rng.integers(3, 8)):
        start = y0 + (level + 1) * (y1 - y0) / 9
        curve(page, [(x0, start), (x1, start + rng.uniform(0, 0.2) * (y1 - y0))], (paper + ink) / 2)
    for row in range(rng.integers(4, 9)):
        line = f"L{row + 1}  BMD {rng.uniform(0.5, 1.3):.3f}  T {number(rng)}  Z {number(rng)}"
        write(page, line, (x0, y1 + 26 + row * rng.integers(18, 26)), 0.45, ink)
    return page


def dxa_report_light(rng: Random) -> GrayPixels:
    """A densitometry report, dark on gray paper."""
    return report(rng, int(rng.integers(150, 240)), int(rng.integers(0, 60)))


def dxa_report_dark(rng: Random) -> GrayPixels:
    """A densitometry report as a dark screen shows it."""
    return report(rng, int(rng.integers(4, 50)), int(rng.integers(150, 255)))


def ecg_strip(rng: Random) -> GrayPixels:
    """Heart beats on ruled paper."""
    page = sheet(rng, rng.integers(190, 240))
    height, width = page.shape
    for x in range(0, max(height, width), 8):
        shade = 150 if x % 40 == 0 else 190
        curve(page, [(x, 0), (x, height)], shade)
        curve(page, [(0, x), (width, x)], shade)
    beat = np.interp(np.arange(60), [0, 12, 16, 20, 24, 26, 29, 32, 40, 48, 60], [0, 0, 5, 0, 0, -6, 45, -12, 0, 9, 0])
    for y in range(60, height, 90):
        line = np.tile(beat, width // 60 + 1)[:width] * rng.uniform(0.5, 1.1)
        curve(page, np.column_stack([np.arange(width), y - line]), 20)
    return page


def handwriting(rng: Random) -> GrayPixels:
    """Loops of a pen on paper."""
    page = sheet(rng, rng.integers(170, 245))
    height, width = page.shape
    turns = np.linspace(0, 1, 700)
    for y in range(50, height - 20, int(rng.integers(34, 50))):
        phase = np.cumsum(rng.uniform(0.2, 0.6, turns.size))
        tall = 9 * (0.5 + np.abs(np.interp(turns, np.linspace(0, 1, 40), rng.normal(0, 1, 40))))
        x = 20 + turns * (width - 60) + 6 * np.cos(phase)
        curve(page, np.column_stack([x, y + tall * np.sin(phase)]), 30, int(rng.integers(1, 3)))
    return page


def sheet_music(rng: Random) -> GrayPixels:
    """Staves with notes."""
    page = sheet(rng, rng.integers(200, 250))
    height, width = page.shape
    for top in range(40, height - 50, 80):
        for line in range(5):
            curve(page, [(20, top + 8 * line), (width - 20, top + 8 * line)], 60)
        for x in range(40, width - 30, int(rng.integers(20, 40))):
            y = top + 4 * int(rng.integers(0, 9))
            ellipse(page, (x, y), (5, 4), 20)
            curve(page, [(x + 5, y), (x + 5, y - 26)], 20, 1)
    return page


def crossword(rng: Random) -> GrayPixels:
    """A square of cells, some black, some lettered."""
    count, cell = int(rng.integers(9, 16)), int(rng.integers(24, 40))
    page = np.full((count * cell + 40, count * cell + 40), 235, np.uint8)
    for row, column in np.ndindex(count, count):
        x, y = 20 + column * cell, 20 + row * cell
        box(page, (x, y), (x + cell, y + cell), 15 if rng.random() < 0.25 else 220)
        box(page, (x, y), (x + cell, y + cell), 40, 1)
        if rng.random() < 0.4:
            write(page, word(rng)[0].upper(), (x + cell / 4, y + 0.7 * cell), 0.5, 30)
    return page


def calendar(rng: Random) -> GrayPixels:
    """A month."""
    page = sheet(rng, rng.integers(60, 235))
    height, width = page.shape
    ink = 245 if page[0, 0] < 140 else 20
    write(page, word(rng).title(), (width / 3, 40), 0.9, ink)
    for day in range(31):
        x, y = 12 + day % 7 * (width - 24) / 7, 70 + day // 7 * (height - 80) / 5
        box(page, (x, y), (x + (width - 24) / 7 - 4, y + (height - 80) / 5 - 4), ink, 1)
        write(page, str(day + 1), (x + 6, y + 20), 0.5, ink)
    return page


def crumpled_letter(rng: Random) -> GrayPixels:
    """A letter photographed askew in bad light."""
    page = text_page(rng)
    height, width = page.shape
    shade = 1 + 0.12 * clouds(rng, page.shape, 4, 3)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = (corners + rng.uniform(-0.09, 0.09, (4, 2)) * width).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    turned = cv2.warpPerspective(page, matrix, (width, height), borderValue=70)
    return np.asarray(np.clip(turned * shade * 0.8, 0, 255), np.uint8)


def comic(rng: Random) -> GrayPixels:
    """Panels with figures and speech bubbles."""
    page = sheet(rng, 240)
    height, width = page.shape
    for row, column in np.ndindex(2, 2):
        x, y = 10 + column * width / 2, 10 + row * height / 2
        box(page, (x, y), (x + width / 2 - 20, y + height / 2 - 20), rng.integers(90, 220))
        box(page, (x, y), (x + width / 2 - 20, y + height / 2 - 20), 0, 2)
        ellipse(page, (x + width / 6, y + height / 5), (22, 26), 250)
        filled(
            page, [(x + width / 6, y + height / 4), (x + width / 4, y + height / 2.2), (x + 20, y + height / 2.2)], 60
        )
        ellipse(page, (x + width / 3, y + 34), (56, 20), 255)
        write(page, word(rng), (x + width / 3 - 36, y + 38), 0.4, 0)
    return page
