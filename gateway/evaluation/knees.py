"""Kellgren-Lawrence grades against the site's readers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.evaluation.estimates import Bootstrap, beside_card
from gateway.evaluation.model import Case, CoveragePoint, Estimate, KneeEvaluation, Outcomes, SiteFigure
from gateway.evaluation.pairs import KneePair, patients_of
from gateway.evaluation.probabilities import discrimination
from gateway.evaluation.readers import reader_agreements
from gateway.evaluation.subgroups import Chosen, subgroups
from shared.contracts.base import ModelReference
from shared.figures import auc, balanced_accuracy, calibration_error, mean_error, quadratic_kappa

Grades = npt.NDArray[np.int64]
THRESHOLDS = tuple(round(0.1 * step, 1) for step in range(1, 10))
SHARES = tuple(round(0.1 * step, 1) for step in range(1, 11))
# The likeliest grade of so few knees says nothing of how accuracy falls.
FEWEST_FOR_COVERAGE = 10
MOST_CASES = 8


def evaluate_knees(
    pairs: Sequence[KneePair],
    outcomes: Outcomes,
    card: Mapping[str, Any],
    model: ModelReference,
    bootstrap: Bootstrap,
) -> KneeEvaluation:
    """Everything that the report says of grades.

    Args:
        card: the metrics of the staging model's card.
    """
    patients = patients_of(pairs)
    truth = np.array([pair.truth for pair in pairs], np.int64)
    graded = np.array([pair.knee.stage for pair in pairs], np.int64)
    probabilities = np.array([pair.knee.probabilities for pair in pairs], np.float64).reshape(-1, 5)
    sure = np.array([pair.knee.quality == "good" for pair in pairs], np.bool_)
    right, near = truth == graded, np.abs(truth - graded) <= 1
    high = probabilities[:, 2:].sum(axis=1)

    def main_figures(chosen: Chosen) -> dict[str, Estimate]:
        of = (patients[chosen], truth[chosen], graded[chosen])
        return {
            "quadratic_weighted_kappa": bootstrap(quadratic_kappa, *of),
            "accuracy": bootstrap.share(patients[chosen], right[chosen]),
            "within_one_grade": bootstrap.share(patients[chosen], near[chosen]),
        }

    return KneeEvaluation(
        patients=len(set(patients)),
        outcomes=outcomes,
        figures=_figures(patients, truth, graded, high, card, bootstrap),
        accuracy_when_certain=bootstrap.share(patients[sure], right[sure]),
        mean_difference=bootstrap(lambda t, g: float(np.mean(g - t)), patients, truth, graded),
        confusion_rows_truth=confusion(truth, graded),
        top_grade_calibration_error=bootstrap(
            lambda p, t: calibration_error(p, t), patients, probabilities.clip(0, 1), truth
        ),
        grade_2_or_more=discrimination(
            "Is it grade 2 or more?", patients, truth >= 2, high.clip(0, 1), THRESHOLDS, bootstrap
        ),
        coverage=coverage(truth, graded, probabilities),
        readers=reader_agreements(pairs, bootstrap),
        subgroups=subgroups([pair.row for pair in pairs], main_figures),
        worst=worst(pairs),
        model=model,
    )


def _figures(
    patients: npt.NDArray[np.str_],
    truth: Grades,
    graded: Grades,
    high: npt.NDArray[np.float64],
    card: Mapping[str, Any],
    bootstrap: Bootstrap,
) -> list[SiteFigure]:
    people = (len(truth), "knees")
    grades = (patients, truth, graded)
    right, near = truth == graded, np.abs(truth - graded) <= 1
    return [
        beside_card(
            "quadratic_weighted_kappa", "Quadratic weighted kappa", bootstrap(quadratic_kappa, *grades), card, people
        ),
        beside_card("accuracy", "Accuracy", bootstrap.share(patients, right), card, people),
        beside_card("balanced_accuracy", "Balanced accuracy", bootstrap(balanced_accuracy, *grades), card, people),
        beside_card("within_one_grade", "Within one grade", bootstrap.share(patients, near), card, people),
        beside_card("mean_absolute_error", "Mean error in grades", bootstrap(mean_error, *grades), card, people, True),
        beside_card(
            "auc_grade_2_or_more", "AUC for grade 2 or more", bootstrap(auc, patients, truth >= 2, high), card, people
        ),
    ]


def confusion(truth: Grades, graded: Grades) -> list[list[int]]:
    """(5, 5): rows are the first reader's grade, columns the network's."""
    table = np.zeros((5, 5), np.int64)
    np.add.at(table, (truth, graded), 1)
    return [[int(cell) for cell in row] for row in table]


def coverage(truth: Grades, graded: Grades, probabilities: npt.NDArray[np.float64]) -> list[CoveragePoint]:
    """Accuracy of the surest share of the knees, for shares up to all of them."""
    if len(truth) < FEWEST_FOR_COVERAGE:
        return []
    right = (truth == graded)[np.argsort(-probabilities.max(axis=1), kind="stable")]
    return [
        CoveragePoint(share_answered=share, accuracy=round(float(right[: round(share * len(right))].mean()), 4))
        for share in SHARES
    ]


def worst(pairs: Sequence[KneePair]) -> list[Case]:
    """The knees that are most grades off, of these the surest answers first."""

    def place(pair: KneePair) -> tuple[int, float, int]:
        return -abs(pair.knee.stage - pair.truth), -pair.knee.probabilities[pair.knee.stage], pair.row.line

    wrong = sorted((pair for pair in pairs if pair.knee.stage != pair.truth), key=place)
    return [
        Case(
            line=pair.row.line,
            patient=pair.row.patient,
            truth=f"grade {pair.truth}",
            answer=f"grade {pair.knee.stage} ({pair.knee.probabilities[pair.knee.stage]:.0%}, {pair.knee.quality})",
        )
        for pair in wrong[:MOST_CASES]
    ]
