"""Radiographs as other devices and other ways of sending them would have made them, for the training part only.

The crops of one study come from few devices at one size. What is drawn here is what differs between hospitals: framing
and proportions, tones, noise, resolution, compression, letters and borders in the picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from shared.radiograph.prepare import GrayPixels, equalised

LETTERS = "RLAPCT0123456789"


@dataclass(frozen=True)
class Acquisition:
    """How far each difference may go, and how often it occurs.

    Args:
        rotation_degrees: rotation to either side.
        zoom: largest change of the log scale; shift: to either side, as a fraction of the side.
        stretch: largest change of the log of width over height, of half of the pictures.
        gamma: largest change of the log exponent; contrast: of the log contrast.
        noise: largest standard deviation, as a fraction of white.
        least_side: the fewest pixels across that a picture is reduced to before it is enlarged again.
        inverted: share sent with bone dark, as a MONOCHROME1 file read wrongly would be.
    """

    rotation_degrees: float = 12.0
    zoom: float = 0.16
    shift: float = 0.06
    stretch: float = 0.12
    gamma: float = 0.45
    contrast: float = 0.3
    noise: float = 0.025
    least_side: int = 56
    inverted: float = 0.04

    def apply(self, pixels: GrayPixels, size: int, random: np.random.Generator) -> GrayPixels:
        """One random variant as the network sees it before scaling: (size, size), equalised.

        Args:
            pixels: (side, side), not equalised: what is equalised first no longer has the tones of a device.
        """
        moved = self._framed(pixels, size, random)
        return equalised(self._sent(self._exposed(marked(moved, random), random), random))

    def _framed(self, pixels: GrayPixels, size: int, random: np.random.Generator) -> GrayPixels:
        side = pixels.shape[0]
        scale = size / side * np.exp(random.uniform(-self.zoom, self.zoom))
        stretch = np.exp(random.uniform(-self.stretch, self.stretch) / 2) if random.random() < 0.5 else 1.0
        mirrored = -1 if random.random() < 0.5 else 1
        angle = np.deg2rad(random.uniform(-self.rotation_degrees, self.rotation_degrees))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = turn * scale * (mirrored * stretch, 1 / stretch)
        middle = size * (0.5 + random.uniform(-self.shift, self.shift, 2)) - matrix.sum(1) * side / 2
        beyond = cv2.BORDER_CONSTANT if random.random() < 0.7 else cv2.BORDER_REPLICATE
        moved = cv2.warpAffine(
            pixels, np.column_stack([matrix, middle]), (size, size), flags=cv2.INTER_LINEAR, borderMode=beyond
        )
        return np.asarray(moved, np.uint8)

    def _exposed(self, pixels: GrayPixels, random: np.random.Generator) -> GrayPixels:
        levels = np.linspace(0, 1, 256)
        if random.random() < 0.6:
            levels = levels ** np.exp(random.uniform(-self.gamma, self.gamma))
        if random.random() < 0.6:
            contrast = np.exp(random.uniform(-self.contrast, self.contrast))
            levels = (levels - 0.5) * contrast + 0.5 + random.uniform(-0.1, 0.1)
        if random.random() < 0.07:  # a window that is too narrow: the darkest and the brightest are lost
            dark, bright = random.uniform(0, 0.12), random.uniform(0.82, 1)
            levels = (levels - dark) / (bright - dark)
        if random.random() < self.inverted:
            levels = 1 - levels
        toned = cv2.LUT(pixels, np.clip(levels * 255, 0, 255).astype(np.uint8))
        if random.random() < 0.2:
            grain = random.normal(0, 255 * random.uniform(self.noise / 5, self.noise), toned.shape)
            toned = np.clip(toned + grain, 0, 255).astype(np.uint8)
        return np.asarray(toned, np.uint8)

    def _sent(self, pixels: GrayPixels, random: np.random.Generator) -> GrayPixels:
        side = pixels.shape[0]
        if random.random() < 0.5:
            fewer = round(np.exp(random.uniform(np.log(self.least_side), np.log(side))))
            way = cv2.INTER_LINEAR if random.random() < 0.25 else cv2.INTER_AREA
            small = np.asarray(cv2.resize(pixels, (fewer, fewer), interpolation=way), np.uint8)
            if random.random() < 0.5:
                small = _compressed(small, random)
            pixels = np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
        elif random.random() < 0.4:
            pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), np.exp(random.uniform(-1, 0.5))), np.uint8)
        return _compressed(pixels, random) if random.random() < 0.25 else pixels


def marked(pixels: GrayPixels, random: np.random.Generator) -> GrayPixels:
    """Sometimes with letters on it, sometimes with the edge of the collimator along one side."""
    pixels = pixels.copy()
    side = pixels.shape[0]
    if random.random() < 0.12:
        for _ in range(random.integers(1, 3)):
            letter, place = LETTERS[random.integers(len(LETTERS))], random.integers(0, side, 2).tolist()
            size, thickness = random.uniform(0.5, 1.6), int(random.integers(1, 4))
            shade = int(random.integers(150, 256))
            cv2.putText(pixels, letter, place, cv2.FONT_HERSHEY_SIMPLEX, size, shade, thickness)
    if random.random() < 0.12:
        turns = int(random.integers(4))
        np.rot90(pixels, turns)[: random.integers(1, side // 6)] = random.integers(0, 20)
    return pixels


def _compressed(pixels: GrayPixels, random: np.random.Generator) -> GrayPixels:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(30, 96))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_GRAYSCALE), np.uint8)
