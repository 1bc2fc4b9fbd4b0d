"""Figures with intervals: agreement, balanced accuracy, discrimination, calibration error.

What needs NumPy alone is in `shared.figures`, by which a site evaluates too; here scikit-learn counts.
"""

from sklearn.metrics import cohen_kappa_score, confusion_matrix, recall_score, roc_auc_score

from shared.figures import (
    RESAMPLES,
    Array,
    Interval,
    accuracy,
    balanced_accuracy,
    calibration_error,
    mean_error,
    with_interval,
    within_one,
)

__all__ = [
    "RESAMPLES", "Array", "Interval", "accuracy", "auc", "balanced_accuracy", "calibration_error", "confusion",
    "mean_error", "quadratic_kappa", "recalls", "with_interval", "within_one",
]  # fmt: skip


def quadratic_kappa(truth: Array, predicted: Array) -> float:
    """Quadratic weighted kappa (Cohen 1968), the usual figure for Kellgren-Lawrence grades."""
    return float(cohen_kappa_score(truth, predicted, weights="quadratic"))


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
