"""Every figure against a hand count; tests/training holds the same ones against scikit-learn."""

import numpy as np
import pytest

from shared.figures import (
    accuracy,
    auc,
    balanced_accuracy,
    brier,
    calibration_error,
    calibration_line,
    expected_error,
    mean_error,
    net_benefit,
    quadratic_kappa,
    with_interval,
    within_one,
)

TRUTH = np.array([0, 0, 1, 2, 4])
GRADED = np.array([0, 1, 1, 4, 4])
HAS = np.array([True, True, False, False, False])


def test_grades():
    assert accuracy(TRUTH, GRADED) == pytest.approx(3 / 5)
    assert within_one(TRUTH, GRADED) == pytest.approx(4 / 5)
    assert mean_error(TRUTH, GRADED) == pytest.approx((0 + 1 + 0 + 2 + 0) / 5)
    # Recall of 0, 1, 2 and 4; nobody has a 3.
    assert balanced_accuracy(TRUTH, GRADED) == pytest.approx((1 / 2 + 1 + 0 + 1) / 4)


def test_quadratic_kappa():
    # Seen: (0 + 1 + 0 + 4 + 0) / 5. By chance: the mean over all 25 pairs of a truth and an answer, counted by hand:
    # the truths' squared distances to the answers (0, 1, 1, 4, 4) are 0: 34, 0: 34, 1: 19, 2: 14, 4: 34.
    assert quadratic_kappa(TRUTH, GRADED) == pytest.approx(1 - (5 / 5) / ((34 + 34 + 19 + 14 + 34) / 25))
    assert quadratic_kappa(TRUTH, TRUTH) == 1


def test_kappa_weighs_by_the_grade_and_not_by_its_place_among_those_that_occur():
    """Between 0 and 4 lie four grades, also where nobody has one between."""
    near = quadratic_kappa(np.array([0, 1, 4]), np.array([1, 1, 4]))
    far = quadratic_kappa(np.array([0, 1, 4]), np.array([4, 1, 4]))
    assert near > far


def test_kappa_of_one_grade_is_not_defined():
    with pytest.raises(ValueError, match="one grade"):
        quadratic_kappa(np.array([2, 2]), np.array([2, 2]))


def test_auc_counts_pairs_and_ties_half():
    score = np.array([0.9, 0.4, 0.4, 0.6, 0.1])
    # Of six pairs: 0.9 beats all three; 0.4 ties with 0.4, loses to 0.6, beats 0.1.
    assert auc(HAS, score) == pytest.approx((3 + 0.5 + 0 + 1) / 6)
    with pytest.raises(ValueError, match="one class"):
        auc(np.array([True, True]), np.array([0.1, 0.2]))


def test_brier():
    assert brier(np.array([True, False]), np.array([0.8, 0.4])) == pytest.approx((0.2**2 + 0.4**2) / 2)


def test_calibration_errors():
    happened = np.array([True, False, True, False])
    # Bins 0.1-0.2 (two of 0.15, one happened) and 0.9-1.0 (two of 0.95, one happened).
    probability = np.array([0.15, 0.15, 0.95, 0.95])
    assert expected_error(happened, probability) == pytest.approx(0.5 * 0.35 + 0.5 * 0.45)
    top = np.array([[0.8, 0.2], [0.8, 0.2]])
    assert calibration_error(top, np.array([0, 1])) == pytest.approx(0.3)


def test_the_calibration_line_finds_intercept_and_slope():
    """A group of each probability in which it is so as often as the line through its log odds says."""
    log_odds = np.repeat([-2.0, -1.0, 0.0, 1.0, 2.0], 20_000)
    happens = 1 / (1 + np.exp(-(0.5 + 0.7 * log_odds)))
    truth = np.tile(np.linspace(0, 1, 20_000, endpoint=False), 5) < happens
    intercept, slope = calibration_line(truth, 1 / (1 + np.exp(-log_odds)))
    assert intercept == pytest.approx(0.5, abs=0.001)
    assert slope == pytest.approx(0.7, abs=0.001)


@pytest.mark.parametrize(
    ("truth", "probability"),
    [([True, True], [0.2, 0.3]), ([False, False, True, True], [0.1, 0.2, 0.8, 0.9]), ([True, False], [0.5, 0.5])],
    ids=["one class", "separated", "one probability"],
)
def test_a_calibration_line_that_is_not_defined_says_so(truth, probability):
    with pytest.raises(ValueError, match="not defined"):
        calibration_line(np.array(truth), np.array(probability))


def test_net_benefit():
    called = np.array([True, False, True, False, False])
    # One true positive and one false one of five, weighed by the odds of 20 %.
    assert net_benefit(HAS, called, 0.2) == pytest.approx(1 / 5 - 1 / 5 * 0.25)


def test_the_interval_is_by_patient_and_repeats_with_its_seed():
    truth, graded = np.tile(TRUTH, 20), np.tile(GRADED, 20)
    one_each = [str(number) for number in range(100)]
    few = [str(number // 10) for number in range(100)]
    alone = with_interval(accuracy, one_each, truth, graded)
    assert alone == with_interval(accuracy, one_each, truth, graded)
    assert alone != with_interval(accuracy, one_each, truth, graded, seed=1)
    assert alone["low"] < 0.6 < alone["high"]
    # Ten patients who all have the same share right: resampling them changes nothing.
    assert with_interval(accuracy, few, truth, graded) == {"value": 0.6, "low": 0.6, "high": 0.6}
