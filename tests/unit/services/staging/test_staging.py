import numpy as np
import pytest

from services.staging.decision import median_grade
from services.staging.sides import NamedSide
from services.staging.staging import UNLIKE_KNOWN, distances, evidence, knee, stage, unlike
from shared.contracts.base import ModelReference
from shared.contracts.film import FilmWarning
from shared.kl_grade import finding_of
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.joints import KneeJoint

MODEL = ModelReference(name="m", version="1")


def graded(*probabilities, side="right", confidence=0.9, visible=1.0, lack=None):
    joint, named = KneeJoint((0, 0, 5, 5), confidence, visible), NamedSide(side, "position")
    return knee(joint, named, lack, np.array(probabilities))


def test_the_worse_knee_stands_for_the_radiograph():
    answer = finding_of([graded(0.1, 0.1, 0.1, 0.6, 0.1), graded(0.9, 0.1, 0, 0, 0, side="left")], MODEL)
    assert (answer.stage, answer.kl_grade) == (3, 3)
    assert (answer.label, answer.kl_name) == ("Severe", "moderate")
    assert [knee.stage for knee in answer.knees] == [3, 0]
    assert answer.probabilities == answer.knees[0].probabilities


def test_of_two_equal_grades_the_one_that_leans_higher():
    answer = finding_of([graded(0.2, 0.2, 0.6, 0, 0), graded(0, 0, 0.6, 0.2, 0.2, side="left")], MODEL)
    assert answer.probabilities[4] == 0.2


@pytest.mark.parametrize(
    ("grade", "label", "name"),
    [(0, "Normal", "none"), (1, "Mild", "doubtful"), (2, "Moderate", "mild"), (4, "Most Severe", "severe")],
)
def test_both_names_travel(grade, label, name):
    answer = finding_of([graded(*np.eye(5)[grade])], MODEL)
    assert (answer.label, answer.kl_name) == (label, name)


@pytest.mark.parametrize(
    ("probabilities", "joint", "note"),
    [
        ((0.6, 0.3, 0.1, 0, 0), {}, None),
        ((0.4, 0.3, 0.3, 0, 0), {}, "No grade is likelier"),
        ((0.9, 0.1, 0, 0, 0), {"visible": 0.8}, "cut by the border"),
        ((0.9, 0.1, 0, 0, 0), {"confidence": 0.3}, "one may have been missed"),
    ],
)
def test_a_doubtful_grade_says_why(probabilities, joint, note):
    only = graded(*probabilities, **joint)
    assert only.quality == ("uncertain" if note else "good")
    assert only.note is None if note is None else note in only.note


def test_a_grade_without_enough_detail_is_uncertain_whatever_its_probability():
    few = FilmWarning(type="few_pixels", detail="Too few pixels.")
    assert (graded(1, 0, 0, 0, 0, lack=few).quality, graded(1, 0, 0, 0, 0, lack=few).note) == ("uncertain", few.detail)


def test_the_grade_is_the_median_and_not_the_likeliest():
    assert graded(0.4, 0.0, 0.3, 0.2, 0.1).stage == 2
    assert median_grade(np.array([[0.5, 0.1, 0.1, 0.1, 0.2], [0.1, 0.1, 0.2, 0.2, 0.4]])).tolist() == [0, 3]


def test_a_joint_unlike_the_known_ones_is_said_to_be():
    assert unlike(1.2) == UNLIKE_KNOWN
    assert unlike(0.8) is None
    assert distances({"distance": np.array([[0.5], [3.0]], np.float32)}, 2).tolist() == [0.5, 3.0]
    assert distances({}, 2).tolist() == [0, 0]  # a package from before there was a distance


def test_evidence_is_what_speaks_for_the_grade_rather_than_for_the_others():
    maps = np.zeros((2, 2, 5), np.float32)
    maps[0, 1] = [0, 0, 5, 0, 0]
    assert evidence(maps, 2).tolist() == [[0, 4], [0, 0]]
    assert evidence(maps, 1).tolist() == [[0, -1], [0, 0]]


def test_no_joint_is_a_refusal_with_its_reason():
    class Nothing:
        def score(self, inputs):
            return {"heat": np.zeros((1, 64, 64, 1), np.float32), "width": np.zeros((1, 64, 64, 1), np.float32)}

    picture = Radiograph(np.zeros((300, 300), np.uint8), "png", (300, 300))
    with pytest.raises(ImageRefused) as caught:
        stage(picture, Nothing(), Nothing(), MODEL)
    assert caught.value.members["reason"] == "no_knee_joint"
