"""How far a picture lies from those that a network was measured on: what its features have beyond theirs.

The known pictures' features vary along some directions; the length of what is left of a feature vector without those is
the distance (reconstruction error of a principal component analysis). On the staging network, frames of chests, hips,
limbs and implants lie beyond the known knees where distances within the directions (Mahalanobis) tell nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Features = npt.NDArray[np.floating]
# How many directions count as known; chosen among 32, 64 and 128 on pictures of `other`, which are no knees.
DIRECTIONS = 128
# The distance that this share of every set stays within counts as one.
WITHIN = 0.98


@dataclass(frozen=True)
class Distance:
    """The length of what is beside the known directions, in units of what known pictures have.

    Args:
        middle: (features,), the known pictures' mean. known: (features, directions), orthonormal.
        unit: the length that counts as one.
    """

    middle: npt.NDArray[np.float64]
    known: npt.NDArray[np.float64]
    unit: float

    def of(self, features: Features) -> npt.NDArray[np.float64]:
        """(count, features) to (count,): from 0; all but two in a hundred known pictures are within 1."""
        centred = features - self.middle
        beside = np.square(centred).sum(axis=1) - np.square(centred @ self.known).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(beside, 0)) / self.unit)


def fit_distance(known: Features, others: Sequence[Features]) -> Distance:
    """The distance from the known pictures.

    Args:
        known: (count, features) that give the directions.
        others: of each set, (count, features) of pictures that are as known but gave no direction.
    """
    middle = known.mean(axis=0)
    _, spread, directions = np.linalg.svd(known - middle, full_matrices=False)
    kept = min(DIRECTIONS, int((spread > 1e-6 * spread[0]).sum()) // 2)
    raw = Distance(middle, directions[:kept].T, 1.0)
    return Distance(middle, raw.known, max(float(np.quantile(raw.of(features), WITHIN)) for features in others))
