"""`make compare-models SERVICE=staging DATA=DIR A=FOLDER B=FOLDER`: may the staging package B follow A?

Both grade the test part of `knee_kl` and the held-out groups of the Indian knees, through the code that serves: the
films decoded, the joints found, framed, equalised and scored by ONNX. docs/training.md states the rule.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from services.staging.decision import median_grade
from services.staging.staging import stage
from services.staging.training.knees import Knees, read_sets
from shared.contracts.base import ModelReference
from shared.inference.onnx import OnnxScorer
from shared.problems import ImageRefused
from shared.radiograph.intake import decode
from shared.radiograph.joints import MODEL, find_knees
from shared.training.compare import Answers, Figure, HeldOut, main
from shared.training.evaluate import (
    accuracy,
    auc,
    balanced_accuracy,
    calibration_error,
    mean_error,
    quadratic_kappa,
    within_one,
)

# What the margins are multiplied by: of the Indian knees there are a quarter as many, and intervals twice as wide.
SLACK = {"knee_kl": 1.0, "knee_kl_india": 2.0}
NO_MODEL = ModelReference(name="", version="")


def by_grade(of: Callable[[Answers, Answers], float]) -> Callable[[Answers, Answers], float]:
    """A figure of the stated grade, from probabilities (cases, 5)."""
    return lambda truth, probabilities: of(truth, median_grade(probabilities))


def from_grade(grade: int) -> Callable[[Answers, Answers], float]:
    """The AUC of "this grade or more"; a ValueError where only one of the two occurs."""

    def of(truth: Answers, probabilities: Answers) -> float:
        if len(np.unique(truth >= grade)) < 2:
            raise ValueError(f"no knees on both sides of grade {grade}")
        return auc(truth >= grade, probabilities[:, grade:].sum(axis=1))

    return of


FIGURES = (
    Figure("quadratic weighted kappa", by_grade(quadratic_kappa), margin=0.03),
    Figure("accuracy", by_grade(accuracy), margin=0.04),
    Figure("within one grade", by_grade(within_one), margin=0.03),
    Figure("AUC, grade 2 or more", from_grade(2), margin=0.02),
    Figure("mean absolute error", by_grade(mean_error), margin=0.06, less_is_better=True),
    Figure("balanced accuracy", by_grade(balanced_accuracy)),
    Figure(
        "expected calibration error",
        lambda truth, probabilities: calibration_error(probabilities, truth),
        less_is_better=True,
    ),
)


def graded(knees: Knees, a: OnnxScorer, b: OnnxScorer) -> HeldOut:
    """What both networks say of every radiograph of a test part: probabilities (cases, 5) of the knee that counts."""
    finder, rows, answers = OnnxScorer(MODEL), [], []
    for row in knees.split.test:
        radiograph = decode(knees.files[row].read_bytes())
        joints = find_knees(radiograph.pixels, finder, known_knee=True)
        try:
            both = [stage(radiograph, network, finder, NO_MODEL, joints).finding.probabilities for network in (a, b)]
        except ImageRefused:
            continue
        rows.append(row)
        answers.append(both)
    probabilities = np.array(answers, float).reshape(-1, 2, 5)
    return HeldOut(
        f"{knees.name}, test part",
        knees.patients_of(np.array(rows, np.int64)),
        knees.grades[rows],
        probabilities[:, 0],
        probabilities[:, 1],
        [one if one.margin is None else replace(one, margin=SLACK[knees.name] * one.margin) for one in FIGURES],
        left_out=len(knees.split.test) - len(rows),
    )


def measure(data: Path, a: Path, b: Path, seed: int) -> list[HeldOut]:
    """The test part of each set, graded by both versions."""
    networks = [OnnxScorer(folder / "staging.onnx") for folder in (a, b)]
    return [graded(knees, *networks) for knees in read_sets(data, seed=seed)]


if __name__ == "__main__":
    main(__doc__ or "", measure)
