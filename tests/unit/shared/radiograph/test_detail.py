"""A joint is graded with confidence only where it holds the detail that the network was shown."""

import cv2
import numpy as np
import pytest

from shared.radiograph import Radiograph, phantom
from shared.radiograph.detail import LEAST_PIXELS, is_blurred, lack_of_detail

KNEE = phantom.knee(size=(1200, 1000))[380:680, 350:650]
SAYS = "The grade is uncertain"


def lack(pixels, width=300, of=None, quality=None):
    radiograph = Radiograph(pixels, "jpeg", of or (pixels.shape[1], pixels.shape[0]), jpeg_quality=quality)
    found = lack_of_detail(radiograph, (0, 0, width, width), pixels, SAYS)
    return found and found.type


def test_a_sharp_joint_lacks_nothing():
    assert lack(KNEE) is None


def test_pixels_are_counted_in_the_picture_as_it_was_sent():
    assert lack(KNEE, LEAST_PIXELS - 1) == "few_pixels"
    assert lack(KNEE, LEAST_PIXELS) is None
    assert lack(KNEE, 100, of=(600, 600)) is None


@pytest.mark.parametrize("sigma", [1.5, 2, 3, 5])
def test_a_blurred_joint_is_found_out(sigma):
    assert is_blurred(cv2.GaussianBlur(KNEE, (0, 0), sigma))
    assert lack(cv2.GaussianBlur(KNEE, (0, 0), sigma)) == "blurred"


def test_an_enlarged_joint_is_found_out():
    small = cv2.resize(KNEE, (90, 90), interpolation=cv2.INTER_AREA)
    assert lack(cv2.resize(small, (900, 900), interpolation=cv2.INTER_CUBIC), 900) == "blurred"


@pytest.mark.parametrize(
    ("quality", "width", "found"), [(92, 226, None), (30, 226, "heavy_compression"), (30, 553, None)]
)
def test_compression_counts_as_the_joint_is_small(quality, width, found):
    pixels = np.asarray(cv2.resize(KNEE, (width, width), interpolation=cv2.INTER_AREA), np.uint8)
    assert lack(pixels, width, quality=quality) == found
