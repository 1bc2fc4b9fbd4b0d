"""Calibration by a common scale and one offset per class, fitted on the validation part.

Temperature scaling (Guo 2017) with class offsets, since balanced batches shift the priors. Both are linear in the
logits, so they are folded into the last layer and cost nothing at run time.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax

Logits = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Calibration:
    """logits * scale + offsets."""

    scale: float
    offsets: npt.NDArray[np.float64]

    def apply(self, logits: Logits) -> Logits:
        return logits * self.scale + self.offsets


def calibrate(logits: Logits, classes: npt.NDArray[np.int64], with_offsets: bool = True) -> Calibration:
    """The calibration of least log loss; offsets are held back by a small ridge, for rare classes.

    Args:
        logits: (count, classes). classes: (count,) true classes.
    """
    count = logits.shape[1]

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        scale, offsets = np.exp(parameters[0]), parameters[1:]
        log_probabilities = log_softmax(logits * scale + offsets, axis=1)
        return float(-log_probabilities[np.arange(len(classes)), classes].mean() + 1e-3 * np.square(offsets).sum())

    bounds = [(-4.0, 4.0)] + [(-3.0, 3.0) if with_offsets else (0.0, 0.0)] * count
    best = minimize(loss, np.zeros(1 + count), method="L-BFGS-B", bounds=bounds)
    return Calibration(float(np.exp(best.x[0])), best.x[1:])
