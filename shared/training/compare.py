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
from dataclasses import asdict
from pathlib import Path

import numpy as np

from shared.comparison import Answers, Comparison, Figure, HeldOut, compare
from shared.manifest import DamagedModel, verify_manifest

__all__ = ["Answers", "Comparison", "Figure", "HeldOut", "compare", "main", "report", "run", "ships"]


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
