"""The figures of a probability model: discrimination, calibration, and intervals by resampling people."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss

Values = NDArray[np.float64]
Labels = NDArray[np.int_]
BINS = 10
RESAMPLES = 1000
SMALLEST = 1e-9
NEWTON_STEPS = 12


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    def rounded(self, digits: int = 3) -> dict[str, float]:
        """For the card."""
        return {"value": round(self.value, digits), "low": round(self.low, digits), "high": round(self.high, digits)}


def auc(y: Labels, score: Values, weight: Values | None = None) -> float:
    """Area under the ROC curve, ties counted half; NaN where only one class is there.

    Written out since it is asked thousands of times; scikit-learn's own checks take longer than the sum.
    """
    if y.min() == y.max():
        return float("nan")
    weight = np.ones(len(y)) if weight is None else weight
    _, place = np.unique(score, return_inverse=True)
    negative = np.bincount(place, weight * (y == 0))
    positive = np.bincount(place, weight * (y == 1))
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def loss(y: Labels, p: Values, weight: Values | None = None) -> float:
    """Log loss, natural logarithm."""
    return float(log_loss(y, np.clip(p, SMALLEST, 1 - SMALLEST), sample_weight=weight))


def calibration(y: Labels, p: Values, weight: Values | None = None) -> tuple[float, float]:
    """Slope and intercept of the outcome on the predicted log odds; 1 and 0 are perfect."""
    clipped = np.clip(p, SMALLEST, 1 - SMALLEST)
    x = np.column_stack([np.log(clipped / (1 - clipped)), np.ones(len(p))])
    weight = np.ones(len(y)) if weight is None else weight
    share = np.average(y, weights=weight)
    coefficients = np.array([0.0, np.log(share / (1 - share))])
    for _ in range(NEWTON_STEPS):
        q = 1 / (1 + np.exp(-x @ coefficients))
        curvature = x.T @ (x * (weight * q * (1 - q))[:, None])
        coefficients = coefficients + np.linalg.solve(curvature, x.T @ (weight * (y - q)))
    return float(coefficients[0]), float(coefficients[1])


def bins(y: Labels, p: Values, weight: Values | None = None) -> list[tuple[float, float, int]]:
    """Mean prediction, observed share and size of ten groups of equal size."""
    weight = np.ones(len(y)) if weight is None else weight
    parts = [part for part in np.array_split(np.argsort(p, kind="stable"), BINS) if len(part)]
    return [
        (float(np.average(p[i], weights=weight[i])), float(np.average(y[i], weights=weight[i])), len(i)) for i in parts
    ]


def calibration_error(y: Labels, p: Values, weight: Values | None = None) -> float:
    """Expected calibration error over ten groups of equal size."""
    return sum(abs(predicted - observed) * size for predicted, observed, size in bins(y, p, weight)) / len(y)


def interval(figure: Callable[[NDArray[np.intp]], float], people: int, seed: int = 0) -> Interval:
    """A figure over all people, with the 2.5th and 97.5th percentile over resampled people.

    Args:
        figure: the figure for some rows, given as indices; paired figures use the same rows for both sides.
        people: how many there are; in NHANES every row is one person.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    values = [figure(rng.integers(0, people, people)) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(figure(np.arange(people)), float(low), float(high))
