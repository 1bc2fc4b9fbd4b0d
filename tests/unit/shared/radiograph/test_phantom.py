"""The phantom is deterministic, obeys physics and is read like any radiograph."""

import hashlib
import time
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
def test_the_same_arguments_give_the_same_picture(draw: Callable[..., GrayPixels]) -> None:
    first, again, other = draw(1.0, 3, SIZE), draw(1.0, 3, SIZE), draw(1.0, 4, SIZE)
    assert first.dtype == np.uint8
    assert first.shape == SIZE
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    assert (first != other).any()


@pytest.mark.parametrize(
    ("draw", "bone", "soft"), [(phantom.knee, CONDYLE, CALF), (phantom.lumbar_spine, BODY_OF_L3, FLANK)]
)
def test_more_bone_is_brighter_and_soft_tissue_is_not(
    draw: Callable[..., GrayPixels], bone: tuple[slice, slice], soft: tuple[slice, slice]
) -> None:
    pictures = [draw(density, 0, SIZE) for density in (0.4, 0.7, 1.0, 1.3)]
    brightness = [float(picture[bone].mean()) for picture in pictures]
    assert np.all(np.diff(brightness) > 5)
    assert np.ptp([picture[soft].mean() for picture in pictures]) < 3
    assert brightness[0] > pictures[0][soft].mean()


def test_bone_is_brighter_than_flesh_and_flesh_than_air() -> None:
    picture = phantom.knee(size=SIZE)
    assert picture[CONDYLE].mean() > picture[CALF].mean() + 40
    assert picture[CALF].mean() > picture[:, :20].mean() + 40


@pytest.mark.parametrize("draw", [phantom.knee, phantom.lumbar_spine])
def test_full_size_is_drawn_in_a_second(draw: Callable[..., GrayPixels]) -> None:
    draw(size=SIZE)
    started = time.process_time()
    assert draw().shape == (2400, 2000)
    assert time.process_time() - started < 4  # 0.3 to 0.8 s on a free processor


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
