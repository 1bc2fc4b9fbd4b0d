"""Two versions of a package on the same held-out cases: each figure of both, the difference, and whether B may ship.

The rule: B ships where it is shown to be no worse. For each guarded figure the 95 % interval of B minus A, bootstrapped
over patients with both versions on the same resample, stays above minus the figure's margin (below the margin where
less is better). A figure without a margin is shown and decides nothing.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.manifest import DamagedModel, verify_manifest
from shared.training.evaluate import Interval, with_interval

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


def ships(comparisons: Sequence[Comparison]) -> bool:
    """The verdict: something was guarded, and nothing guarded fails."""
    guarded = [one for one in comparisons if one.passes is not None]
    return bool(guarded) and all(one.passes for one in guarded)


def report(comparisons: Sequence[Comparison], sets: Sequence[HeldOut]) -> str:
    """The comparison for people, a line a figure, and the verdict."""
    lines = []
    for cases in sets:
        patients = len(np.unique(np.asarray(cases.patients)))
        lines.append(f"{cases.name}: {len(cases.truth)} cases, {patients} patients, {cases.left_out} left out")
        lines += [_line(one) for one in comparisons if one.cases == cases.name]
    failed = [f"{one.figure} on {one.cases}" for one in comparisons if one.passes is False]
    lines.append(
        "B may ship." if ships(comparisons) else f"B may not ship: {', '.join(failed) or 'nothing was guarded'}."
    )
    return "\n".join(lines)


def _line(one: Comparison) -> str:
    found = one.difference
    if one.a is None or one.b is None or found["value"] is None:
        shown = "not defined on these cases"
    else:
        between = f"{found['value']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})"
        shown = f"A {one.a:.4f}  B {one.b:.4f}  B - A {between}"
    verdict = "" if one.passes is None else f"  margin {one.margin:g}: {'kept' if one.passes else 'NOT KEPT'}"
    return f"  {one.figure:<34} {shown}{verdict}"


def run(description: str, measure: Callable[[Path, Path, Path, int], list[HeldOut]]) -> int:
    """The command: read the options, measure, print, and say by the exit status whether B may ship.

    Args:
        measure: from data folder, the folders of A and B, and the seed.

    Returns:
        0 where B may ship, 1 where it may not. Bad options end with 2.
    """
    parser = argparse.ArgumentParser(description=description)
    data = os.environ.get("TRABECULA_DATA")
    parser.add_argument("--data", type=Path, required=data is None, default=data and Path(data), help="data folder")
    parser.add_argument("--a", type=Path, required=True, help="folder of the package that serves")
    parser.add_argument("--b", type=Path, required=True, help="folder of the package that is to follow it")
    parser.add_argument("--seed", type=int, default=0, help="of the split and of the bootstrap")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    for folder in (options.a, options.b):
        try:
            verify_manifest(folder)
        except DamagedModel as error:
            parser.error(f"{folder} is no whole package: {error}")
    sets = measure(options.data, options.a, options.b, options.seed)
    comparisons = [one for cases in sets for one in compare(cases, options.seed)]
    print(report(comparisons, sets))
    if options.json:
        found = {"ships": ships(comparisons), "figures": [asdict(one) for one in comparisons]}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if ships(comparisons) else 1


def main(description: str, measure: Callable[[Path, Path, Path, int], list[HeldOut]]) -> None:
    """`run` as a program."""
    sys.exit(run(description, measure))
