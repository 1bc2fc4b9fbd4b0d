"""Small phantom radiographs: drawn once, they cost a few milliseconds."""

import pytest

from shared.radiograph import phantom
from shared.radiograph.prepare import GrayPixels


@pytest.fixture(scope="session")
def knee() -> GrayPixels:
    return phantom.knee(size=(300, 250))


@pytest.fixture(scope="session")
def spine() -> GrayPixels:
    return phantom.lumbar_spine(size=(300, 250))
