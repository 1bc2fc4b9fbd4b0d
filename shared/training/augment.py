"""Augmentation of radiographs, for the training part only."""

from dataclasses import dataclass

import cv2
import numpy as np

from shared.radiograph.prepare import GrayPixels


@dataclass(frozen=True)
class Augmentation:
    """How far each transformation may go.

    Args:
        rotation_degrees: rotation to either side.
        zoom: relative change of scale to either side.
        shift: shift to either side as a fraction of the side.
        contrast: relative change of contrast to either side; brightness moves half as far.
        flip: share of pictures mirrored left to right.
        invert: share of pictures inverted, as a MONOCHROME1 file read wrongly would be.
    """

    rotation_degrees: float = 12.0
    zoom: float = 0.15
    shift: float = 0.06
    contrast: float = 0.3
    flip: float = 0.5
    invert: float = 0.05

    def apply(self, pixels: GrayPixels, size: int, random: np.random.Generator) -> GrayPixels:
        """One random variant, (size, size)."""
        return self._retoned(self._moved(pixels, size, random), random)

    def _moved(self, pixels: GrayPixels, size: int, random: np.random.Generator) -> GrayPixels:
        side = pixels.shape[0]
        angle = random.uniform(-self.rotation_degrees, self.rotation_degrees)
        scale = size / side * (1 + random.uniform(-self.zoom, self.zoom))
        matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, scale)
        matrix[:, 2] += size / 2 - side / 2 + random.uniform(-self.shift, self.shift, 2) * size
        if random.random() < self.flip:
            matrix[0] = -matrix[0]
            matrix[0, 2] += size - 1
        moved = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR)
        return np.asarray(moved, np.uint8)

    def _retoned(self, pixels: GrayPixels, random: np.random.Generator) -> GrayPixels:
        contrast = 1 + random.uniform(-self.contrast, self.contrast)
        brightness = 128 * random.uniform(-self.contrast, self.contrast) / 2
        toned = np.clip((pixels.astype(np.float32) - 128) * contrast + 128 + brightness, 0, 255).astype(np.uint8)
        return 255 - toned if random.random() < self.invert else toned
