"""The gate for shipping: a worse version is kept back, the same one passes, and the seed decides nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import services.staging
from services.staging.training.compare_models import SLACK, graded, measure
from services.staging.training.knees import Knees, read_indian_knees, read_knees, without_copies
from shared.inference.onnx import OnnxScorer
from shared.training.compare import Figure, HeldOut, compare, report, run, ships
from shared.training.data import Split
from shared.training.evaluate import accuracy, mean_error, quadratic_kappa

pytestmark = pytest.mark.training
SHIPPED = Path(services.staging.__file__).parent / "model"
FIGURES = (
    Figure("kappa", quadratic_kappa, margin=0.03),
    Figure("error", mean_error, margin=0.05, less_is_better=True),
    Figure("accuracy", accuracy),
)


def answers(right: float, seed: int, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Grades, and answers of which this share is right and the rest one grade off."""
    truth = np.arange(count) % 5
    wrong = np.random.default_rng(seed).random(count) >= right
    return truth, np.where(wrong, np.where(truth == 4, 3, truth + 1), truth)


def held_out(a_right: float, b_right: float) -> HeldOut:
    truth, a = answers(a_right, seed=1)
    b = a if b_right == a_right else answers(b_right, seed=2)[1]
    return HeldOut("knees", [str(row // 2) for row in range(len(truth))], truth, a, b, FIGURES)


def test_the_same_answers_pass_with_no_difference():
    compared = compare(held_out(0.7, 0.7), seed=0)
    assert ships(compared)
    assert {one.difference["low"] for one in compared} == {0.0}
    assert "B may ship." in report(compared, [held_out(0.7, 0.7)])


def test_a_worse_version_is_kept_back_and_a_better_one_passes():
    worse, better = compare(held_out(0.8, 0.5), seed=0), compare(held_out(0.5, 0.8), seed=0)
    assert not ships(worse)
    assert ships(better)
    assert [one.passes for one in worse] == [False, False, None]
    assert "B may not ship: kappa on knees, error on knees" in report(worse, [held_out(0.8, 0.5)])


def test_the_interval_is_paired_and_repeats_with_its_seed():
    again, other = compare(held_out(0.8, 0.7), seed=3), compare(held_out(0.8, 0.7), seed=3)
    assert again == other
    low, high = again[2].difference["low"], again[2].difference["high"]
    assert low < again[2].b - again[2].a < high


def test_nothing_guarded_is_no_leave_to_ship():
    cases = held_out(0.7, 0.7)
    shown = HeldOut(cases.name, cases.patients, cases.truth, cases.a, cases.b, FIGURES[2:])
    assert not ships(compare(shown, seed=0))


def drawn_knees(data: Path) -> Knees:
    knees = read_knees(data)
    every = np.arange(len(knees.grades))
    return replace(knees, split=Split(every[:0], every[:0], every))


def test_the_command_grades_through_the_code_that_serves(data, tmp_path, monkeypatch, capsys):
    def measure(folder: Path, a: Path, b: Path, seed: int) -> list[HeldOut]:
        return [graded(drawn_knees(folder), *(OnnxScorer(package / "staging.onnx") for package in (a, b)))]

    found = tmp_path / "found.json"
    options = ["--data", str(data), "--a", str(SHIPPED), "--b", str(SHIPPED), "--json", str(found)]
    monkeypatch.setattr("sys.argv", ["compare", *options])
    assert run("", measure) == 0
    figures = json.loads(found.read_text())["figures"]
    assert {one["figure"] for one in figures} >= {"quadratic weighted kappa", "AUC, grade 2 or more"}
    assert all(one["a"] == one["b"] for one in figures)
    assert capsys.readouterr().out.endswith("B may ship.\n")


def test_a_set_with_fewer_cases_has_wider_margins(data):
    network = OnnxScorer(SHIPPED / "staging.onnx")
    knees = drawn_knees(data)
    usual, wider = (graded(replace(knees, name=name), network, network).figures for name in SLACK)
    assert [one.margin for one in wider] == [one.margin and 2 * one.margin for one in usual]


def test_no_picture_is_judged_on_that_looks_like_one_learned_from(data):
    knees = read_indian_knees(data)
    first, last = knees.split.train[0], knees.split.test[0]
    pixels = knees.pixels.copy()
    pixels[last] = pixels[first]
    kept = without_copies(pixels, knees.split)
    assert last not in kept.test
    assert len(kept.test) == len(knees.split.test) - 1
    assert kept.train.tolist() == knees.split.train.tolist()


def test_a_package_that_is_not_whole_is_named(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["compare", "--data", str(data), "--a", str(SHIPPED), "--b", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        run("", measure)
    assert ended.value.code == 2
    assert "is no whole package" in capsys.readouterr().err
