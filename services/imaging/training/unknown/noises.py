"""Noise of several colours, and fractals."""

import cv2
import numpy as np

from services.imaging.training.unknown.brush import (
    Random,
    clouds,
    curve,
    grainy,
    grid,
    shape,
    sheet,
    soft,
    stretched,
)  # fmt: skip
from shared.radiograph.prepare import GrayPixels


def white_noise(rng: Random) -> GrayPixels:
    """Every pixel for itself."""
    return grainy(sheet(rng, rng.integers(90, 170)), rng, rng.uniform(20, 80))


def blurred_noise(rng: Random) -> GrayPixels:
    """Noise of fine blobs."""
    size = shape(rng)
    return stretched(cv2.GaussianBlur(rng.standard_normal(size), (0, 0), rng.uniform(1.0, 6.0)))


def pink_noise(rng: Random) -> GrayPixels:
    """Noise whose power falls with the frequency."""
    size = shape(rng)
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])[None, :])
    spectrum = np.fft.fft2(rng.standard_normal(size)) / (frequency + 1e-3) ** rng.uniform(0.6, 1.2)
    return stretched(np.real(np.fft.ifft2(spectrum)))


def cloud_noise(rng: Random) -> GrayPixels:
    """Clouds of several octaves."""
    return stretched(clouds(rng, shape(rng), rng.uniform(2, 6), 6))


def streaks(rng: Random) -> GrayPixels:
    """Noise drawn out along one direction, as from a bad scanner."""
    size = shape(rng)
    lines = np.repeat(rng.normal(128, 40, (1, size[1])), size[0], axis=0)
    picture = grainy(lines, rng, 10)
    return picture if rng.random() < 0.5 else np.ascontiguousarray(picture.T)


def salt_and_pepper(rng: Random) -> GrayPixels:
    """Gray with black and white specks."""
    page = sheet(rng, rng.integers(60, 200))
    chance = rng.random(page.shape)
    page[chance < 0.1], page[chance > 0.9] = 0, 255
    return page


def julia(rng: Random) -> GrayPixels:
    """A Julia set."""
    y, x = grid(shape(rng))
    z, angle = 1.5 * (x + 1j * y), rng.uniform(0, 2 * np.pi)
    steps = np.zeros(x.shape)
    for _ in range(40):
        z = np.where(np.abs(z) < 4, z * z + 0.7885 * np.exp(1j * angle), z)
        steps += np.abs(z) < 4
    return stretched(steps)


def mandelbrot(rng: Random) -> GrayPixels:
    """A part of the Mandelbrot set."""
    y, x = grid(shape(rng))
    zoom, middle = rng.uniform(0.2, 1.5), rng.choice([-0.75 + 0.1j, -1.25 + 0j, -0.1 + 0.9j, -0.5 + 0.5j])
    c = middle + zoom * (x + 1j * y)
    z, steps = np.zeros_like(c), np.zeros(x.shape)
    for _ in range(40):
        z = np.where(np.abs(z) < 4, z * z + c, z)
        steps += np.abs(z) < 4
    return stretched(-steps if rng.random() < 0.5 else steps)


def sierpinski(rng: Random) -> GrayPixels:
    """Triangles within triangles."""
    size = 2 ** int(rng.integers(5, 8))
    y, x = np.mgrid[:size, :size]
    return np.kron(np.where(x & y, 20, 230), np.ones((512 // size, 512 // size))).astype(np.uint8)


def interference(rng: Random) -> GrayPixels:
    """Ripples of several stones in water."""
    y, x = grid(shape(rng))
    waves = sum(np.sin(rng.uniform(15, 50) * np.hypot(x - a, y - b)) for a, b in rng.uniform(-1.2, 1.2, (4, 2)))
    return stretched(waves)


def scribble(rng: Random) -> GrayPixels:
    """A tangle of bright lines on dark."""
    page = sheet(rng, rng.integers(0, 40))
    steps = np.cumsum(rng.normal(0, 1, (2000, 2)), axis=0)
    steps = (steps - steps.min(0)) / np.ptp(steps, axis=0) * page.shape[::-1]
    curve(page, cv2.GaussianBlur(steps, (1, 41), 0), rng.integers(150, 255), int(rng.integers(1, 4)))
    return soft(page, 0.7)
