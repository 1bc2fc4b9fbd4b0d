"""The one pre-processing function gives what the networks were trained on, on every machine."""

from pathlib import Path

import numpy as np
import pytest

from shared.radiograph import phantom
from shared.radiograph.prepare import NETWORK_SIZE, network_input, squared

# Arrays written by `python -m tests.unit.shared.radiograph.goldens`; a change here means retraining every network.
GOLDENS = Path(__file__).with_name("goldens.npz")
ONE_GRAY_LEVEL = 1.01 / 255


@pytest.mark.parametrize("name", ["knee", "lumbar_spine"])
def test_goldens(name: str) -> None:
    with np.load(GOLDENS) as goldens:
        picture, expected = goldens[f"{name}_picture"], goldens[f"{name}_input"]
    prepared = network_input(picture)
    assert prepared.dtype == np.float32
    assert prepared.shape == (1, NETWORK_SIZE, NETWORK_SIZE, 1)
    # A tolerance of one level: libraries round differently between versions and processors.
    assert np.abs(prepared[0, :, :, 0] - expected / 255.0).max() <= ONE_GRAY_LEVEL


@pytest.mark.parametrize("name", ["knee", "lumbar_spine"])
def test_the_phantom_is_the_golden_picture(name: str) -> None:
    with np.load(GOLDENS) as goldens:
        expected = goldens[f"{name}_picture"].astype(int)
    drawn = getattr(phantom, name)(size=expected.shape)
    assert (np.abs(drawn - expected) <= 1).mean() > 0.999  # photon noise meets a rounding edge here and there


@pytest.mark.parametrize("shape", [(300, 250), (250, 300), (1, 500), (37, 37)])
def test_proportions_are_kept_on_black(shape: tuple[int, int]) -> None:
    square = squared(np.full(shape, 200, np.uint8), 100)
    rows, columns = (int((square.max(axis) > 0).sum()) for axis in (1, 0))
    assert (rows, columns) == tuple(max(1, round(side * 100 / max(shape))) for side in shape)
