"""Figures with intervals: agreement, balanced accuracy, discrimination, calibration error."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import (
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    mean_absolute_error,
    recall_score,
    roc_auc_score,
)

Array = npt.NDArray[np.generic]
Interval = dict[str, float | None]
RESAMPLES = 1000


def with_interval(
    figure: Callable[..., float],
    patients: Sequence[str] | npt.NDArray[np.str_],
    *arrays: Array,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """A figure with its 95 % percentile interval, bootstrapped over patients, not pictures.

    Resamples in which the figure is not defined (one class only) are left out.
    """
    random = np.random.default_rng(seed)
    rows_of = list(_rows_by_patient(patients).values())
    values = []
    for _ in range(resamples):
        rows = np.concatenate([rows_of[number] for number in random.integers(0, len(rows_of), len(rows_of))])
        try:
            values.append(figure(*(array[rows] for array in arrays)))
        except ValueError:
            continue
    values = [value for value in values if np.isfinite(value)]
    if not values:  # a trial on a few pictures, with one class only
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(values, [2.5, 97.5])
    return {"value": round(figure(*arrays), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def _rows_by_patient(patients: Sequence[str] | npt.NDArray[np.str_]) -> dict[str, npt.NDArray[np.int64]]:
    names = np.asarray(patients)
    return {name: np.flatnonzero(names == name) for name in np.unique(names)}


def quadratic_kappa(truth: Array, predicted: Array) -> float:
    """Quadratic weighted kappa (Cohen 1968), the usual figure for Kellgren-Lawrence grades."""
    return float(cohen_kappa_score(truth, predicted, weights="quadratic"))


def balanced_accuracy(truth: Array, predicted: Array) -> float:
    """Mean recall over the classes that occur."""
    return float(balanced_accuracy_score(truth, predicted))


def accuracy(truth: Array, predicted: Array) -> float:
    """Share predicted rightly."""
    return float(np.mean(truth == predicted))


def within_one(truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64]) -> float:
    """Share at most one grade away."""
    return float(np.mean(np.abs(truth - predicted) <= 1))


def auc(truth: Array, probability: Array) -> float:
    """Area under the ROC curve."""
    return float(roc_auc_score(truth, probability))


def recalls(truth: Array, predicted: Array, classes: int) -> list[float]:
    """Recall of each class, 0 where it does not occur."""
    recalls = recall_score(truth, predicted, labels=list(range(classes)), average=None, zero_division=0)
    return [round(float(value), 4) for value in recalls]


def confusion(truth: Array, predicted: Array, classes: int) -> list[list[int]]:
    """Rows are the truth, columns the prediction."""
    return [[int(cell) for cell in row] for row in confusion_matrix(truth, predicted, labels=list(range(classes)))]


def mean_error(truth: Array, predicted: Array) -> float:
    """Mean absolute error in grades."""
    return float(mean_absolute_error(truth, predicted))


def calibration_error(probabilities: npt.NDArray[np.floating], truth: Array, bins: int = 15) -> float:
    """Expected calibration error of the top class over equal-width bins (Naeini 2015)."""
    confidence, hit = probabilities.max(1), probabilities.argmax(1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(hit[bin_of == b].mean() - confidence[bin_of == b].mean()) * np.mean(bin_of == b) for b in set(bin_of)]
    return float(sum(gaps))
