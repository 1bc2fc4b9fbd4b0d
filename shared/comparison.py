"""Two versions on the same cases: each figure of both, and the difference with its interval over patients.

The difference is bootstrapped with both versions on the same resample. It needs NumPy alone, so that training and a
site's own comparison measure by the same code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from shared.figures import Interval, with_interval

Answers = npt.NDArray[Any]


@dataclass(frozen=True)
class Figure:
    """One figure of a version's answers.

    Args:
        of: from truth and answers, one row a case.
        margin: how much worse B may be by the interval's bound; None where the figure is only shown.
        less_is_better: as with an error.
    """

    name: str
    of: Callable[[Answers, Answers], float]
    margin: float | None = None
    less_is_better: bool = False


@dataclass(frozen=True)
class HeldOut:
    """What both versions answered on cases that neither has learned from.

    Args:
        patients: who stays together in a resample. truth, a, b: one row a case.
        left_out: cases without an answer, as those that no joint was found in.
    """

    name: str
    patients: Sequence[str]
    truth: Answers
    a: Answers
    b: Answers
    figures: Sequence[Figure]
    left_out: int = 0


@dataclass(frozen=True)
class Comparison:
    """One figure of both versions on one set, None where undefined. `passes` is None where it is only shown."""

    cases: str
    figure: str
    a: float | None
    b: float | None
    difference: Interval
    margin: float | None
    passes: bool | None


def compare(held_out: HeldOut, seed: int) -> list[Comparison]:
    """Every figure of one set; deterministic by the seed."""
    return [_compared(held_out, figure, seed) for figure in held_out.figures]


def _compared(cases: HeldOut, figure: Figure, seed: int) -> Comparison:
    def difference(truth: Answers, a: Answers, b: Answers) -> float:
        return figure.of(truth, b) - figure.of(truth, a)

    found = with_interval(difference, cases.patients, cases.truth, cases.a, cases.b, seed=seed)
    return Comparison(
        cases.name,
        figure.name,
        _value(figure, cases.truth, cases.a),
        _value(figure, cases.truth, cases.b),
        found,
        figure.margin,
        _passes(figure, found),
    )


def _value(figure: Figure, truth: Answers, answers: Answers) -> float | None:
    """The figure itself; None where these cases do not define it, as an AUC of one class."""
    try:
        return round(figure.of(truth, answers), 4)
    except ValueError:
        return None


def _passes(figure: Figure, difference: Interval) -> bool | None:
    """Whether the worse end of the interval keeps the margin; what is not defined does not pass."""
    if figure.margin is None:
        return None
    low, high = difference["low"], difference["high"]
    if low is None or high is None:
        return False
    return bool(high <= figure.margin if figure.less_is_better else low >= -figure.margin)
