"""Writing burned into a picture is told; a side marker is none."""

import cv2
import numpy as np
import pytest

from services.imaging.writing import writing
from shared.radiograph import phantom

KNEE = phantom.knee(size=(1000, 800))


def written(text, scale=0.6, at=(20, 40)):
    return np.asarray(cv2.putText(KNEE.copy(), text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA))


@pytest.mark.parametrize(("text", "scale"), [("DOE^JANE 1951", 0.5), ("ID 0042 HOSPITAL", 0.8), ("12.03.1960", 1.2)])
def test_a_line_of_writing_is_found(text, scale):
    assert [warning.type for warning in writing(written(text, scale))] == ["burned_in_text"]


@pytest.mark.parametrize("text", ["", "R", "L", "R AP"])
def test_a_film_with_a_marker_or_none_is_clean(text):
    assert writing(written(text, 1.5)) == []


def test_texture_is_no_writing():
    noise = np.random.default_rng(0).integers(0, 256, (800, 800)).astype(np.uint8)
    assert writing(noise) == []
