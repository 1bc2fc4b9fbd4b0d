"""What the gate learns from and is judged on, and the exchange of its head."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import services.imaging
from services.imaging.network import CONTENTS
from services.imaging.training.cases import DRAWN, drawn_cases
from services.imaging.training.features import SHAPE, Extractor
from services.imaging.training.gate_figures import by_table, wilson
from services.imaging.training.heads import Head
from services.imaging.training.onnx_head import features_in, replace_head
from services.imaging.training.tables import read_row
from services.imaging.training.unknown.kinds import FITTING, HELD_OUT, HELD_OUT_EACH, VIEWS, drawn
from shared.inference.onnx import OnnxScorer
from shared.training.backbone import efficientnet_lite0

pytestmark = [pytest.mark.training, pytest.mark.slow]


def test_the_kinds_that_judge_the_gate_are_many_and_none_is_learned_from():
    names = [draw.__name__ for draw in (*FITTING, *HELD_OUT, *VIEWS)]
    assert len(set(names)) == len(names)
    assert len(HELD_OUT) >= 40
    assert HELD_OUT_EACH == 10
    assert {case.file for case in drawn_cases(1) if case.table == DRAWN} == {draw.__name__ for draw in FITTING}


def test_a_picture_is_drawn_the_same_each_time_whatever_else_is_drawn():
    alone = [pixels for _, pixels in drawn(FITTING[3:4], 2, seed=5)]
    among = [pixels for kind, pixels in drawn(FITTING[2:5], 2, seed=5) if kind == FITTING[3].__name__]
    assert all(np.array_equal(first, second) for first, second in zip(alone, among, strict=True))
    assert not np.array_equal(*[pixels[:250, :250] for pixels in alone])


def test_every_kind_is_a_gray_picture_large_enough_to_be_judged():
    for _, pixels in drawn((*FITTING, *HELD_OUT, *VIEWS), 1, seed=3):
        assert (pixels.dtype, pixels.ndim) == (np.uint8, 2)
        assert min(pixels.shape) >= 160


def test_another_head_changes_no_other_output(tmp_path):
    file = tmp_path / "imaging.onnx"
    shutil.copy(Path(services.imaging.__file__).parent / "model" / "imaging.onnx", file)
    pixels = np.random.default_rng(0).integers(0, 255, (16, 224, 224), dtype=np.uint8)
    plain = features_in(file)(pixels)
    assert plain == pytest.approx(Extractor.of(efficientnet_lite0()).features(pixels)[:, SHAPE], abs=1e-3)
    head = Head(np.random.default_rng(1).normal(0, 0.1, (SHAPE.stop, len(CONTENTS))), np.zeros(len(CONTENTS)))
    inputs = {"radiograph": pixels[:3, ..., np.newaxis].astype(np.float32) / 255}
    before = OnnxScorer(file).score(inputs)
    replace_head(file, head, pixels, plain)
    after = OnnxScorer(file).score(inputs)
    assert not np.allclose(before["anatomy"], after["anatomy"])
    for name in ("turn", "inverted", "bone", "heat"):
        assert np.array_equal(before[name], after[name])
    with pytest.raises(ValueError, match="not say what the head says"):
        replace_head(file, head, pixels, plain + 1)


def test_a_publishers_own_parts_hold_nothing_back_and_two_sets_of_the_same_people_are_one_group():
    faults = []
    landmark = read_row("spine_landmarks", 2, {"file": "a.jpg", "part": "test", "series": "s1"}, faults)
    small = read_row("spine_view", 2, {"file": "spine_view/F0.jpg"}, faults)
    large = read_row(
        "spine_view_fullsize", 2, {"file": "spine_view_fullsize/F0.jpg", "spine_view_file": "spine_view/F0.jpg"}, faults
    )
    assert not faults
    assert (landmark.held_out, landmark.group) == (False, "spine_landmarks/s1")
    assert small.group == large.group


def test_what_is_read_is_counted_by_the_services_own_rules():
    cases = [case for case in drawn_cases(1) if case.table == DRAWN][:2]
    shares = np.zeros((2, len(CONTENTS)))
    shares[0, CONTENTS.index("spine_cut_out")] = 1  # a page is no cut-out, whatever the head says
    shares[1, CONTENTS.index("not_radiograph")] = 1
    row = by_table(cases, shares)[DRAWN]
    assert (row["pictures"], row["spine_radiograph"], row["spine_cut_out"], row["refused"]) == (2, 1, 0, 1)


def test_wilsons_interval_holds_at_the_ends():
    assert wilson(10, 10) == {"value": 1.0, "low": pytest.approx(0.7225), "high": 1.0}
    assert wilson(0, 10)["high"] == pytest.approx(0.2775)
    assert wilson(50, 100)["low"] == pytest.approx(0.4038, abs=1e-4)
