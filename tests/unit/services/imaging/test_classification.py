import numpy as np
import pytest

from services.imaging.classification import bone_of, finding
from services.imaging.gate import check_anatomy, check_readable
from services.imaging.network import CONTENTS, Anatomy
from shared.contracts.base import ModelReference
from shared.problems import ImageRefused
from shared.radiograph import Radiograph

MODEL = ModelReference(name="m", version="1")


def anatomy(**shares):
    assert set(shares) <= set(CONTENTS)
    return Anatomy(np.array([shares.get(content, 0.0) for content in CONTENTS]))


def found(bone, **shares):
    return finding(anatomy(**shares), np.array(bone), MODEL)


def radiograph(pixels, size=(400, 400)):
    return Radiograph(np.asarray(pixels, np.uint8), "png", size)


def test_the_classes_are_anatomy_times_bone_and_sum_to_one():
    answer = found([0.2, 0.3, 0.5], knee=0.6, spine_dxa=0.2, chest=0.2)
    assert answer.probabilities.knee_osteoporosis == pytest.approx(0.75 * 0.5)
    assert answer.probabilities.spine_osteoporosis == pytest.approx(0.25 * 0.5)
    assert sum(answer.probabilities.model_dump().values()) == pytest.approx(1)


def test_knowing_the_site_does_not_make_osteoporosis():
    assert found([0.9, 0.05, 0.05], spine_dxa=1.0).label == "normal"
    assert found([0.05, 0.05, 0.9], spine_dxa=1.0).label == "spine_osteoporosis"
    assert found([0.05, 0.05, 0.9], knee=1.0).label == "knee_osteoporosis"


def test_leading_osteopenia_is_told_as_low_bone_mass():
    answer = found([0.2, 0.7, 0.1], knee=1.0)
    assert answer.label == "normal"
    assert "Low bone mass likely" in answer.words
    assert "No osteoporosis seen" in found([0.8, 0.1, 0.1], knee=1.0).words


def test_an_uncut_spine_radiograph_is_indeterminate_whatever_the_bone_head_says():
    answer = found([0.0, 0.0, 1.0], spine_radiograph=0.9, spine_dxa=0.1)
    assert answer.indeterminate
    assert "uncut" in answer.words


def test_a_narrow_lead_is_indeterminate():
    assert found([0.3, 0.22, 0.48], knee=1.0).indeterminate
    assert not found([0.1, 0.2, 0.7], knee=1.0).indeterminate


def test_the_bone_of_a_knee_is_that_of_its_joints():
    bone = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    assert bone_of(anatomy(knee=1.0), bone, ["left", "right"]).tolist() == [0, 0.5, 0.5]
    assert bone_of(anatomy(knee=1.0), bone[:1], []).tolist() == [1, 0, 0]
    assert bone_of(anatomy(spine_dxa=1.0), bone, ["left", "right"]).tolist() == [1, 0, 0]


@pytest.mark.parametrize("content", ["chest", "hip", "limb", "knee_implant", "not_radiograph"])
def test_other_pictures_are_refused_with_their_reason(content):
    with pytest.raises(ImageRefused) as caught:
        check_anatomy(anatomy(knee=0.3, **{content: 0.7}))
    assert caught.value.members["reason"] == content
    check_anatomy(anatomy(knee=0.6, **{content: 0.4}))


def test_what_holds_too_little_is_refused():
    ramp = np.tile(np.arange(200, dtype=np.uint8), (200, 1))
    check_readable(radiograph(ramp))
    with pytest.raises(ImageRefused) as caught:
        check_readable(radiograph(np.full((200, 200), 77)))
    assert caught.value.members["reason"] == "blank"
    with pytest.raises(ImageRefused) as caught:
        check_readable(radiograph(ramp, size=(159, 400)))
    assert caught.value.members["reason"] == "too_small"
    check_readable(radiograph(ramp, size=(160, 160)))
