"""The staging model's card: every figure from the test part, which is looked at once per version."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.staging.staging import CONFIDENT
from services.staging.training.candidates import BEST, nearest_grade
from services.staging.training.fit import Fitted
from services.staging.training.knees import GRADES
from shared.contracts.models import ModelCard
from shared.training.card import plot_calibration, plot_confusion, plot_roc, write_model_card, write_page
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
from shared.training.run import Run

TRIED = (
    "Tried and not kept, figures of the test part: cross-entropy for 6 epochs at 160 px and 4 more at 224 px (version "
    "0.2.0): kappa 0.803, accuracy 0.673. The mean of the two networks at 160 px below, with the mirror images: 0.790 "
    "and 0.670; it never served, so the test part was looked at one time more than there are versions.",
    "Tried and not kept, no better on the validation part: soft ordinal labels at 160 px and then at 224 px, with and "
    "without the first four blocks frozen.",
)
CONFUSION, ROC, CALIBRATION = "staging-confusion.png", "staging-roc.png", "staging-calibration.png"


def write_card(fitted: Fitted, run: Run) -> None:
    """Measure and write `card.json`, the manifest and, for a whole run, the plots."""
    figures = measured(fitted)
    card = ModelCard(
        name="staging-efficientnet-lite0",
        version=run.version,
        service="staging",
        summary=f"Kellgren-Lawrence grade 0 to 4 of a knee joint crop: {BEST.taught}, the mean of the picture and its "
        "mirror image.",
        intended_use="Research: a first reading of radiographic knee osteoarthritis on a frontal knee radiograph.",
        excluded_use="Diagnosis of osteoporosis; a stage never drives an osteoporosis drug. Children, knee implants, "
        "lateral views, fractures.",
        licence="Weights CC BY 4.0, after their data (Osteoarthritis Initiative crops, Chen 2018).",
        data=[f"knee_kl: {fitted.knees.split.describe()} knees, split by patient, duplicates removed"],
        metrics=figures,
        limits=[
            "Grade 1 (doubtful) is the weak grade here as with human readers (interobserver kappa about 0.5).",
            "All crops come from one US cohort aged 45 to 79; other populations and devices were not measured.",
            "Where it fails it is by one grade most of the time: grade 1 is read as 0 or 2, and grade 2 without clear "
            "narrowing of the joint space as 0.",
            "The data tell neither sex nor age, so there are no results by them.",
            "One reader's grade is the truth; label noise bounds what can be reached.",
            *TRIED,
        ],
        trained="make train-staging DATA=DIR",
    )
    if not run.is_trial:
        _plot(fitted, figures, run.pages)
        write_page(card, run.pages / "staging.md", (CONFUSION, ROC, CALIBRATION))
    write_model_card(card, run.model)
    print(card.model_dump_json(indent=2))


def measured(fitted: Fitted) -> dict[str, Any]:
    """Figures of the test part with 95 % intervals bootstrapped over patients, beside the baseline."""
    rows = fitted.knees.split.test
    truth, probabilities = fitted.knees.grades[rows], fitted.probabilities
    patients = [fitted.knees.patients[row] for row in rows]
    stage, mean_grade = probabilities.argmax(1), nearest_grade(probabilities)
    commonest = np.full_like(truth, np.bincount(fitted.knees.grades[fitted.knees.split.train]).argmax())
    return {
        "part": "test, looked at once for this version",
        "quadratic_weighted_kappa": with_interval(quadratic_kappa, patients, truth, stage),
        "quadratic_weighted_kappa_of_rounded_mean_grade": with_interval(quadratic_kappa, patients, truth, mean_grade),
        "accuracy": with_interval(accuracy, patients, truth, stage),
        "balanced_accuracy": with_interval(balanced_accuracy, patients, truth, stage),
        "within_one_grade": with_interval(within_one, patients, truth, stage),
        "mean_absolute_error": with_interval(mean_error, patients, truth, stage),
        "auc_grade_2_or_more": with_interval(auc, patients, truth >= 2, probabilities[:, 2:].sum(1)),
        "auc_grade_3_or_more": with_interval(auc, patients, truth >= 3, probabilities[:, 3:].sum(1)),
        "expected_calibration_error": round(calibration_error(probabilities, truth), 4),
        "recall_by_grade": recalls(truth, stage, GRADES),
        "confusion_rows_truth": confusion(truth, stage, GRADES),
        "baseline_commonest_grade": {"accuracy": round(accuracy(truth, commonest), 4), "balanced_accuracy": 0.2},
        "uncertain": uncertain_figures(truth, probabilities),
        "comparison_on_the_validation_part": fitted.comparison,
        "parity_onnx_savedmodel_max_difference": fitted.parity,
    }


def uncertain_figures(truth: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float64]) -> dict[str, float]:
    """How often the service calls a grade uncertain for want of a clear one, and how right it is then and else."""
    right, sure = probabilities.argmax(1) == truth, probabilities.max(1) >= CONFIDENT
    return {
        "share_called_uncertain": round(float(1 - sure.mean()), 4),
        "accuracy_of_the_uncertain": round(float(right[~sure].mean()), 4) if (~sure).any() else 0.0,
        "accuracy_of_the_others": round(float(right[sure].mean()), 4) if sure.any() else 0.0,
    }


def _plot(fitted: Fitted, figures: dict[str, Any], pages: Path) -> None:
    rows = fitted.knees.split.test
    truth, probabilities = fitted.knees.grades[rows], fitted.probabilities
    plot_confusion(figures["confusion_rows_truth"], [str(grade) for grade in range(GRADES)], pages / CONFUSION)
    curves = {f"grade {g} or more": (truth >= g, probabilities[:, g:].sum(1)) for g in range(1, GRADES)}
    plot_roc(curves, pages / ROC)
    plot_calibration(probabilities, truth, pages / CALIBRATION)
