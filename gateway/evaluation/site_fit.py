"""A site's own settings from its labelled films; refused, with the reason, where they are too few or do not help.

Figures are out of fold by patient: what is chosen on four fifths of the patients is measured on the fifth that is left.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gateway.assessing.site_settings import EDGE
from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.model import Estimate
from gateway.evaluation.pairs import BonePair, KneePair, patients_of
from shared.contracts.base import ModelReference
from shared.contracts.findings import Anatomy
from shared.contracts.site_settings import GradeCalibration, Measured, OperatingPoint, Prevalence
from shared.problems import InvalidInput
from shared.proportions import wilson

FOLDS = 5
# Two numbers are learned for grades; a hundred patients with both kinds of knees settle them.
FEWEST_PATIENTS, FEWEST_KNEES_EITHER_SIDE = 100, 20
# With fifty of a kind the 95 % interval of a sensitivity of 0.90 reaches from 0.79 to 0.96.
FEWEST_OF_A_KIND = 50
FEWEST_FOR_PREVALENCE = 200
# How far temperature (as its logarithm) and shift are looked for, and how finely.
LOG_TEMPERATURES, SHIFTS, STEPS, ROUNDS = 1.5, 4.0, 21, 6
Floats = npt.NDArray[np.float64]


class NotFitted(InvalidInput):
    """Nothing is learned from these cases; the detail says why."""


def fit_grades(pairs: Sequence[KneePair], model: ModelReference, bootstrap: Bootstrap) -> GradeCalibration:
    """Temperature and shift for the site's knees, by maximum likelihood.

    Args:
        pairs: with the network's own probabilities. model: the network.

    Raises:
        NotFitted: too few patients or knees, or the recalibrated probabilities are not shown to be better.
    """
    patients = patients_of(pairs)
    truth = np.array([pair.truth for pair in pairs], np.int64)
    high = int((truth >= 2).sum())
    people, low = len(set(patients)), len(truth) - high
    if people < FEWEST_PATIENTS or min(high, low) < FEWEST_KNEES_EITHER_SIDE:
        raise NotFitted(
            f"Grades are not recalibrated on {people} patients with {low} knees below grade 2 and {high} of grade 2 or "
            f"more: it takes {FEWEST_PATIENTS} patients and {FEWEST_KNEES_EITHER_SIDE} knees of either kind."
        )
    log_odds = cumulative(np.array([pair.knee.probabilities for pair in pairs], np.float64))
    before = log_losses(log_odds, truth, 1.0, 0.0)
    after = np.empty(len(truth))
    for held_out in folds(patients):
        temperature, shift = best(log_odds[~held_out], truth[~held_out])
        after[held_out] = log_losses(log_odds[held_out], truth[held_out], temperature, shift)
    difference = bootstrap(lambda gain: float(gain.mean()), patients, after - before)
    if difference.high is None or difference.high >= 0:
        raise NotFitted(
            f"Grades are not recalibrated: on patients that it was not learned from, the log loss changes by "
            f"{_shown(difference)}, so it is not shown to help."
        )
    temperature, shift = best(log_odds, truth)
    return GradeCalibration(
        model=model,
        temperature=round(temperature, 4),
        shift=round(shift, 4),
        patients=people,
        knees=len(truth),
        log_loss_before=round(float(before.mean()), 4),
        log_loss_after=round(float(after.mean()), 4),
        log_loss_difference=_measured(difference),
    )


def fit_operating_point(
    anatomy: Anatomy, pairs: Sequence[BonePair], wanted: float, bootstrap: Bootstrap
) -> OperatingPoint:
    """The highest threshold at which the wanted share of the site's people with osteoporosis is called.

    Raises:
        NotFitted: too few people of either kind, or calling at it is not shown to be better than chance.
    """
    patients = patients_of(pairs)
    truth = np.array([pair.truth for pair in pairs], np.bool_)
    score = np.array([pair.finding.bone.osteoporosis for pair in pairs], np.float64)
    sick, well = len(set(patients[truth])), len(set(patients[~truth]))
    if min(sick, well) < FEWEST_OF_A_KIND:
        raise NotFitted(
            f"No operating point is chosen for {anatomy}s on {sick} patients with osteoporosis and {well} without: it "
            f"takes {FEWEST_OF_A_KIND} of either kind."
        )
    called = np.empty(len(truth), np.bool_)
    for held_out in folds(patients):
        called[held_out] = score[held_out] >= threshold_for(truth[~held_out], score[~held_out], wanted)
    gained = bootstrap(_more_often_called, patients, truth, called)
    if gained.low is None or gained.low <= 0:
        raise NotFitted(
            f"No operating point is chosen for {anatomy}s: at a sensitivity of {wanted:.0%} people with osteoporosis "
            f"are called more often than others by {_shown(gained)}, which is not shown to be better than chance."
        )
    return OperatingPoint(
        model=pairs[0].finding.model,
        anatomy=anatomy,
        wanted_sensitivity=wanted,
        threshold=threshold_for(truth, score, wanted),
        patients_with=sick,
        patients_without=well,
        sensitivity=_measured(bootstrap.share(patients[truth], called[truth])),
        specificity=_measured(bootstrap.share(patients[~truth], ~called[~truth])),
    )


def prevalence_of(pairs: Sequence[BonePair]) -> Prevalence:
    """The share of the table's patients who have osteoporosis; it is the site's only if films were taken as they come.

    Raises:
        NotFitted: too few patients, or all are alike.
    """
    has: dict[str, bool] = {}
    for pair in pairs:
        has[pair.row.patient] = has.get(pair.row.patient, False) or pair.truth
    sick, count = sum(has.values()), len(has)
    if count < FEWEST_FOR_PREVALENCE or not 0 < sick < count:
        raise NotFitted(
            f"No prevalence is taken from {count} patients of whom {sick} have osteoporosis: it takes "
            f"{FEWEST_FOR_PREVALENCE}, of both kinds. Name it with --prevalence if you know it."
        )
    low, high = wilson(sick, count)
    return Prevalence(
        value=round(sick / count, 4), basis=f"{sick} of {count} patients of the table ({low:.3f} to {high:.3f})"
    )


def _more_often_called(truth: npt.NDArray[np.bool_], called: npt.NDArray[np.bool_]) -> float:
    """Sensitivity plus specificity less one (Youden 1950)."""
    if truth.all() or not truth.any():
        raise ValueError("Not defined: there is one class only.")
    return float(called[truth].mean() - called[~truth].mean())


def threshold_for(truth: npt.NDArray[np.bool_], score: Floats, wanted: float) -> float:
    """The highest of the scores of the sick from which on the wanted share of them is called."""
    sick = np.sort(score[truth])[::-1]
    lowest = sick[min(len(sick), math.ceil(wanted * len(sick) - 1e-9)) - 1]
    return float(min(1 - EDGE, max(EDGE, lowest)))


def cumulative(probabilities: Floats) -> Floats:
    """Log odds of "grade k or more" for k of 1 to 4: (count, 4) of (count, 5)."""
    at_least = np.clip(probabilities[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:], EDGE, 1 - EDGE)
    return np.asarray(np.log(at_least / (1 - at_least)))


def log_losses(log_odds: Floats, truth: npt.NDArray[np.int64], temperature: float, shift: float) -> Floats:
    """Of each knee, with the probabilities that this calibration gives."""
    at_least = 1 / (1 + np.exp(-(log_odds + shift) / temperature))
    edges = np.hstack([np.ones((len(truth), 1)), at_least, np.zeros((len(truth), 1))])
    probabilities = np.clip(edges[:, :-1] - edges[:, 1:], EDGE, 1)
    return np.asarray(-np.log(probabilities[np.arange(len(truth)), truth]))


def best(log_odds: Floats, truth: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Temperature and shift of the least mean log loss, looked for on ever finer grids."""
    centre, width = (0.0, 0.0), (LOG_TEMPERATURES, SHIFTS)
    for _ in range(ROUNDS):
        tried = [
            (float(log_losses(log_odds, truth, math.exp(t), s).mean()), t, s)
            for t in np.linspace(centre[0] - width[0], centre[0] + width[0], STEPS)
            for s in np.linspace(centre[1] - width[1], centre[1] + width[1], STEPS)
        ]
        _, t, s = min(tried)
        centre, width = (t, s), (width[0] / 4, width[1] / 4)
    return math.exp(centre[0]), float(centre[1])


def folds(patients: npt.NDArray[np.str_]) -> list[npt.NDArray[np.bool_]]:
    """Which rows are held out in each fold; a patient's are in one, and the same table always gives the same."""
    names = np.unique(patients)
    fold_of = dict(zip(names, np.random.default_rng(0).permutation(len(names)) % FOLDS, strict=True))
    of_rows = np.array([fold_of[name] for name in patients])
    return [of_rows == fold for fold in range(FOLDS)]


def _measured(estimate: Estimate) -> Measured:
    return Measured.model_validate(estimate.model_dump())


def _shown(estimate: Estimate) -> str:
    if estimate.value is None:
        return "what is not defined for these people"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
