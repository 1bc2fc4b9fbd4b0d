"""The test of windows: what it says of a change, and how often it raises an alarm where there is none."""

import numpy as np
import pytest

from gateway.assessing.drift_test import LEVEL, REFERENCE, SHORT, compared, counted, difference
from shared.proportions import fisher_p, wilson


def test_fishers_test_gives_the_published_values():
    assert fisher_p(3, 4, 1, 4) == pytest.approx(0.4857, abs=1e-4)  # Fisher's lady, 1935
    assert fisher_p(10, 13, 2, 17) == pytest.approx(0.000537, abs=1e-6)  # Fisher's twins of convicts, 1970
    assert fisher_p(0, 50, 0, 300) == 1


def test_wilsons_interval_is_the_published_one():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert wilson(0, 20)[0] == 0
    assert wilson(0, 0) == (0.0, 1.0)


def test_equal_shares_are_no_difference_and_few_cases_hardly_any():
    assert difference({"a": 150, "b": 150}, {"a": 25, "b": 25}) == 1
    assert difference({"a": 300}, {"a": 49, "b": 1}) > 0.1
    assert difference({"a": 300}, {"a": 40, "b": 10}) < 1e-6
    assert difference({}, {"a": 50}) == 1


def test_values_that_were_never_seen_are_a_difference():
    assert difference({"old": 300}, {"new": 50}) < 1e-10


def drawn(random, count, features=12, shift=0.0):
    """Cases with features of five values of uneven shares; `shift` moves the first feature's."""
    shares = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
    moved = np.array([0.5 - shift, 0.25, 0.15, 0.07, 0.03 + shift])
    columns = [random.choice(5, count, p=moved if number == 0 else shares) for number in range(features)]
    return [{f"f{number}": str(column[row]) for number, column in enumerate(columns)} for row in range(count)]


@pytest.mark.parametrize("size", [SHORT, 250])
def test_where_nothing_changes_at_most_one_window_in_a_hundred_raises_an_alarm(size):
    random, alarms, windows = np.random.default_rng(11), 0, 60_000 // size
    for _ in range(windows // 10):  # a new reference now and then, as its own chance is part of the rate
        reference = counted(drawn(random, REFERENCE))
        for _ in range(10):
            alarms += any(changed.alarm for changed in compared(reference, drawn(random, size)))
    # Three standard errors of a rate of one in a hundred above it.
    assert alarms / windows <= LEVEL + 3 * (LEVEL / windows) ** 0.5


def test_the_changed_feature_leads():
    random = np.random.default_rng(5)
    found = compared(counted(drawn(random, REFERENCE)), drawn(random, 250, shift=0.3))
    assert (found[0].feature, found[0].alarm) == ("f0", True)
    assert found[0].now["4"] > found[0].reference["4"]
    assert not any(changed.alarm for changed in found[1:])
