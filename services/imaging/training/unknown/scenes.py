"""Faces, landscapes, materials and things, in gray, as a camera would show them."""

import cv2
import numpy as np

from services.imaging.training.unknown.brush import (
    Random,
    ball,
    box,
    clouds,
    curve,
    ellipse,
    filled,
    grainy,
    grid,
    shape,
    sheet,
    soft,
    stretched,
)
from shared.radiograph.prepare import GrayPixels


def face(rng: Random) -> GrayPixels:
    """A face from the front, drawn in few shades."""
    page = sheet(rng, rng.integers(30, 220))
    height, width = page.shape
    side, middle = min(height, width), (width / 2, height / 2)
    skin = rng.integers(110, 230)
    ellipse(page, (middle[0], middle[1] - 0.06 * side), (0.33 * side, 0.42 * side), rng.integers(0, 90))
    ellipse(page, middle, (0.27 * side, 0.38 * side), skin)
    for sign in (-1, 1):
        ellipse(page, (middle[0] + sign * 0.11 * side, middle[1] - 0.07 * side), (0.05 * side, 0.025 * side), 245)
        ellipse(page, (middle[0] + sign * 0.11 * side, middle[1] - 0.07 * side), (0.02 * side, 0.022 * side), 20)
    curve(
        page, [(middle[0], middle[1] - 0.05 * side), (middle[0] - 12, middle[1] + 0.08 * side), middle], skin * 0.6, 2
    )
    ellipse(page, (middle[0], middle[1] + 0.2 * side), (0.1 * side, 0.025 * side), skin * 0.5)
    return grainy(soft(page, 2), rng, 4)


def portrait(rng: Random) -> GrayPixels:
    """Head and shoulders as smooth solids, lit from one side."""
    y, x = grid(shape(rng))
    bodies = [((0, -0.15), (0.42, 0.55)), ((0, 1.1), (1.0, 0.7)), ((0, 0.45), (0.2, 0.4))]
    depth = np.max([ball(y, x, at, half) for at, half in bodies], axis=0)
    light = np.gradient(cv2.GaussianBlur(depth, (0, 0), 5), axis=1) * rng.choice([-1, 1])
    head = 110 + 60 * depth + 900 * light
    for at, half, dark in (
        ((-0.16, -0.2), (0.1, 0.05), 90),
        ((0.16, -0.2), (0.1, 0.05), 90),
        ((0, 0.12), (0.15, 0.04), 60),
    ):
        head -= dark * ball(y, x, at, half)
    head -= 80 * ball(y, x, (0, -0.55), (0.45, 0.3))
    return grainy(np.where(depth > 0, head, rng.integers(20, 200) + 20 * x), rng, 5)


def silhouette(rng: Random) -> GrayPixels:
    """The outline of a head from the side, dark on light or light on dark."""
    page = sheet(rng, rng.integers(150, 240))
    height, width = page.shape
    outline = [(.3, 1), (.32, .8), (.2, .7), (.2, .2), (.4, .06), (.65, .1), (.72, .3), (.7, .38), (.8, .52),
               (.72, .56), (.74, .64), (.7, .74), (.58, .78), (.58, .85), (.8, 1)]  # fmt: skip
    filled(page, np.array(outline) * (width, height) + rng.normal(0, 3, (15, 2)), rng.integers(0, 60))
    page = soft(page, 2)
    return page if rng.random() < 0.6 else np.asarray(255 - page, np.uint8)


def landscape(rng: Random) -> GrayPixels:
    """Ranges of hills, paler the farther."""
    size = shape(rng)
    page = stretched(np.linspace(230, 170, size[0])[:, None] + np.zeros(size) + 6 * clouds(rng, size, 5, 4), 150, 240)
    for layer in range(5):
        x = np.linspace(0, 1, 200)
        ridge = (
            0.35 + 0.13 * layer + 0.08 * np.interp(x, np.linspace(0, 1, 9 + 4 * layer), rng.normal(0, 1, 9 + 4 * layer))
        )
        outline = np.column_stack([x * size[1], ridge * size[0]])
        filled(page, [*outline, (size[1], size[0]), (0, size[0])], 170 - 33 * layer)
    return grainy(page, rng, 6)


def sea(rng: Random) -> GrayPixels:
    """Water to the horizon, with the sun."""
    y, x = grid(shape(rng))
    waves = 100 + 40 * np.sin(60 / (np.abs(y) + 0.08) + 3 * clouds(rng, x.shape, 12, 3))
    sky = 190 + 12 * clouds(rng, x.shape, 4, 4) + 60 * ball(y, x, (rng.uniform(-0.5, 0.5), -0.4), (0.15, 0.15))
    return grainy(np.where(y > 0, waves, sky), rng, 5)


