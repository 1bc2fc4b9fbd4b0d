"""An open installation lets nothing through that a research-only part says."""

import numpy as np
import pytest

import services.imaging.settings as imaging
from services.imaging.classification import classify
from services.imaging.network import SITES, look
from services.imaging.open_network import NoFinder, OpenNetwork, closed_in
from shared.contracts.base import ModelReference
from shared.inference.onnx import OnnxScorer
from shared.radiograph import joints
from shared.radiograph.intake import decode
from shared.weights import closed_joint_finder
from tests.weights import card_of

CLOSED_SITES = [number for number, site in enumerate(SITES) if site != "knee"]


class Poisoned:
    """The shipped network, with every answer of a closed part turned to nonsense."""

    def __init__(self):
        self._network = OnnxScorer(imaging.SHIPPED / "imaging.onnx")

    def score(self, inputs):
        outputs = self._network.score(inputs)
        for name in ("anatomy", "turn", "inverted"):
            outputs[name] = np.full_like(outputs[name], np.nan)
        outputs["bone"][:, CLOSED_SITES] = np.nan
        outputs["heat"][..., CLOSED_SITES] = np.nan
        return outputs

    def check(self):
        """It is here."""


@pytest.fixture(scope="module")
def closed():
    return closed_in(card_of("services/imaging/model"))


@pytest.fixture(scope="module")
def finder():
    return OnnxScorer(joints.MODEL)


def read(jpeg, network, closed, finder):
    return classify(decode(jpeg), network, finder, ModelReference(name="m", version="1"), {}, 0.1, closed)


def test_a_spine_is_indeterminate_and_the_reason_names_the_licence(spine_jpeg, closed, finder):
    reading = read(spine_jpeg, OpenNetwork(Poisoned(), closed), closed, finder)
    assert (reading.finding.anatomy, reading.finding.indeterminate) == ("spine", True)
    assert "weights that are for research only" in reading.finding.summary
    assert "spine_masked" in reading.finding.summary
    assert reading.finding.stand_alone is None
    assert sum(reading.finding.bone.model_dump().values()) == pytest.approx(1, abs=1e-3)
    assert [warning.type for warning in reading.warnings][:1] == ["orientation_unchecked"]


def test_with_an_open_joint_finder_a_knee_is_read_and_no_closed_part_had_a_say(knee_jpeg, closed, finder):
    network = OnnxScorer(imaging.SHIPPED / "imaging.onnx")
    poisoned, whole = (
        read(knee_jpeg, OpenNetwork(scorer, closed), closed, finder).finding for scorer in (Poisoned(), network)
    )
    assert poisoned == whole
    assert poisoned.anatomy == "knee"
    assert not any(np.isnan(value) for value in poisoned.bone.model_dump().values())


def test_the_open_head_tells_knees_from_spines_as_the_other_does(knee_jpeg, spine_jpeg, closed):
    network = OnnxScorer(imaging.SHIPPED / "imaging.onnx")
    for jpeg in (knee_jpeg, spine_jpeg):
        pixels = decode(jpeg).pixels
        usual, of_open = look(pixels, network).anatomy, look(pixels, OpenNetwork(network, closed)).anatomy
        assert (usual.knee > usual.spine) == (of_open.knee > of_open.spine)
        assert of_open.other < 0.5


def test_without_a_joint_finder_a_knee_is_indeterminate_and_says_why(knee_jpeg):
    why = closed_joint_finder()
    assert "spine_dxa and spine_masked" in why
    closed = closed_in(card_of("services/imaging/model"), why)
    reading = read(knee_jpeg, OpenNetwork(Poisoned(), closed), closed, NoFinder())
    assert (reading.finding.anatomy, reading.finding.indeterminate) == ("knee", True)
    assert why in reading.finding.summary
    assert reading.regions.joints == ()
