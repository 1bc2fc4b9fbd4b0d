"""The joint space of drawn knees whose gap is known, and of pictures in which there is none to be measured."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from services.staging.joint_space import NARROWER_BY, compartments, gaps, joint_space
from services.staging.staging import unfit_to_measure
from shared.contracts.film import FilmWarning
from shared.inference.onnx import OnnxScorer
from shared.radiograph import Radiograph, phantom, phantom_knee
from shared.radiograph.intake import decode
from shared.radiograph.joints import JOINT_LINE_SHARE, MODEL, PLATEAU_SHARE, KneeJoint, find_knees

SIDE = 300
PLATEAU = SIDE * PLATEAU_SHARE
JOINT = KneeJoint((0, 0, SIDE, SIDE), 0.9, 1.0)


def drawn(left, right, scale=1):
    """A joint crop with gaps of so many pixels: bright bone, dark between, a little noise."""
    picture, line = np.full((SIDE, SIDE), 180.0, np.float32), round(SIDE * JOINT_LINE_SHARE)
    for columns, gap in ((slice(0, SIDE // 2), left), (slice(SIDE // 2, SIDE), right)):
        picture[line - gap // 2 : line - gap // 2 + gap, columns] = 80
    picture += np.random.default_rng(0).normal(0, 3, picture.shape).astype(np.float32)
    return cv2.resize(picture.clip(0, 255).astype(np.uint8), None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)


def radiograph(pixels, **facts):
    return Radiograph(pixels, "dicom", pixels.shape[::-1], **facts)


@pytest.mark.parametrize(("left", "right"), [(4, 12), (12, 4), (8, 8), (20, 14), (30, 26)])
def test_a_gap_of_known_width_is_measured_to_a_pixel(left, right):
    found = gaps(drawn(left, right), JOINT)
    assert [gap.pixels for gap in found] == pytest.approx([left, right], abs=1.0)


@pytest.mark.parametrize("scale", [0.7, 1, 2, 3])
def test_the_share_of_the_plateau_does_not_hang_on_the_pictures_size(scale):
    picture = drawn(10, 16, scale)
    box = (0, 0, picture.shape[1], picture.shape[0])
    space = joint_space(radiograph(picture), KneeJoint(box, 0.9, 1.0), "right")
    assert [width.ratio for width in space.compartments] == pytest.approx([16 / PLATEAU, 10 / PLATEAU], abs=0.005)


@pytest.mark.parametrize(
    ("side", "left", "right", "narrower"),
    [
        ("right", 6, 16, "lateral"),
        ("right", 16, 6, "medial"),
        ("left", 6, 16, "medial"),
        ("left", 16, 6, "lateral"),
        ("unknown", 6, 16, "left_in_picture"),
        ("unknown", 16, 6, "right_in_picture"),
        ("left", 10, 11, "neither"),
    ],
)
def test_the_narrower_compartment_is_named_by_the_knees_side(side, left, right, narrower):
    assert joint_space(radiograph(drawn(left, right)), JOINT, side).narrower == narrower


def test_the_mirror_image_is_the_other_knee_with_the_same_widths():
    picture = drawn(6, 16)
    one = joint_space(radiograph(picture), JOINT, "right")
    other = joint_space(radiograph(np.ascontiguousarray(picture[:, ::-1])), JOINT, "left")
    assert [width.compartment for width in one.compartments] == ["medial", "lateral"]
    assert (one.narrower, other.narrower) == ("lateral", "lateral")
    for width, again in zip(one.compartments, other.compartments, strict=True):
        assert again.ratio == pytest.approx(width.ratio, abs=NARROWER_BY / 4)


def test_a_picture_whose_rows_run_to_the_patients_right_is_a_mirror_image():
    assert compartments("right", ("L", "F")) == compartments("right", None) == ("lateral", "medial")
    assert compartments("right", ("R", "F")) == ("medial", "lateral")
    assert compartments("left", ("RH", "F")) == ("lateral", "medial")


@pytest.mark.parametrize("plane", ["patient", "detector", "unstated"])
def test_millimetres_come_from_the_distance_of_rows_and_say_where_they_hold(plane):
    space = joint_space(radiograph(drawn(10, 20), pixel_spacing_mm=(0.3, 0.3), spacing_plane=plane), JOINT, "right")
    assert [width.width_mm for width in space.compartments] == pytest.approx([6.0, 3.0], abs=0.3)
    assert space.spacing_plane == plane


def test_without_a_distance_there_is_the_share_alone():
    space = joint_space(radiograph(drawn(10, 20)), JOINT, "right")
    assert [width.width_mm for width in space.compartments] == [None, None]
    assert all(width.ratio for width in space.compartments)
    assert space.spacing_plane is None


def test_bones_that_touch_have_no_width_and_none_is_called_narrower():
    picture = drawn(12, 0)
    space = joint_space(radiograph(picture), JOINT, "right")
    assert [(width.compartment, width.withheld) for width in space.compartments] == [
        ("medial", "edges_unclear"), ("lateral", None),
    ]  # fmt: skip
    assert (space.compartments[0].ratio, space.narrower) == (None, None)


def test_a_gap_of_one_pixel_is_said_to_be_too_narrow_or_unclear_and_never_measured():
    found = gaps(drawn(1, 1), JOINT)
    assert all(gap.pixels is None and gap.withheld in ("too_narrow", "edges_unclear") for gap in found)


@pytest.mark.parametrize("picture", [np.zeros((SIDE, SIDE), np.uint8), np.full((SIDE, SIDE), 255, np.uint8)])
def test_an_empty_picture_has_no_edges(picture):
    assert [gap.withheld for gap in gaps(picture, JOINT)] == ["edges_unclear"] * 2


def test_noise_has_no_edges():
    noise = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE), dtype=np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    assert all(gap.pixels is None for gap in gaps(blurred, JOINT))


@pytest.mark.parametrize(
    ("joint", "lack", "why"),
    [
        ({}, None, None),
        ({"visible": 0.8}, None, "joint_cut"),
        ({"confidence": 0.3}, None, "joint_uncertain"),
        ({}, "few_pixels", "few_pixels"),
        ({}, "blurred", "blurred"),
        ({}, "heavy_compression", "heavy_compression"),
    ],
)
def test_a_knee_that_is_not_fit_to_be_measured_says_why(joint, lack, why):
    warning = FilmWarning(type=lack, detail="lack") if lack else None
    withheld = unfit_to_measure(replace(JOINT, **joint), warning)
    assert withheld == why
    space = joint_space(radiograph(drawn(10, 16)), JOINT, "right", withheld)
    assert (space.withheld, len(space.compartments)) == (why, 0 if why else 2)


@pytest.fixture(scope="module")
def finder():
    return OnnxScorer(MODEL)


@pytest.mark.parametrize(
    ("down", "tilt", "medial", "lateral", "narrower"),
    [
        (0, 0, 5.9, 6.3, "neither"),
        (-2, 0, 3.9, 4.3, "neither"),
        (0, -0.06, 4.3, 7.9, "medial"),
        (0, 0.06, 7.4, 4.7, "lateral"),
    ],
)
def test_the_phantoms_gap_is_found_with_its_narrower_side(finder, monkeypatch, down, tilt, medial, lateral, narrower):
    """Smallest vertical distances of the outlines, 10 to 28 mm from the middle; pixels are 0.35 mm."""
    femur, tibia, *others = phantom_knee.BONES
    moved = replace(tibia, outline=tuple((x, y + down + tilt * x) for x, y in tibia.outline))
    monkeypatch.setattr(phantom_knee, "BONES", (femur, moved, *others))
    film = decode(phantom.as_dicom(phantom.knee()))
    (joint,) = find_knees(film.pixels, finder, known_knee=True)
    space = joint_space(film, joint, "right")
    assert [width.width_mm for width in space.compartments] == pytest.approx([medial, lateral], abs=0.7)
    assert (space.narrower, space.spacing_plane) == (narrower, "detector")
