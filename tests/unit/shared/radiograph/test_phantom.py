"""The phantom is deterministic, obeys physics and is read like any radiograph."""

from collections.abc import Callable

import numpy as np
import pytest

from shared.radiograph import phantom
from shared.radiograph.intake import decode
from shared.radiograph.prepare import GrayPixels

SIZE = (480, 400)
# Parts of the 480 x 400 pictures (rows, columns) inside bone and inside soft tissue only.
CONDYLE, CALF = (slice(165, 185), slice(225, 240)), (slice(330, 380), slice(125, 143))
BODY_OF_L3, FLANK = (slice(214, 218), slice(186, 214)), (slice(180, 230), slice(70, 100))


@pytest.mark.parametrize("draw", [phantom.knee, phantom.lumbar_spine])
def test_full_size(draw: Callable[..., GrayPixels]) -> None:
    assert draw().shape == (2400, 2000)


@pytest.mark.parametrize("size", [(64, 48), (301, 247), (100, 400)])
def test_any_size(size: tuple[int, int]) -> None:
    assert phantom.knee(size=size).shape == size
    assert phantom.lumbar_spine(size=size).shape == size


@pytest.mark.parametrize("make", [phantom.as_jpeg, phantom.as_png16, phantom.as_dicom])
def test_the_intake_reads_it(knee: GrayPixels, make: Callable[[GrayPixels], bytes]) -> None:
    radiograph = decode(make(knee))
    assert radiograph.pixels.shape == knee.shape
    assert np.corrcoef(radiograph.pixels.ravel(), knee.ravel())[0, 1] > 0.99


def test_the_same_picture_is_the_same_dicom_object(knee: GrayPixels) -> None:
    assert phantom.as_dicom(knee) == phantom.as_dicom(knee)
