"""A knee's side: by the file first, by position only where two legs lie beside each other."""

import numpy as np
import pytest

from services.staging.sides import LEFT_FIRST, RIGHT_FIRST, name_sides, one_leg_twice, upside_down_beside
from shared.inference.onnx import OnnxScorer
from shared.radiograph import Radiograph, phantom
from shared.radiograph.joints import MODEL, KneeJoint, find_knees
from shared.radiograph.upright import Correction, corrected

RIGHT = phantom.knee(size=(900, 500))
LEFT = np.ascontiguousarray(phantom.knee(seed=1, size=(900, 500))[:, ::-1])
BOTH = np.hstack([RIGHT, LEFT])


@pytest.fixture(scope="module")
def finder() -> OnnxScorer:
    return OnnxScorer(MODEL)


def film(pixels, **tags) -> Radiograph:
    return Radiograph(pixels, "dicom", (pixels.shape[1], pixels.shape[0]), **tags)


def named(finder, pixels, **tags):
    radiograph = film(pixels, **tags)
    sides, odd = name_sides(radiograph, find_knees(radiograph.pixels, finder, known_knee=True))
    return tuple(side.side for side in sides), {side.source for side in sides}, [warning.type for warning in odd]


def test_two_legs_are_named_by_position(finder):
    assert named(finder, BOTH) == (RIGHT_FIRST, {"position"}, [])


@pytest.mark.parametrize(
    ("orientation", "sides"), [(("L", "F"), RIGHT_FIRST), (("R", "F"), LEFT_FIRST), (("RP", "F"), LEFT_FIRST)]
)
def test_patient_orientation_comes_before_position(finder, orientation, sides):
    assert named(finder, BOTH, patient_orientation=orientation) == (sides, {"tag"}, [])


def test_a_turned_picture_takes_its_orientation_along(finder):
    upside_down = film(np.ascontiguousarray(np.rot90(BOTH, 2)), patient_orientation=("R", "H"))
    upright = corrected(upside_down, Correction(180))
    assert upright.patient_orientation == ("L", "F")
    assert corrected(film(BOTH, patient_orientation=("L", "F")), Correction(90)).patient_orientation == ("F", "R")
    assert corrected(film(BOTH), Correction(90)).patient_orientation is None


@pytest.mark.parametrize(("laterality", "side"), [(None, "unknown"), ("left", "left")])
def test_one_leg_has_a_side_only_if_the_file_names_it(finder, laterality, side):
    sides, sources, odd = named(finder, RIGHT, laterality=laterality)
    assert (sides, odd) == ((side,), [])
    assert sources == {"tag" if laterality else "unknown"}


@pytest.mark.parametrize(("laterality", "side"), [(None, "unknown"), ("right", "right")])
@pytest.mark.parametrize("stacked", [False, True])
def test_two_exposures_of_one_leg_are_not_right_and_left(finder, laterality, side, stacked):
    again = phantom.knee(seed=3, size=(900, 500))
    pixels = np.vstack([RIGHT, again]) if stacked else np.hstack([RIGHT, again])
    sides, _, odd = named(finder, pixels, laterality=laterality)
    assert (sides, odd) == ((side, side), ["same_leg_twice"])


def test_two_legs_in_a_file_of_one_side_contradict_it(finder):
    assert named(finder, BOTH, laterality="left") == (("unknown", "unknown"), {"unknown"}, ["side_differs"])


def test_more_than_two_knees_have_no_sides():
    joints = [KneeJoint((x, 0, 50, 50), 0.9, 1.0) for x in (0, 100, 200)]
    sides, odd = name_sides(film(BOTH), joints)
    assert {side.side for side in sides} == {"unknown"}
    assert [warning.type for warning in odd] == ["more_than_two_knees"]
    assert "3 knees" in odd[0].detail


def test_a_second_knee_upside_down_is_seen(finder):
    pixels = np.hstack([RIGHT, np.ascontiguousarray(LEFT[::-1])])
    joints = find_knees(pixels, finder, known_knee=True)
    assert len(joints) == 1
    assert [warning.type for warning in upside_down_beside(pixels, joints, finder)] == ["upside_down"]
    beside = np.hstack([RIGHT, np.zeros_like(LEFT)])
    assert upside_down_beside(beside, find_knees(beside, finder, known_knee=True), finder) == []


def test_legs_mirror_each_other(finder):
    assert not one_leg_twice(BOTH, *find_knees(BOTH, finder))
    twice = np.hstack([LEFT, LEFT])
    assert one_leg_twice(twice, *find_knees(twice, finder))
