"""What is read off a picture's levels."""

import numpy as np
import pytest

from shared.radiograph.phantom import knee
from shared.radiograph.tones import mean_and_spread, percentiles_of

RANDOM = np.random.default_rng(5)
PICTURES = {
    "a knee": knee(size=(700, 550)),
    "one level": np.full((9, 7), 200, np.uint8),
    "one pixel": np.array([[3]], np.uint8),
    "black and white": RANDOM.choice(np.array([0, 255], np.uint8), (31, 33)),
    "every level": RANDOM.integers(0, 256, (64, 50), np.uint8),
}


@pytest.mark.parametrize("name", PICTURES)
def test_percentiles_by_histogram_are_numpys(name):
    shares = (0, 1, 2.5, 50, 99, 99.5, 100)
    assert percentiles_of(PICTURES[name], shares) == pytest.approx(list(np.percentile(PICTURES[name], shares)))


@pytest.mark.parametrize("name", PICTURES)
def test_mean_and_spread_are_numpys(name):
    picture = PICTURES[name]
    assert mean_and_spread(picture) == pytest.approx((picture.mean(), picture.std()))
