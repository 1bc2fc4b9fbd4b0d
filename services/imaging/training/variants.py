"""Variants of the whole pictures: augmented ones for anatomy, turned and inverted ones for the way a picture lies."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.imaging.network import OTHER
from services.imaging.training.cases import Case, wholes
from services.imaging.training.features import Extractor, Features
from shared.radiograph.prepare import NETWORK_SIZE, GrayPixels
from shared.training.augment import Augmentation
from shared.training.run import Run

AUGMENTED, TURNED = 2, 4


@dataclass(frozen=True)
class Wholes:
    """Features of whole pictures, one row a variant.

    Args:
        plain: (cases, length). augmented: (variants, cases, length), for training folds only.
        lying: (rows, length), of knees and spines as they are, turned or inverted.
        case: (rows,) the case of each row of `lying`. quarters: (rows,) clockwise quarter turns. inverted: (rows,).
    """

    plain: Features
    augmented: Features
    lying: Features
    case: npt.NDArray[np.int64]
    quarters: npt.NDArray[np.int64]
    inverted: npt.NDArray[np.int64]


def features_of_wholes(cases: list[Case], extractor: Extractor, run: Run) -> Wholes:
    """Every feature that anatomy and the way of lying are learned from."""
    random, augmentation = np.random.default_rng(run.seed), Augmentation(invert=0.0)
    pixels = wholes(cases)
    plain = extractor.features(pixels)
    augmented = []
    for number in range(run.count(AUGMENTED)):
        varied = np.stack([augmentation.apply(picture, NETWORK_SIZE, random) for picture in pixels])
        augmented.append(extractor.features(varied))
        print(f"variant {number + 1} of {AUGMENTED}", flush=True)
    wanted = np.array([number for number, case in enumerate(cases) if case.content < OTHER.start])
    case = np.repeat(wanted, TURNED)
    # The eight ways to lie, without the right one, which every picture has as it is.
    quarters, inverted = np.divmod(random.integers(1, 8, len(case)), 2)
    turned = np.stack([lying(pixels[row], q, i) for row, q, i in zip(case, quarters, inverted, strict=True)])
    upright = np.zeros(len(wanted), np.int64)
    return Wholes(
        plain,
        np.stack(augmented),
        np.concatenate([plain[wanted], extractor.features(turned)]),
        np.concatenate([wanted, case]),
        np.concatenate([upright, quarters]),
        np.concatenate([upright, inverted]),
    )


def lying(pixels: GrayPixels, quarters: int, inverted: int) -> GrayPixels:
    """A picture turned clockwise by quarters, and inverted."""
    turned = np.rot90(pixels, -quarters)
    return 255 - turned if inverted else turned