def skyline(rng: Random) -> GrayPixels:
    """Houses with lit windows."""
    page = sheet(rng, rng.integers(20, 200))
    height, width = page.shape
    x = 0
    while x < width:
        wide, top = rng.integers(30, 90), rng.uniform(0.2, 0.7) * height
        box(page, (x, top), (x + wide, height), rng.integers(10, 110))
        for row in np.arange(top + 8, height, 16):
            for column in np.arange(x + 5, x + wide - 8, 13):
                if rng.random() < 0.5:
                    box(page, (column, row), (column + 6, row + 8), 220)
        x += int(wide)
    return page


def stars(rng: Random) -> GrayPixels:
    """A night sky."""
    page = sheet(rng, 6)
    for x, y in rng.uniform(0, 1, (400, 2)) * page.shape[::-1]:
        size = rng.exponential(0.8)
        ellipse(page, (x, y), (size, size), rng.integers(90, 255))
    return grainy(page + np.clip(15 * clouds(rng, page.shape, 4, 4), 0, 60), rng, 4)


def tree(rng: Random) -> GrayPixels:
    """Bare branches against the sky."""
    page = sheet(rng, rng.integers(150, 230))
    height, width = page.shape
    ends = [(width / 2, float(height), -np.pi / 2, height * 0.26, 16.0)]
    while ends:
        x, y, angle, length, thick = ends.pop()
        to = x + np.cos(angle) * length, y + np.sin(angle) * length
        curve(page, [(x, y), to], 30, max(1, round(thick)))
        if length > 9:
            ends += [
                (*to, angle + turn, length * rng.uniform(0.65, 0.8), thick * 0.65) for turn in rng.uniform(-0.7, 0.7, 2)
            ]
    return page if rng.random() < 0.6 else np.asarray(255 - page, np.uint8)


def leaves(rng: Random) -> GrayPixels:
    """Leaves over each other."""
    page = sheet(rng, 40)
    for _ in range(160):
        x, y = rng.uniform(0, 1, 2) * page.shape[::-1]
        cv2.ellipse(
            page, (int(x), int(y)), (40, 14), float(rng.uniform(0, 180)), 0, 360, float(rng.integers(60, 200)), -1
        )
    return grainy(soft(page, 1), rng, 5)


def wood(rng: Random) -> GrayPixels:
    """Planks with their grain."""
    size = shape(rng)
    x = np.linspace(0, 1, size[1])[None, :] * rng.uniform(10, 30) + 0.6 * clouds(rng, size, 3)
    return grainy(stretched(np.sin(2 * np.pi * x) + 0.6 * np.sin(7.3 * x), 70, 190), rng, 8)


def marble(rng: Random) -> GrayPixels:
    """Veins in stone."""
    size = shape(rng)
    return stretched(np.abs(clouds(rng, size, 4, 5)) ** 0.5, 60, 240)


def weave(rng: Random) -> GrayPixels:
    """Threads over and under."""
    size, step = shape(rng), rng.uniform(5, 16)
    y, x = np.mgrid[: size[0], : size[1]] / step
    over = (np.floor(x) + np.floor(y)) % 2 == 0
    thread = np.where(over, np.sin(np.pi * (x % 1)), np.sin(np.pi * (y % 1)) * 0.7)
    return grainy(60 + 130 * thread + 10 * clouds(rng, size, 6, 2), rng, 8)


def leather(rng: Random) -> GrayPixels:
    """Cells of many sizes with dark seams."""
    size = shape(rng)
    seeds = rng.uniform(0, 1, (250, 2)) * size
    y, x = np.mgrid[: size[0], : size[1]]
    near = np.full((2, *size), 1e9, np.float32)
    for row, column in seeds:
        away = np.hypot(y - row, x - column).astype(np.float32)
        near[1] = np.minimum(near[1], np.maximum(near[0], away))
        near[0] = np.minimum(near[0], away)
    return grainy(np.clip(40 + 12 * (near[1] - near[0]), 0, 170), rng, 8)


def fur(rng: Random) -> GrayPixels:
    """Hairs in one direction."""
    page = sheet(rng, 90)
    for x, y in rng.uniform(0, 1, (6000, 2)) * page.shape[::-1]:
        angle = 1.2 + 0.3 * np.sin(x / 90) + rng.normal(0, 0.15)
        curve(page, [(x, y), (x + 22 * np.cos(angle), y + 22 * np.sin(angle))], rng.integers(40, 210))
    return page


def pebbles(rng: Random) -> GrayPixels:
    """Round stones, each lit."""
    page = np.full(shape(rng), 30, np.float32)
    y, x = np.mgrid[: page.shape[0], : page.shape[1]].astype(np.float32)
    for column, row in rng.uniform(0, 1, (90, 2)) * page.shape[::-1]:
        half = (rng.uniform(20, 50), rng.uniform(20, 50))
        stone = ball(y, x, (column, row), half)
        page = np.where(stone > 0, 60 + rng.uniform(60, 130) * stone, page)
    return grainy(page, rng, 8)
