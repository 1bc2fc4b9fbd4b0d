"""Figures of a reading against the truth, with intervals: agreement, discrimination, calibration, net benefit.

They need NumPy alone, so that training and a site's own evaluation measure by the same code. A figure that is not
defined for what it is given (one class only, nobody at all) raises a ValueError; `with_interval` leaves such resamples
out.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
Floats = npt.NDArray[np.floating]
Grades = npt.NDArray[np.int64]
Interval = dict[str, float | None]
RESAMPLES = 1000
# Probabilities are kept this far from 0 and 1 where their log odds are taken.
EDGE = 1e-6


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


def accuracy(truth: Array, predicted: Array) -> float:
    """Share predicted rightly."""
    return float(np.mean(truth == predicted))


def within_one(truth: Grades, predicted: Grades) -> float:
    """Share at most one grade away."""
    return float(np.mean(np.abs(truth - predicted) <= 1))


def mean_error(truth: Grades, predicted: Grades) -> float:
    """Mean absolute error in grades."""
    return float(np.mean(np.abs(truth - predicted)))


def balanced_accuracy(truth: Array, predicted: Array) -> float:
    """Mean recall over the classes that occur."""
    return float(np.mean([np.mean(predicted[truth == value] == value) for value in np.unique(truth)]))


def quadratic_kappa(truth: Grades, predicted: Grades) -> float:
    """Quadratic weighted kappa (Cohen 1968): one less the squared differences seen, over those of chance.

    Raises:
        ValueError: both give one and the same grade throughout, so that chance cannot differ.
    """
    by_chance = float(np.mean(np.square(truth[:, np.newaxis] - predicted[np.newaxis, :])))
    if by_chance == 0:
        raise ValueError("Kappa is not defined: there is one grade only.")
    return 1 - float(np.mean(np.square(truth - predicted))) / by_chance


def auc(truth: npt.NDArray[np.bool_], score: Floats) -> float:
    """Area under the ROC curve, ties counting half (Hanley and McNeil 1982).

    Raises:
        ValueError: one class only.
    """
    positive, negative = int(np.sum(truth)), int(np.sum(~truth))
    if not positive or not negative:
        raise ValueError("AUC is not defined: there is one class only.")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def brier(truth: npt.NDArray[np.bool_], probability: Floats) -> float:
    """Mean squared error of a probability (Brier 1950)."""
    return float(np.mean(np.square(probability - truth)))


def calibration_error(probabilities: Floats, truth: Array, bins: int = 15) -> float:
    """Expected calibration error of the top class over equal-width bins (Naeini 2015).

    Args:
        probabilities: (count, classes). truth: (count,), index of the class.
    """
    return expected_error(probabilities.argmax(1) == truth, probabilities.max(1), bins)


def expected_error(happened: npt.NDArray[np.bool_], probability: Floats, bins: int = 10) -> float:
    """Mean distance of a probability from how often the event happened, over equal-width bins."""
    bin_of = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(happened[bin_of == b].mean() - probability[bin_of == b].mean()) * np.mean(bin_of == b) for b in set(bin_of)
    ]
    return float(sum(gaps))


def calibration_line(truth: npt.NDArray[np.bool_], probability: Floats) -> tuple[float, float]:
    """Intercept and slope of the truth's log odds on the probability's (Cox 1958): 0 and 1 if well calibrated.

    Raises:
        ValueError: one class only, one probability only, or the probabilities separate the classes altogether.
    """
    if truth.all() or not truth.any():
        raise ValueError("The calibration line is not defined: there is one class only.")
    kept = np.clip(probability, EDGE, 1 - EDGE)
    with_it, without = kept[truth], kept[~truth]
    if with_it.min() >= without.max() or without.min() >= with_it.max():
        # No line fits best (Albert and Anderson 1984), and looking for one would take long.
        raise ValueError("The calibration line is not defined: the probabilities separate the classes altogether.")
    design = np.stack([np.ones(len(truth)), np.log(kept / (1 - kept))], axis=1)
    line = np.zeros(2)
    for _ in range(50):  # Newton's method
        fitted = 1 / (1 + np.exp(-np.clip(design @ line, -30, 30)))
        curvature = design.T @ (design * (fitted * (1 - fitted))[:, np.newaxis])
        if np.linalg.cond(curvature) > 1e10:
            break
        step = np.linalg.solve(curvature, design.T @ (truth - fitted))
        line = line + step
        if np.abs(step).max() < 1e-8:
            return float(line[0]), float(line[1])
    raise ValueError("The calibration line is not defined: nothing separates the classes only in part.")


def net_benefit(truth: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_], threshold: float) -> float:
    """True positives a person, less false positives weighed by the odds of the threshold (Vickers and Elkin 2006)."""
    true_positive, false_positive = np.mean(truth & called), np.mean(~truth & called)
    return float(true_positive - false_positive * threshold / (1 - threshold))
