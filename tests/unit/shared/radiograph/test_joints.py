"""The joint finder's geometry, and the shipped network on phantoms."""

from typing import Any

import cv2
import numpy as np
import pytest

from shared.inference import Tensors
from shared.inference.onnx import OnnxScorer
from shared.manifest import verify_manifest
from shared.radiograph import phantom
from shared.radiograph.joints import (
    FINDER_SIZE,
    HEAT,
    INPUT,
    JOINT_LINE_SHARE,
    MAPS_SIZE,
    MODEL,
    PLATEAU_SHARE,
    WIDTH,
    find_knees,
    joint_crop,
)
from shared.radiograph.prepare import GrayPixels

# The phantom's joint: middle of the joint line and width of the plateau in shares of its height of 360 mm.
JOINT_Y, PLATEAU = 0.42 + 3.0 / 360, 77.0 / 360


class Drawn:
    """A scorer that answers with peaks drawn at (x, y, width) in shares of the square, each with its height."""

    def __init__(self, *peaks: tuple[float, float, float, float]) -> None:
        self.peaks = peaks
        self.asked: Tensors = {}

    def score(self, inputs: Tensors) -> dict[str, Any]:
        self.asked = inputs
        rows, columns = (np.mgrid[:MAPS_SIZE, :MAPS_SIZE] + 0.5) / MAPS_SIZE
        heat, width = np.zeros((2, MAPS_SIZE, MAPS_SIZE), np.float32)
        for x, y, across, height in self.peaks:
            peak = height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 0.02**2))
            width = np.where(peak > heat, across, width).astype(np.float32)
            heat = np.maximum(heat, peak).astype(np.float32)
        return {HEAT: heat[None, :, :, None], WIDTH: width[None, :, :, None]}


def blank(height: int = 500, width: int = 1000) -> GrayPixels:
    return np.full((height, width), 90, np.uint8)


def test_the_network_is_given_the_whole_picture() -> None:
    scorer = Drawn()
    assert find_knees(blank(), scorer) == []
    assert scorer.asked[INPUT].shape == (1, FINDER_SIZE, FINDER_SIZE, 1)


def test_two_legs_from_left_to_right_with_their_sides() -> None:
    knees = find_knees(blank(), Drawn((0.703, 0.5, 0.1, 0.9), (0.302, 0.45, 0.12, 0.8)))
    assert [knee.confidence for knee in knees] == pytest.approx([0.8, 0.9], abs=0.15)
    x, y, width, height = knees[0].box
    assert width == height == pytest.approx(0.12 * 1000 / PLATEAU_SHARE, abs=1)
    assert x + width / 2 == pytest.approx(302, abs=3)
    # The picture is half as high as wide, so the square has a quarter of padding above it.
    assert y + height * JOINT_LINE_SHARE == pytest.approx(450 - 250, abs=3)


def test_low_peaks_and_neighbours_are_left_out_and_third_knees_counted() -> None:
    assert find_knees(blank(), Drawn((0.5, 0.5, 0.2, 0.3))) == []
    assert len(find_knees(blank(), Drawn((0.5, 0.5, 0.2, 0.9), (0.6, 0.55, 0.2, 0.8)))) == 1
    assert len(find_knees(blank(), Drawn((0.2, 0.5, 0.1, 0.9), (0.5, 0.5, 0.1, 0.8), (0.8, 0.5, 0.1, 0.7)))) == 3
    assert len(find_knees(blank(), Drawn((0.2, 0.5, 0.1, 0.9), (0.5, 0.5, 0.1, 0.8), (0.8, 0.5, 0.1, 0.3)))) == 2


def test_a_second_knee_is_believed_sooner_than_a_first() -> None:
    assert len(find_knees(blank(), Drawn((0.2, 0.5, 0.1, 0.9), (0.8, 0.5, 0.1, 0.32)))) == 2
    assert len(find_knees(blank(), Drawn((0.2, 0.5, 0.1, 0.9), (0.8, 0.5, 0.1, 0.2)))) == 1
    assert find_knees(blank(), Drawn((0.2, 0.5, 0.1, 0.3), (0.8, 0.5, 0.1, 0.3))) == []


def test_a_crop_is_taken_whole() -> None:
    (knee,) = find_knees(blank(224, 224), Drawn((0.5, 0.58, 0.76, 0.9)))
    assert knee.box == (0, 0, 224, 224)
    assert knee.visible == 1.0


def test_a_joint_at_the_border_says_how_much_is_visible() -> None:
    (knee,) = find_knees(blank(1000, 1000), Drawn((0.5, 0.96, 0.2, 0.9)))
    _, y, width, height = knee.box
    assert y + height > 1000
    assert knee.visible == pytest.approx((1000 - y) / height, abs=0.01)
    crop = joint_crop(blank(1000, 1000), knee.box)
    assert crop.shape == (height, width)
    assert crop[: 1000 - y].min() == 90
    assert crop[1000 - y :].max() == 0


def test_a_box_beyond_every_border_is_black_there() -> None:
    crop = joint_crop(blank(20, 30), (-5, -7, 60, 60))
    assert crop.shape == (60, 60)
    assert crop[7:27, 5:35].min() == 90
    assert int((crop > 0).sum()) == 600


@pytest.fixture(scope="module")
def network() -> OnnxScorer:
    verify_manifest(MODEL.parent)
    return OnnxScorer(MODEL)


def near(box: tuple[int, int, int, int], x: float, y: float, plateau: float) -> bool:
    left, top, side, _ = box
    distance = np.hypot(left + side / 2 - x, top + side * JOINT_LINE_SHARE - y)
    return bool(distance < 0.15 * plateau and 0.8 < side * PLATEAU_SHARE / plateau < 1.25)


def test_the_network_finds_the_phantoms_knee(network: OnnxScorer) -> None:
    picture = phantom.knee(size=(900, 750))
    (knee,) = find_knees(picture, network)
    assert near(knee.box, 375, JOINT_Y * 900, PLATEAU * 900)
    assert knee.visible == 1.0


def test_the_network_finds_both_legs(network: OnnxScorer) -> None:
    right = phantom.knee(size=(900, 500))
    picture = np.hstack([right, right[:, ::-1]])
    knees = find_knees(picture, network)
    assert len(knees) == 2
    assert all(near(knee.box, x, JOINT_Y * 900, PLATEAU * 900) for knee, x in zip(knees, (250, 750), strict=True))


def test_the_network_finds_none_where_there_is_none(network: OnnxScorer) -> None:
    assert find_knees(phantom.lumbar_spine(size=(900, 750)), network) == []
    assert find_knees(np.zeros((300, 300), np.uint8), network) == []


def test_a_crop_of_the_phantom_is_taken_whole(network: OnnxScorer) -> None:
    picture = phantom.knee(size=(1800, 1500))
    side = round(PLATEAU * 1800 / PLATEAU_SHARE)
    top = round(JOINT_Y * 1800 - JOINT_LINE_SHARE * side)
    crop = cv2.resize(picture[top : top + side, 750 - side // 2 : 750 + side // 2], (224, 224))
    (knee,) = find_knees(np.asarray(crop, np.uint8), network)
    assert knee.box == (0, 0, 224, 224)
