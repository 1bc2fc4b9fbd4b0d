"""What is said of a figure beside the card's, and of the size of a table, is counted and not fixed."""

import numpy as np
import pytest

from gateway.evaluation.estimates import UNDEFINED, Bootstrap, beside_card, resolution, verdict
from gateway.evaluation.model import Estimate
from gateway.evaluation.probabilities import calibration_bins, discrimination
from shared.figures import accuracy


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("site", "less_is_better", "expected"),
    [
        ((0.5, 0.4, 0.6), False, "worse"),
        ((0.5, 0.4, 0.6), True, "better"),
        ((0.95, 0.92, 0.98), False, "better"),
        ((0.95, 0.92, 0.98), True, "worse"),
        ((0.75, 0.65, 0.85), False, "not_told_apart"),
    ],
)
def test_the_verdict_is_by_the_intervals(site, less_is_better, expected):
    assert verdict(estimate(*site), estimate(0.8, 0.7, 0.9), less_is_better) == expected


def test_all_alike_is_not_certain():
    """Twelve of twelve could well be three in four: 0.025 to the power of 1/12 is 0.735."""
    patients = np.array([str(number) for number in range(12)])
    everybody = Bootstrap(100, 0).share(patients, np.full(12, True))
    assert (everybody.value, everybody.low, everybody.high) == (1, pytest.approx(0.7354, abs=1e-4), 1)
    nobody = Bootstrap(100, 0).share(patients, np.full(12, False))
    assert (nobody.value, nobody.low, nobody.high) == (0, 0, pytest.approx(0.2646, abs=1e-4))
    two_each = np.repeat(patients[:6], 2)
    assert Bootstrap(100, 0).share(two_each, np.full(12, True)).low == pytest.approx(0.025 ** (1 / 6), abs=1e-4)
    some = Bootstrap(100, 0).share(patients, np.arange(12) < 9)
    assert some.value == 0.75
    assert some.low < 0.75 < some.high < 1.01
    assert verdict(estimate(1.0, 1.0, 1.0), estimate(0.8, 0.7, 0.9)) == "not_told_apart"


def test_a_card_without_the_figure_gives_no_verdict():
    figure = beside_card("sensitivity", "Sensitivity", estimate(0.5, 0.4, 0.6), {}, (60, "films"))
    assert (figure.card, figure.verdict) == (None, "not_measured")


def test_what_a_table_can_tell_follows_from_the_interval():
    # An interval 0.14 wide is 0.0357 a standard error; 2.8 of them are 0.10.
    said = resolution("Accuracy", estimate(0.80, 0.73, 0.87), (60, "knees"))
    assert "with 60 knees you cannot tell 0.80 from 0.70" in said
    assert "difference 0.10" in said
    # Half the difference takes four times as many knees.
    assert "A difference of 0.05 takes about 240 knees." in said


def test_a_narrow_interval_asks_for_no_more():
    assert "takes about" not in resolution("Accuracy", estimate(0.8, 0.78, 0.82), (900, "knees"))


def test_of_an_error_the_worse_is_the_higher():
    assert "cannot tell 0.40 from 0.50" in resolution("Error", estimate(0.40, 0.33, 0.47), (60, "knees"), True)


def test_nothing_is_said_where_nothing_is_known():
    assert resolution("AUC", UNDEFINED, (3, "films")) is None
    assert Bootstrap(100, 0)(accuracy, np.array([]), np.array([]), np.array([])) == UNDEFINED


def test_the_seed_decides_the_interval():
    patients = np.array([str(number) for number in range(40)])
    truth, answer = np.arange(40) % 2, np.arange(40) % 3 % 2
    assert Bootstrap(200, 5)(accuracy, patients, truth, answer) == Bootstrap(200, 5)(accuracy, patients, truth, answer)
    assert Bootstrap(200, 5)(accuracy, patients, truth, answer) != Bootstrap(200, 6)(accuracy, patients, truth, answer)


def test_bins_hold_equally_many_people_in_order():
    probability = np.arange(10) / 10
    bins = calibration_bins(np.arange(10) >= 5, probability)
    assert [found.people for found in bins] == [2, 2, 2, 2, 2]
    assert [found.predicted for found in bins] == [0.05, 0.25, 0.45, 0.65, 0.85]
    assert [found.observed for found in bins] == [0, 0, 0.5, 1, 1]


def test_the_decision_curve_against_a_hand_count():
    truth, probability = np.array([True, True, False, False]), np.array([0.9, 0.3, 0.4, 0.1])
    patients = np.array(list("abcd"))
    found = discrimination("?", patients, truth, probability, (0.2, 0.5), Bootstrap(100, 0))
    low, high = found.decision_curve
    # From 20 %: two true, one false, weighed by 1/4. Everybody: two and two.
    assert (low.network, low.everybody) == (pytest.approx(0.5 - 0.25 / 4, abs=1e-4), pytest.approx(0.5 - 0.5 / 4))
    # From 50 %: one true; everybody: as many false as true, weighed by one.
    assert (high.network, high.everybody) == (0.25, 0.0)


def test_there_is_no_curve_where_everybody_has_it():
    assert discrimination("?", np.array(["a"]), np.array([True]), np.array([0.5]), (0.5,), Bootstrap(100, 0)) is None
