"""Two versions on the same cases: a worse one is told, the same one is not, and too few tell nothing."""

import numpy as np
import pytest

from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.model import Estimate
from gateway.evaluation.reading import ReadFilm
from gateway.evaluation.table import TruthRow
from gateway.evaluation.versions import LEAST_CASES, VersionComparison, against_truth, agreement, paired_verdict
from shared.contracts.base import ModelReference
from shared.contracts.findings import Knee
from shared.kl_grade import finding_of

MODEL = ModelReference(name="staging", version="1")


def film(stage, quality="good"):
    """A film of one knee that was graded so, with most of the probability on the grade."""
    probabilities = [0.1] * 5
    probabilities[stage] = 0.6
    knee = Knee(
        side="unknown", side_source="unknown", box=(0, 0, 10, 10), stage=stage, probabilities=probabilities,
        quality=quality, note=None if quality == "good" else "dim", joint_space=None,
    )  # fmt: skip
    return ReadFilm(staging=finding_of([knee], MODEL))


def read(grades):
    return {f"{number}.jpg": film(int(grade)) for number, grade in enumerate(grades)}


@pytest.fixture
def truth():
    return np.random.default_rng(1).integers(0, 5, 120)


@pytest.fixture
def rows(truth):
    return [TruthRow(line, f"{line}.jpg", f"P{line}", kl_grade=int(grade)) for line, grade in enumerate(truth)]


def nearly(truth, wrong):
    """The truth, with this share a grade off."""
    random = np.random.default_rng(2)
    off = random.random(len(truth)) < wrong
    return np.where(off, np.where(truth < 4, truth + 1, truth - 1), truth)


def compared(truths, cases=LEAST_CASES):
    return VersionComparison(
        service="staging", serving="1", shadow="2", cases=cases, patients=cases, left_out=0, agreement=[], truths=truths
    )


def test_a_worse_version_is_told_and_kept_back(rows, truth):
    found = against_truth("staging", rows, read(nearly(truth, 0.1)), read(nearly(truth, 0.6)), "feedback")
    verdicts = {figure.title: figure.verdict for figure in found.figures}
    assert verdicts["Accuracy"] == "worse"
    assert verdicts["Mean error in grades"] == "worse", "of an error, more is worse"
    assert ["by the feedback it is worse: " in one for one in compared([found]).objections] == [True]
    better = against_truth("staging", rows, read(nearly(truth, 0.6)), read(nearly(truth, 0.1)), "table")
    assert {figure.verdict for figure in better.figures} <= {"better", "not_told_apart"}
    assert compared([better]).objections == []


def test_the_same_version_is_not_told_apart(rows, truth):
    same = read(nearly(truth, 0.3))
    found = against_truth("staging", rows, same, same, "feedback")
    assert {figure.verdict for figure in found.figures} == {"not_told_apart"}
    assert compared([found]).objections == []


def test_too_few_cases_and_too_few_truths_are_each_an_objection(rows, truth):
    same = read(truth)
    few = against_truth("staging", rows[:20], same, same, "table")
    assert [one.split(" of ")[0] for one in compared([few], 12).objections] == [
        "it has read 12 cases",
        "a truth is known",
    ]
    assert against_truth("staging", [], same, same, "table") is None
    assert len(compared([], LEAST_CASES).objections) == 1


def test_agreement_counts_knees_that_both_graded():
    refused = ReadFilm(refused="no_knee_joint")
    films = [("P1", film(2), film(2)), ("P2", film(2), film(3, "uncertain")), ("P3", film(1), refused)]
    found = {one.title: one.estimate.value for one in agreement("staging", films, Bootstrap(200, 0))}
    assert found["Answered by the one in the shadow"] == pytest.approx(2 / 3, abs=1e-4)
    assert (found["The same grade"], found["At most one grade apart"]) == (0.5, 1.0)
    assert (found["Grades higher in the shadow by"], found["Low confidence, in the shadow"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("low", "high", "less_is_better", "expected"),
    [(-0.3, -0.1, False, "worse"), (0.1, 0.3, False, "better"), (-0.1, 0.1, False, "not_told_apart"),
     (0.1, 0.3, True, "worse"), (-0.3, -0.1, True, "better"), (None, None, False, "not_told_apart"),
     (0.0, 0.0, False, "not_told_apart")],
)  # fmt: skip
def test_a_verdict_needs_the_whole_interval(low, high, less_is_better, expected):
    assert paired_verdict(Estimate(value=low, low=low, high=high), less_is_better) == expected
