"""Calibration by a common scale and one offset per class, fitted on the validation part.

Temperature scaling (Guo 2017) with class offsets, since balanced batches shift the priors. Both are linear in the
logits, so they are folded into the last layer and cost nothing at run time.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

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


def calibrate_ordinal(
    scores: npt.NDArray[np.floating], classes: npt.NDArray[np.int64], shares: npt.NDArray[np.floating]
) -> tuple[float, npt.NDArray[np.float64]]:
    """Slope and offsets that turn a score into log odds of "class k or above" (proportional odds, McCullagh 1980).

    Args:
        scores: (count,), rising with the class. classes: (count,), 0 to K-1.
        shares: (K,), the share that each class has among those whom the probabilities are meant for.

    Returns:
        slope, and (K-1,) offsets: log odds of "k+1 or above" = slope * score + offset, falling with k.
    """
    counts = np.bincount(classes, minlength=len(shares))
    weights = (np.asarray(shares) / np.maximum(1, counts))[classes]
    centre, spread = scores.mean(), scores.std() or 1.0

    def cumulative(parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        falling = parameters[1] - np.concatenate([[0.0], np.cumsum(np.exp(parameters[2:]))])
        return float(np.exp(parameters[0])), falling

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        slope, offsets = cumulative(parameters)
        above = expit(slope * ((scores - centre) / spread)[:, np.newaxis] + offsets)
        edges = np.concatenate([np.ones((len(scores), 1)), above, np.zeros((len(scores), 1))], axis=1)
        likelihood = (edges[:, :-1] - edges[:, 1:])[np.arange(len(scores)), classes]
        return float(-(weights * np.log(np.maximum(likelihood, 1e-9))).sum() / weights.sum())

    best = minimize(loss, np.zeros(len(shares)), method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-5})
    slope, offsets = cumulative(best.x)
    return slope / spread, offsets - slope * centre / spread
