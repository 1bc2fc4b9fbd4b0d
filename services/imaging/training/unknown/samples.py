"""Pictures that lie in packages of the training environment: photographs of scikit-learn and matplotlib, an MR slice.

None of them is in the project; each drawing is a part of one, mirrored and retoned at random.
"""

import gzip
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import sklearn

from services.imaging.training.unknown.brush import Random, clipped, stretched
from shared.radiograph.prepare import GrayPixels

SMALLEST_PART = 0.55


@lru_cache
def photograph(package: str, name: str) -> GrayPixels:
    """A photograph of scikit-learn or matplotlib, gray."""
    folders = {
        "sklearn": Path(sklearn.__file__).parent / "datasets" / "images",
        "matplotlib": Path(matplotlib.get_data_path()) / "sample_data",
    }
    pixels = cv2.imread(str(folders[package] / name), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(f"{package} no longer ships {name}")
    return np.asarray(pixels, np.uint8)


@lru_cache
def mr_slice() -> GrayPixels:
    """The slice of a head that matplotlib ships, 256 x 256 of 16 bits."""
    file = Path(matplotlib.get_data_path()) / "sample_data" / "s1045.ima.gz"
    with gzip.open(file) as data:
        return stretched(np.frombuffer(data.read(), np.uint16).reshape(256, 256))


def part(pixels: GrayPixels, rng: Random) -> GrayPixels:
    """A part of a picture, perhaps mirrored, in other tones."""
    height, width = (round(side * rng.uniform(SMALLEST_PART, 1)) for side in pixels.shape)
    top, left = rng.integers(0, pixels.shape[0] - height + 1), rng.integers(0, pixels.shape[1] - width + 1)
    cut = pixels[top : top + height, left : left + width]
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    grown = cv2.resize(
        cut, None, fx=400 / max(height, width), fy=400 / max(height, width), interpolation=cv2.INTER_AREA
    )
    return clipped(255 * (grown / 255) ** rng.uniform(0.6, 1.6))


def photo_of_a_flower(rng: Random) -> GrayPixels:
    """A dahlia."""
    return part(photograph("sklearn", "flower.jpg"), rng)


def photo_of_a_temple(rng: Random) -> GrayPixels:
    """A roof in Beijing."""
    return part(photograph("sklearn", "china.jpg"), rng)


def photo_of_a_person(rng: Random) -> GrayPixels:
    """Grace Hopper, head and shoulders."""
    return part(photograph("matplotlib", "grace_hopper.jpg"), rng)


def mr_of_a_head(rng: Random) -> GrayPixels:
    """A real MR slice."""
    return part(mr_slice(), rng)
