"""A scanned print in its white frame is no inverted film, unless what lies inside says so."""

import cv2
import numpy as np
import pytest

from services.imaging.network import look
from services.imaging.settings import Settings
from services.imaging.upright import correction, judged, within_white_frame
from shared.inference.onnx import OnnxScorer
from shared.radiograph import phantom


def framed(pixels, width=20, value=255):
    return cv2.copyMakeBorder(pixels, *[width] * 4, cv2.BORDER_CONSTANT, value=value)


@pytest.fixture(scope="module")
def network():
    return OnnxScorer(Settings(internal_secret="0" * 32).model / "imaging.onnx", 1)


@pytest.fixture(scope="module")
def film():
    return phantom.knee(size=(1000, 840))


@pytest.mark.parametrize("width", [8, 20, 50])
@pytest.mark.parametrize("is_inverted", [True, False])
def test_the_tones_are_those_inside_the_frame(network, film, width, is_inverted):
    sent = framed(255 - film if is_inverted else film, width)
    assert correction(judged(sent, look(sent, network), network)).inverted == is_inverted


def test_the_frame_alone_is_taken_away(film):
    assert np.array_equal(within_white_frame(framed(film)), film)


@pytest.mark.parametrize("other", ["no frame", "black frame", "three sides", "blank"])
def test_what_is_no_white_frame_stays(film, other):
    pictures = {
        "no frame": film,
        "black frame": framed(film, value=0),
        "three sides": framed(film)[20:],
        "blank": np.full((300, 300), 255, np.uint8),
    }
    assert within_white_frame(pictures[other]) is None
