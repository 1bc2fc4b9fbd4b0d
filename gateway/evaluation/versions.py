"""The version that serves and the one in its shadow on the same cases: do they agree, and which is nearer the truth?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.model import Estimate
from gateway.evaluation.pairs import bone_pairs, knee_pairs
from gateway.evaluation.reading import ReadFilm
from gateway.evaluation.table import TruthRow
from shared.comparison import Figure, HeldOut, compare
from shared.contracts.base import Contract
from shared.contracts.findings import Knee
from shared.figures import accuracy, auc, balanced_accuracy, mean_error, quadratic_kappa, within_one

# Below these nothing is promoted without a reason: fewer tell neither a failure now and then nor who is right.
LEAST_CASES, LEAST_JUDGED = 100, 50
SEED = 0
Films = Mapping[str, ReadFilm]
PairedVerdict = Literal["worse", "better", "not_told_apart"]


class NamedEstimate(Contract):
    """A figure of how far the two agree."""

    title: str
    estimate: Estimate


class PairedFigure(Contract):
    """One figure of both versions, and the difference on the same patients."""

    title: str
    serving: float | None
    shadow: float | None
    difference: Estimate = Field(description="Shadow less serving, with the 95 % interval over patients")
    verdict: PairedVerdict = Field(description="`worse` or `better` where the interval lies wholly beyond zero")


class TruthComparison(Contract):
    """Both versions against what people or DXA say."""

    source: Literal["feedback", "table"]
    cases: int
    patients: int
    figures: list[PairedFigure]


class VersionComparison(Contract):
    """What is known of a version in the shadow."""

    service: str
    serving: str
    shadow: str
    cases: int
    patients: int
    left_out: int = Field(description="Cases that another version than the serving one had answered")
    agreement: list[NamedEstimate]
    truths: list[TruthComparison]

    @property
    def objections(self) -> list[str]:
        """Why it is not promoted without a reason."""
        found = []
        if self.cases < LEAST_CASES:
            found.append(f"it has read {self.cases} cases of the {LEAST_CASES} that are the least")
        judged = max((truth.patients for truth in self.truths), default=0)
        if judged < LEAST_JUDGED:
            found.append(f"a truth is known of {judged} patients of the {LEAST_JUDGED} that are the least")
        for truth in self.truths:
            worse = [figure.title for figure in truth.figures if figure.verdict == "worse"]
            if worse:
                found.append(f"by the {truth.source} it is worse: {', '.join(worse)}")
        return found


def stated(of: Callable[[Any, Any], float]) -> Callable[[Any, Any], float]:
    """A figure of the stated answer, the first column."""
    return lambda truth, answers: of(truth, answers[:, 0].astype(truth.dtype))


GRADES = (
    Figure("Quadratic weighted kappa", stated(quadratic_kappa)),
    Figure("Accuracy", stated(accuracy)),
    Figure("Within one grade", stated(within_one)),
    Figure("AUC for grade 2 or more", lambda truth, answers: auc(truth >= 2, answers[:, 1])),
    Figure("Mean error in grades", stated(mean_error), less_is_better=True),
)
BONES = (
    Figure("Balanced accuracy", stated(balanced_accuracy)),
    Figure("AUC for osteoporosis", lambda truth, answers: auc(truth, answers[:, 1])),
)


def against_truth(
    service: str, rows: Sequence[TruthRow], serving: Films, shadow: Films, source: Literal["feedback", "table"]
) -> TruthComparison | None:
    """Both versions on the rows that both answered; null where there is none."""
    held_out = (_grades if service == "staging" else _bones)(rows, serving, shadow)
    if not len(held_out.patients):
        return None
    figures = []
    for figure, one in zip(held_out.figures, compare(held_out, SEED), strict=True):
        difference = Estimate.model_validate(one.difference)
        figures.append(
            PairedFigure(
                title=one.figure,
                serving=one.a,
                shadow=one.b,
                difference=difference,
                verdict=paired_verdict(difference, figure.less_is_better),
            )
        )
    return TruthComparison(
        source=source, cases=len(held_out.truth), patients=len(set(held_out.patients)), figures=figures
    )


def paired_verdict(difference: Estimate, less_is_better: bool) -> PairedVerdict:
    """Whether the interval of a difference lies wholly on one side of zero."""
    if difference.low is None or difference.high is None:
        return "not_told_apart"
    low, high = (-difference.high, -difference.low) if less_is_better else (difference.low, difference.high)
    return "worse" if high < 0 else "better" if low > 0 else "not_told_apart"


def _grades(rows: Sequence[TruthRow], serving: Films, shadow: Films) -> HeldOut:
    first, second = ({pair.row.line: pair for pair in knee_pairs(rows, films)[0]} for films in (serving, shadow))
    both = [line for line in first if line in second]

    def answers(of: Mapping[int, Any]) -> npt.NDArray[np.float64]:
        knees = [of[line].knee for line in both]
        return np.array([(knee.stage, sum(knee.probabilities[2:])) for knee in knees], np.float64).reshape(-1, 2)

    truth = np.array([first[line].truth for line in both], np.int64)
    patients = [first[line].row.patient for line in both]
    return HeldOut("grades", patients, truth, answers(first), answers(second), GRADES)


def _bones(rows: Sequence[TruthRow], serving: Films, shadow: Films) -> HeldOut:
    first, second = (
        {pair.row.line: pair for pairs, _ in bone_pairs(rows, films).values() for pair in pairs}
        for films in (serving, shadow)
    )
    both = [line for line in first if line in second]

    def answers(of: Mapping[int, Any]) -> npt.NDArray[np.float64]:
        return np.array([(of[line].called, of[line].finding.bone.osteoporosis) for line in both], np.float64).reshape(
            -1, 2
        )

    truth = np.array([first[line].truth for line in both], np.bool_)
    patients = [first[line].row.patient for line in both]
    return HeldOut("bones", patients, truth, answers(first), answers(second), BONES)


def agreement(
    service: str, films: Sequence[tuple[str, ReadFilm, ReadFilm]], bootstrap: Bootstrap
) -> list[NamedEstimate]:
    """How far the two agree, whoever is right.

    Args:
        films: the patient's code, as the serving version read the film, and as the one in the shadow did.
    """
    part = "staging" if service == "staging" else "imaging"
    codes = np.array([code for code, _, _ in films])
    answered = np.array([[getattr(one, part) is not None for one in both] for _, *both in films], np.bool_)
    answered = answered.reshape(-1, 2)
    shares = [
        ("Answered by the serving version", bootstrap.share(codes, answered[:, 0])),
        ("Answered by the one in the shadow", bootstrap.share(codes, answered[:, 1])),
    ]
    more = _same_grades(films, bootstrap) if service == "staging" else _same_readings(films, bootstrap)
    return [NamedEstimate(title=title, estimate=estimate) for title, estimate in [*shares, *more]]


def _same_grades(films: Sequence[tuple[str, ReadFilm, ReadFilm]], bootstrap: Bootstrap) -> list[tuple[str, Estimate]]:
    pairs = [(code, one, two) for code, first, second in films for one, two in same_knees(first, second)]
    codes = np.array([code for code, _, _ in pairs])
    a, b = np.array([(one.stage, two.stage) for _, one, two in pairs], np.int64).reshape(-1, 2).T
    sure = np.array([[knee.quality == "good" for knee in knees] for _, *knees in pairs], np.bool_).reshape(-1, 2)
    return [
        ("The same grade", bootstrap.share(codes, a == b)),
        ("At most one grade apart", bootstrap.share(codes, np.abs(a - b) <= 1)),
        ("Quadratic weighted kappa of the two", bootstrap(quadratic_kappa, codes, a, b)),
        ("Grades higher in the shadow by", bootstrap(lambda one, two: float(np.mean(two - one)), codes, a, b)),
        ("Low confidence, serving", bootstrap.share(codes, ~sure[:, 0])),
        ("Low confidence, in the shadow", bootstrap.share(codes, ~sure[:, 1])),
    ]


def same_knees(first: ReadFilm, second: ReadFilm) -> list[tuple[Knee, Knee]]:
    """The knees that both graded: both were handed the same joints, in the same order."""
    one = first.staging.knees if first.staging else []
    two = second.staging.knees if second.staging else []
    return [(a, b) for a, b in zip(one, two, strict=False) if a.box == b.box]


def _same_readings(films: Sequence[tuple[str, ReadFilm, ReadFilm]], bootstrap: Bootstrap) -> list[tuple[str, Estimate]]:
    read = [(code, a.imaging, b.imaging) for code, a, b in films if a.imaging and b.imaging]
    codes = np.array([code for code, _, _ in read])
    same_site = np.array([a.anatomy == b.anatomy for _, a, b in read], np.bool_)
    both = [(code, a, b) for code, a, b in read if not a.indeterminate and not b.indeterminate]
    known = np.array([code for code, _, _ in both])
    same = np.array([(a.label == "normal") == (b.label == "normal") for _, a, b in both], np.bool_)
    apart = np.array([b.bone.osteoporosis - a.bone.osteoporosis for _, a, b in both], np.float64)
    return [
        ("The same part of the body", bootstrap.share(codes, same_site)),
        ("Both called osteoporosis, or neither", bootstrap.share(known, same)),
        ("Reading of the bone higher in the shadow by", bootstrap(lambda of: float(np.mean(of)), known, apart)),
    ]
