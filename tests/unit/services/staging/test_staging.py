import numpy as np
import pytest

from services.staging.staging import finding, knee, stage
from shared.contracts.base import ModelReference
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.joints import KneeJoint

MODEL = ModelReference(name="m", version="1")


def graded(*probabilities, side="right"):
    return knee(KneeJoint((0, 0, 5, 5), side, 0.9, 1.0), np.array(probabilities))


def test_the_worse_knee_stands_for_the_radiograph():
    answer = finding([graded(0.1, 0.1, 0.1, 0.6, 0.1), graded(0.9, 0.1, 0, 0, 0, side="left")], MODEL)
    assert (answer.stage, answer.kl_grade) == (3, 3)
    assert (answer.label, answer.kl_name) == ("Severe", "moderate")
    assert [one.stage for one in answer.knees] == [3, 0]
    assert answer.probabilities == answer.knees[0].probabilities


def test_of_two_equal_grades_the_one_that_leans_higher():
    answer = finding([graded(0.2, 0.2, 0.6, 0, 0), graded(0, 0, 0.6, 0.2, 0.2, side="left")], MODEL)
    assert answer.probabilities[4] == 0.2


@pytest.mark.parametrize(
    ("grade", "label", "name"),
    [(0, "Normal", "none"), (1, "Mild", "doubtful"), (2, "Moderate", "mild"), (4, "Most Severe", "severe")],
)
def test_both_names_travel(grade, label, name):
    answer = finding([graded(*np.eye(5)[grade])], MODEL)
    assert (answer.label, answer.kl_name) == (label, name)


def test_a_grade_without_a_majority_is_uncertain():
    assert graded(0.4, 0.3, 0.3, 0, 0).quality == "uncertain"
    assert graded(0.6, 0.3, 0.1, 0, 0).quality == "good"


def test_no_joint_is_a_refusal_with_its_reason():
    class Nothing:
        def score(self, inputs):
            return {"heat": np.zeros((1, 64, 64, 1), np.float32), "width": np.zeros((1, 64, 64, 1), np.float32)}

    picture = Radiograph(np.zeros((300, 300), np.uint8), "png", (300, 300))
    with pytest.raises(ImageRefused) as caught:
        stage(picture, Nothing(), Nothing(), MODEL)
    assert caught.value.members["reason"] == "no_knee_joint"
