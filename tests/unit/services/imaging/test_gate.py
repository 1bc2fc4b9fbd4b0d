"""The gate of the network that ships: drawn pictures of other kinds and views are refused, knees and spines are not."""

from pathlib import Path

import numpy as np
import pytest

import services.imaging
from services.imaging.classification import classify
from services.imaging.gate import UNKNOWN, UNUSUAL, check_anatomy, is_unusual, shows_metal
from services.imaging.network import CONTENTS, Anatomy, Look, look
from services.imaging.regions import bone_regions, is_cut_out
from services.imaging.training.unknown import charts, medical, noises, pages, patterns, scenes, views
from shared.contracts.base import ModelReference
from shared.inference.onnx import OnnxScorer
from shared.problems import ImageRefused
from shared.radiograph import Radiograph, phantom
from shared.radiograph.joints import MODEL as FINDER

# None of these kinds was learned from.
HELD_OUT = [
    pages.text_on_dark, pages.dxa_report_dark, pages.calendar, charts.terminal, charts.scatter_chart,
    patterns.triangles, patterns.halo, noises.blurred_noise, noises.cloud_noise, scenes.portrait, scenes.weave,
    medical.ct_chest,
]  # fmt: skip
SEED = 7  # no picture that was learned from, or judged, was drawn with it


@pytest.fixture(scope="module")
def network():
    return OnnxScorer(Path(services.imaging.__file__).parent / "model" / "imaging.onnx")


@pytest.fixture(scope="module")
def finder():
    return OnnxScorer(FINDER)


def read(pixels, network, finder):
    radiograph = Radiograph(pixels, "png", pixels.shape[::-1])
    return classify(radiograph, network, finder, ModelReference(name="m", version="1"), {})


def drawn(draw):
    return draw(np.random.default_rng(SEED))


def chances(**shares):
    return Anatomy(np.array([shares.get(content, 0.0) for content in CONTENTS]))


@pytest.mark.parametrize("draw", HELD_OUT, ids=lambda draw: draw.__name__)
def test_a_picture_of_a_kind_never_seen_is_refused(draw, network, finder):
    with pytest.raises(ImageRefused) as refused:
        read(drawn(draw), network, finder)
    assert refused.value.members["reason"] in ("not_radiograph", "mostly_white")


def test_a_dark_report_is_called_a_page_or_report(network, finder):
    with pytest.raises(ImageRefused, match="page or report"):
        read(drawn(pages.dxa_report_dark), network, finder)


@pytest.mark.parametrize(
    ("draw", "reason", "words"),
    [
        (views.lateral, "knee_not_frontal", "side view"),
        (views.skyline_view, "knee_not_frontal", "skyline"),
        (views.growing, "knee_growing", "growth plates"),
    ],
)
def test_another_view_of_a_knee_is_refused_by_name(draw, reason, words, network, finder):
    with pytest.raises(ImageRefused, match=words) as refused:
        read(drawn(draw), network, finder)
    assert refused.value.members["reason"] == reason


@pytest.mark.parametrize("seed", range(3))
def test_what_is_known_is_read_and_not_unusual(seed, network, finder):
    for pixels, site in ((phantom.knee(seed=seed, size=(900, 750)), "knee"), (drawn(views.spine), "spine")):
        assert read(pixels, network, finder).finding.anatomy == site
        seen = look(pixels, network)
        assert seen.distance < UNUSUAL
        assert not is_unusual(seen.anatomy)
        assert not shows_metal(seen.anatomy)


def test_knees_on_one_sheet_are_no_other_view(network):
    pair = np.hstack([phantom.knee(seed=1, size=(600, 500)), phantom.knee(seed=2, size=(600, 500))[:, ::-1]])
    for sheet in (pair, np.vstack([pair, pair]), pair[:, :500].repeat(2, axis=0)):
        assert look(np.ascontiguousarray(sheet), network).distance < UNKNOWN


def test_an_uncut_spine_is_never_told_a_bone_reading(network, finder):
    answer = read(drawn(views.spine), network, finder).finding
    assert answer.indeterminate
    assert "uncut" in answer.summary


def test_a_cut_out_lies_on_black_all_round():
    column = np.zeros((300, 200), np.uint8)
    column[20:300, 80:140] = 180  # to the lower edge, as cut-outs are
    assert is_cut_out(column)
    trunk = np.zeros((300, 200), np.uint8)
    trunk[:, 30:170] = 120  # black at both sides only, as collimated
    assert not is_cut_out(trunk)
    assert not is_cut_out(np.full((300, 200), 13, np.uint8))
    taken_for_cut_out = chances(spine_cut_out=0.9)
    assert bone_regions(column, taken_for_cut_out, finder=None).enough
    assert not bone_regions(trunk, taken_for_cut_out, finder=None).enough


def test_the_limits_of_what_is_refused_and_what_is_unusual():
    check_anatomy(chances(knee=0.51, not_radiograph=0.49))
    with pytest.raises(ImageRefused):
        check_anatomy(chances(knee=0.5, knee_growing=0.5))
    assert is_unusual(chances(knee=0.7, not_radiograph=0.3))
    assert not is_unusual(chances(knee=0.8, not_radiograph=0.2))
    assert not is_unusual(chances(knee=0.2, not_radiograph=0.8))
    assert Look(chances(knee=0.6, limb=0.4), np.eye(4)[0], 0.0).distance == pytest.approx(0.4)
    assert UNUSUAL < UNKNOWN


def test_metal_is_told_of_knees_only():
    assert shows_metal(chances(knee=0.8, knee_implant=0.2))
    assert not shows_metal(chances(knee=0.95, knee_implant=0.05))
    assert not shows_metal(chances(spine_radiograph=0.8, knee_implant=0.2))
