"""Variants of the whole pictures: augmented ones for anatomy, turned and inverted ones for the way a picture lies."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.imaging.network import OTHER
from services.imaging.training.cases import Case, wholes
from services.imaging.training.features import Extractor, Features
from shared.radiograph.prepare import NETWORK_SIZE, GrayPixels
from shared.training.augment import Augmentation
from shared.training.run import Run

AUGMENTED, MOVED = 2, 4
# Pictures made at a time: they need not all be in memory.
AT_ONCE = 512
Numbers = npt.NDArray[np.int64]
# The ways a picture may lie: a quarter turn and a tone each, in this order.
WAYS = [(quarter, inverted) for quarter in range(4) for inverted in range(2)]


@dataclass(frozen=True)
class Lying:
    """Features of knees and spines as they may lie, one row a picture.

    Args:
        shape: (rows, 1280). places: (rows, `PLACES`).
        case: (rows,) the case. quarters: (rows,) clockwise quarter turns. inverted: (rows,).
        judged: how many rows come first that are judged: every case in each of `WAYS`. The others are moved and
            retoned first, and only learned from.
    """

    shape: Features
    places: npt.NDArray[np.float16]
    case: Numbers
    quarters: Numbers
    inverted: Numbers
    judged: int


@dataclass(frozen=True)
class Wholes:
    """Features of whole pictures.

    Args:
        plain: (cases, length). augmented: (variants, cases, length), for training folds only.
    """

    plain: Features
    augmented: Features
    lying: Lying


def features_of_wholes(cases: list[Case], extractor: Extractor, run: Run) -> Wholes:
    """Every feature that anatomy and the way of lying are learned from."""
    pixels = wholes(cases)
    plain, augmented = features_for_anatomy(pixels, extractor.features, run)
    print("whole pictures done; now as they may lie", flush=True)
    wanted = np.array([number for number, case in enumerate(cases) if case.content < OTHER.start])
    return Wholes(plain, augmented, features_of_lying(pixels, wanted, extractor, run))


def features_for_anatomy(
    pixels: npt.NDArray[np.uint8], features_of: Callable[[npt.NDArray[np.uint8]], Features], run: Run
) -> tuple[Features, Features]:
    """Features (cases, length) of the pictures as they are, and (variants, cases, length) of augmented ones."""
    random, augmentation = np.random.default_rng(run.seed), Augmentation(invert=0.0)
    augmented = []
    for _ in range(run.count(AUGMENTED)):
        varied = np.stack([augmentation.apply(picture, NETWORK_SIZE, random) for picture in pixels])
        augmented.append(features_of(varied))
    return features_of(pixels), np.stack(augmented)


def features_of_lying(pixels: npt.NDArray[np.uint8], wanted: Numbers, extractor: Extractor, run: Run) -> Lying:
    """Every wanted picture in each of `WAYS`, and some of these moved and retoned."""
    random, augmentation = np.random.default_rng(run.seed), Augmentation(invert=0.0)
    judged = [(row, way) for row in wanted for way in WAYS]
    moved = [(row, WAYS[way]) for row in wanted for way in random.permutation(len(WAYS))[: run.count(MOVED)]]
    shape, places = [], []
    for start in range(0, len(judged) + len(moved), AT_ONCE):
        pictures = []
        for number, (row, way) in enumerate((judged + moved)[start : start + AT_ONCE], start):
            picture = pixels[row]
            if number >= len(judged):
                picture = augmentation.apply(picture, NETWORK_SIZE, random)
            pictures.append(lying(picture, *way))
        features = extractor.places(np.stack(pictures))
        shape.append(features[0])
        places.append(features[1])
    rows = np.array([(row, *way) for row, way in judged + moved], np.int64)
    return Lying(np.concatenate(shape), np.concatenate(places), rows[:, 0], rows[:, 1], rows[:, 2], len(judged))


def lying(pixels: GrayPixels, quarters: int, inverted: int) -> GrayPixels:
    """A picture turned clockwise by quarters, and inverted."""
    turned = np.rot90(pixels, -quarters)
    return 255 - turned if inverted else turned
