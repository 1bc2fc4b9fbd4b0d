"""The page docs/model-cards/joint-space.md: its words and its tables."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from services.staging.joint_space import NARROWER_BY
from shared.contracts.joint_space import JointSpace
from shared.training.evaluate import Interval, with_interval

Ratios = tuple[float, float]
Moves = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Again:
    """One knee's two ratios, measured twice; not a number where withheld."""

    before: Ratios
    after: Ratios


@dataclass(frozen=True)
class Graded:
    """One knee with its reader's grade and its two ratios: medial and lateral, or left and right without a side."""

    grade: int
    patient: str
    one: float
    other: float
    space: JointSpace
    milliseconds: float


def head(by_grade: dict[str, list[Graded]], again: dict[str, dict[str, list[Again]]]) -> str:
    """What was done, and the figures in short."""
    every = [one for rows in again.values() for knees in rows.values() for one in knees]
    mirrored = [one for rows in again.values() for one in rows["mirrored"]]
    times = [knee.milliseconds for rows in by_grade.values() for knee in rows if not knee.space.withheld]
    return f"""# How well the joint space is measured

`make joint-space-figures DATA=DIR` gives this page. Widths are shares of the width of the tibial plateau. **No set that
we have gives a joint space in millimetres, so none of this says how true a width is**: it says how well it repeats,
and whether it falls as the readers' grade rises.

- Of two readings of one film, sent once as it is and once otherwise, 95 % differ by at most
  {within(shifts(every))} of the plateau ({len(shifts(every))} pairs of widths). Mirrored, which is the hardest,
  by {within(shifts(mirrored))}.
- The difference of a knee's two compartments moves by at most {within(differences(every))} in 95 %; mirrored by
  {within(differences(mirrored))}. Compartments that differ by less than {NARROWER_BY} are called `neither`.
- Measuring a knee takes {np.median(times):.1f} ms of CPU (median).
- A compartment whose bones touch or overlap has no gap to be measured and is withheld. So the widths of grade 4 below
  are those of the better compartments, and a single withheld compartment is itself a sign.
- In knees of grade 0 whose compartments differ, the narrower one is nearly always the medial: narrower is not worn."""


def within(moved: Moves) -> str:
    """What 95 % of the moves stay within."""
    return f"{np.percentile(np.abs(moved), 95):.4f}"


def shifts(knees: list[Again]) -> Moves:
    """By how much each width that was measured twice has moved."""
    moved = np.array([np.subtract(knee.after, knee.before) for knee in knees]).ravel()
    return moved[np.isfinite(moved)]


def differences(knees: list[Again]) -> Moves:
    """By how much the difference of the compartments has moved, where all four were measured."""
    moved = np.array([np.diff(knee.after)[0] - np.diff(knee.before)[0] for knee in knees])
    return moved[np.isfinite(moved)]


def again_table(rows: dict[str, list[Again]]) -> str:
    """One line a way of sending."""
    lines = [
        "| sent | knees | widths measured both times; once; never | mean shift | 95 % within "
        "| difference of compartments, 95 % within | narrower: same; once `neither`; opposite |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, knees in rows.items():
        if not knees:
            continue
        known = np.isfinite([[knee.before, knee.after] for knee in knees]).sum(axis=1)
        moved, apart = shifts(knees), differences(knees)
        whole = [knee for knee in knees if np.isfinite([*knee.before, *knee.after]).all()]
        called = [(call(knee.before), call(knee.after)) for knee in whole]
        same = sum(one == other for one, other in called)
        opposite = sum(one * other < 0 for one, other in called)
        lines.append(
            f"| {way} | {len(knees)} | {(known == 2).sum()}; {(known == 1).sum()}; {(known == 0).sum()} "
            f"| {moved.mean():+.4f} | {within(moved)} | {within(apart)} "
            f"| {same}; {len(called) - same - opposite}; {opposite} |"
        )
    return "\n".join(lines)


def call(ratios: Ratios) -> int:
    """Which is narrower: -1 the first, 1 the second, 0 neither."""
    apart = ratios[0] - ratios[1]
    return 0 if abs(apart) < NARROWER_BY else int(np.sign(apart))


def grade_tables(knees: list[Graded]) -> str:
    """One line a grade, then how the minimum follows the grade."""
    sided = any(knee.space.narrower in ("medial", "lateral") for knee in knees)
    names = ("medial", "lateral") if sided else ("left_in_picture", "right_in_picture")
    lines = [
        f"| grade | knees | both measured; one; none | {names[0]}: median (quartiles) | {names[1]}: median (quartiles) "
        f"| smaller of the two, where both are measured | narrower: {names[0]}; {names[1]}; neither |",
        "|---|---|---|---|---|---|---|",
    ]
    for grade in range(5):
        rows = [knee for knee in knees if knee.grade == grade]
        widths = np.array([(knee.one, knee.other) for knee in rows])
        known = np.isfinite(widths).sum(axis=1)
        called = [sum(knee.space.narrower == name for knee in rows) for name in (*names, "neither")]
        lines.append(
            f"| {grade} | {len(rows)} | {(known == 2).sum()}; {(known == 1).sum()}; {(known == 0).sum()} "
            f"| {quartiles(widths[:, 0])} | {quartiles(widths[:, 1])} | {quartiles(widths[known == 2].min(axis=1))} "
            f"| {called[0]}; {called[1]}; {called[2]} |"
        )
    return "\n".join([*lines, "", *(correlation(knees, least) for least in (0, 2)), reasons(knees)])


def reasons(knees: list[Graded]) -> str:
    """Why what was withheld."""
    whole = Counter(knee.space.withheld for knee in knees if knee.space.withheld)
    parts = Counter(part.withheld for knee in knees for part in knee.space.compartments if part.withheld)
    said = ["; ".join(f"`{name}` {count}" for name, count in found.most_common()) or "none" for found in (whole, parts)]
    return f"- Withheld of {len(knees)} knees: {said[0]}. Of the compartments of the others: {said[1]}."


def quartiles(values: Moves) -> str:
    """Median and quartiles of what is a number."""
    low, middle, high = np.nanpercentile(values, [25, 50, 75])
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def correlation(knees: list[Graded], least: int) -> str:
    """Spearman's correlation of the grade and the smaller width, from a grade on."""
    rows = [knee for knee in knees if knee.grade >= least and np.isfinite(knee.one + knee.other)]
    grades = np.array([knee.grade for knee in rows])
    smaller = np.array([min(knee.one, knee.other) for knee in rows])
    found: Interval = with_interval(spearman, [knee.patient for knee in rows], grades, smaller)
    return (
        f"- Spearman's correlation of grade ({least} to 4) and smaller width: {found['value']:.2f} "
        f"({found['low']:.2f} to {found['high']:.2f}), {len(rows)} knees with both measured."
    )


def spearman(grades: Moves, widths: Moves) -> float:
    """Spearman's rank correlation."""
    return float(spearmanr(grades, widths).statistic)
