"""What is measured of graded knees, by the rule that the service states a grade by and by the likeliest grade."""

from typing import Any

import numpy as np
import numpy.typing as npt

from services.staging.decision import median_grade
from services.staging.staging import UNLIKE
from services.staging.training.knees import GRADES, Knees
from shared.kl_grade import CONFIDENT
from shared.training.evaluate import (
    accuracy,
    auc,
    balanced_accuracy,
    calibration_error,
    confusion,
    mean_error,
    quadratic_kappa,
    recalls,
    with_interval,
    within_one,
)

Grades = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.floating]
Figures = dict[str, float]
# Shares of the knees that are answered, the surest first, for the table of what abstaining brings.
ANSWERED = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def brief(truth: Grades, probabilities: Numbers) -> Figures:
    """The figures that candidates are compared by, without intervals."""
    stated, likeliest = median_grade(probabilities), probabilities.argmax(1)
    figures = {
        "quadratic_weighted_kappa": quadratic_kappa(truth, stated),
        "kappa_of_the_likeliest_grade": quadratic_kappa(truth, likeliest),
        "accuracy": accuracy(truth, stated),
        "accuracy_of_the_likeliest_grade": accuracy(truth, likeliest),
        "balanced_accuracy": balanced_accuracy(truth, stated),
        "within_one_grade": within_one(truth, stated),
        "auc_grade_2_or_more": auc(truth >= 2, probabilities[:, 2:].sum(1)),
    }
    return {name: round(figure, 4) for name, figure in figures.items()}


def measured(knees: Knees, probabilities: npt.NDArray[np.float64], distances: Numbers) -> dict[str, Any]:
    """Figures of a set's test part with 95 % intervals bootstrapped over patients, beside the baseline.

    Args:
        probabilities: (knees of the test part, 5). distances: (knees of the test part,).
    """
    rows = knees.split.test
    truth, patients, stated = knees.grades[rows], knees.patients_of(rows), median_grade(probabilities)
    commonest = np.full_like(truth, np.bincount(knees.grades[knees.split.train]).argmax())
    likeliest = probabilities.argmax(1)
    return {
        "part": "test, looked at once for this version",
        "quadratic_weighted_kappa": with_interval(quadratic_kappa, patients, truth, stated),
        "accuracy": with_interval(accuracy, patients, truth, stated),
        "balanced_accuracy": with_interval(balanced_accuracy, patients, truth, stated),
        "within_one_grade": with_interval(within_one, patients, truth, stated),
        "mean_absolute_error": with_interval(mean_error, patients, truth, stated),
        "mean_of_the_error": with_interval(mean_difference, patients, truth, stated),
        "auc_grade_2_or_more": with_interval(auc, patients, truth >= 2, probabilities[:, 2:].sum(1)),
        "auc_grade_3_or_more": with_interval(auc, patients, truth >= 3, probabilities[:, 3:].sum(1)),
        "likeliest_grade_instead": {
            "quadratic_weighted_kappa": with_interval(quadratic_kappa, patients, truth, likeliest),
            "accuracy": with_interval(accuracy, patients, truth, likeliest),
            "balanced_accuracy": with_interval(balanced_accuracy, patients, truth, likeliest),
        },
        "stated_grade_is_not_the_likeliest": round(float((stated != likeliest).mean()), 4),
        "expected_calibration_error": round(calibration_error(probabilities, truth), 4),
        "recall_by_grade": recalls(truth, stated, GRADES),
        "confusion_rows_truth": confusion(truth, stated, GRADES),
        "baseline_commonest_grade": {
            "accuracy": round(accuracy(truth, commonest), 4),
            "balanced_accuracy": round(balanced_accuracy(truth, commonest), 4),
        },
        "uncertain": uncertain_figures(truth, stated, probabilities),
        "answered_the_surest_first": answered(truth, stated, probabilities),
        "said_to_be_unlike_the_known_knees": round(float((distances > UNLIKE).mean()), 4),
    }


def mean_difference(truth: Grades, stated: Grades) -> float:
    """Mean of stated less true grade: above zero where knees are graded too high."""
    return float((stated - truth).mean())


def uncertain_figures(truth: Grades, stated: Grades, probabilities: Numbers) -> Figures:
    """How often the service calls a grade uncertain for want of a clear one, and how right it is then and else."""
    right, sure = stated == truth, probabilities.max(1) >= CONFIDENT
    return {
        "share_called_uncertain": round(float(1 - sure.mean()), 4),
        "accuracy_of_the_uncertain": round(float(right[~sure].mean()), 4) if (~sure).any() else 0.0,
        "accuracy_of_the_others": round(float(right[sure].mean()), 4) if sure.any() else 0.0,
    }


def answered(truth: Grades, stated: Grades, probabilities: Numbers) -> dict[str, Figures]:
    """What abstaining brings: the figures of the share that is answered, those of the highest probability first."""
    surest = np.argsort(-probabilities.max(1), kind="stable")
    rows = {}
    for share in ANSWERED:
        kept = surest[: max(1, round(share * len(surest)))]
        rows[f"{share:.0%} answered"] = {
            "accuracy": round(accuracy(truth[kept], stated[kept]), 4),
            "within_one_grade": round(within_one(truth[kept], stated[kept]), 4),
            "quadratic_weighted_kappa": round(quadratic_kappa(truth[kept], stated[kept]), 4),
        }
    return rows
