"""How good a probability is: calibration, Brier score and decision curve of one yes-or-no question."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.model import Calibration, CalibrationBin, DecisionPoint, Discrimination
from shared.figures import brier, calibration_line, expected_error, net_benefit

Truth = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
# So many bins of equally many people, fewer where there are few people.
BINS, FEW_BINS, FEW_PEOPLE = 10, 5, 100


def discrimination(
    question: str,
    patients: npt.NDArray[np.str_],
    truth: Truth,
    probability: Floats,
    thresholds: Sequence[float],
    bootstrap: Bootstrap,
) -> Discrimination | None:
    """Calibration and benefit of a probability; None where nobody or everybody has what is asked for.

    Args:
        thresholds: probabilities from which somebody would be sent on, for the decision curve.
    """
    if truth.all() or not truth.any():
        return None
    return Discrimination(
        question=question,
        with_it=int(truth.sum()),
        without_it=int((~truth).sum()),
        brier=bootstrap(brier, patients, truth, probability),
        calibration=Calibration(
            error=bootstrap(expected_error, patients, truth, probability),
            intercept=bootstrap(lambda t, p: calibration_line(t, p)[0], patients, truth, probability),
            slope=bootstrap(lambda t, p: calibration_line(t, p)[1], patients, truth, probability),
            bins=calibration_bins(truth, probability),
        ),
        decision_curve=[_benefit(truth, probability, threshold) for threshold in thresholds],
    )


def calibration_bins(truth: Truth, probability: Floats) -> list[CalibrationBin]:
    """People in order of their probability, in bins of equally many."""
    order = np.argsort(probability, kind="stable")
    bins = np.array_split(order, BINS if len(order) >= FEW_PEOPLE else FEW_BINS)
    return [
        CalibrationBin(
            predicted=round(float(probability[rows].mean()), 4),
            observed=round(float(truth[rows].mean()), 4),
            people=len(rows),
        )
        for rows in bins
        if len(rows)
    ]


def _benefit(truth: Truth, probability: Floats, threshold: float) -> DecisionPoint:
    everybody = np.full(len(truth), True)
    return DecisionPoint(
        threshold=threshold,
        network=round(net_benefit(truth, probability >= threshold, threshold), 4),
        everybody=round(net_benefit(truth, everybody, threshold), 4),
    )
