"""Every head judged out of fold: each figure is of pictures whose patient the heads never saw."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.model_selection import StratifiedGroupKFold

from services.imaging.network import CONTENTS, SITES, classes_of
from services.imaging.training.cases import Case, Regions
from services.imaging.training.features import SHAPE, Features
from services.imaging.training.heads import (
    ANATOMY_STRENGTH,
    READOUTS,
    Head,
    Readout,
    fit_classes,
    fit_places,
    fit_readout,
)  # fmt: skip
from services.imaging.training.variants import Lying, Wholes
from shared.contracts.findings import CALIBRATED_FOR
from shared.training.calibrate import calibrate_ordinal

FOLDS = 5
# Into folds, since the patients are so few: a single split is luck.
SPLITS = 10
# Whom the probabilities are meant for: as many with osteoporosis as without. The sets' own shares are an artefact of
# how they were collected (knee_bone has 14 % normals), and a site's shares are its own.
SHARES = np.array([(1 - CALIBRATED_FOR) / 2, (1 - CALIBRATED_FOR) / 2, CALIBRATED_FOR])
# Log odds that say nothing, each class as likely as the others: of a readout without data.
EVEN = np.log([2.0, 0.5])
# T-scores in the middle of the classes, for cases that have a class and no T-score.
TYPICAL = np.array([0.0, -1.75, -3.0])
Numbers = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Heads:
    """The heads to ship. `bone` has a readout for each site and the slope and offsets that calibrate it."""

    anatomy: Head
    turn: Head
    inverted: Head
    bone: list[Head]
    slopes: list[float]
    offsets: list[Numbers]


@dataclass(frozen=True)
class Judged:
    """Out-of-fold answers.

    Args:
        anatomy: (cases, 9) probabilities. turn: (cases, 4 turns, 2 tones, 4) and inverted: (cases, 4, 2): the
            probabilities of each knee or spine in each of `WAYS`.
        bone: (cases, 3) calibrated probabilities; NaN without a bone label.
        knees: (`SPLITS`, cases, 3) the same of knees, in further splits into folds; the first is that of `bone`.
    """

    anatomy: Numbers
    turn: Numbers
    inverted: Numbers
    bone: Numbers
    slopes: list[float]
    offsets: list[Numbers]
    knees: Numbers


def judge(cases: list[Case], wholes: Wholes, regions: Regions, features: Features, seed: int) -> Judged:
    """Five folds by patient for every head.

    Args:
        features: of the regions, (variants, rows of `regions`, length); a readout learns from all variants and is
            judged on the first, which is what the service looks at.
    """
    anatomy, lying = judge_anatomy(cases, wholes.plain, wholes.augmented, seed), wholes.lying
    turn, inverted = np.zeros((lying.judged, 4)), np.zeros((lying.judged, 2))
    for number, (train, test) in enumerate(folds(cases, np.arange(len(cases)), seed)):
        seen, held = np.isin(lying.case, train), np.flatnonzero(np.isin(lying.case[: lying.judged], test))
        heads = fit_lying(lying, seen, seed)
        turn[held] = softmax(heads[0].scores(lying.places[held]), axis=1)
        inverted[held] = softmax(heads[1].scores(lying.shape[held]), axis=1)
        print(f"the way of lying, fold {number + 1}", flush=True)
    bone, slopes, offsets = np.full((len(cases), 3), np.nan), [], []
    for number, site in enumerate(SITES):
        rows = of_site(cases, number)
        slope, offset = 1.0, EVEN
        if rows.size:
            scores = readout_scores(READOUTS[site], cases, rows, regions, features, seed)
            slope, offset = calibrate_ordinal(scores, bones(cases, rows), SHARES)
            bone[rows] = classes_of(slope * scores[:, np.newaxis] + offset)
        slopes.append(slope)
        offsets.append(offset)
    knees = knees_of(cases, regions, features, seed)
    return Judged(anatomy, turn.reshape(-1, 4, 2, 4), inverted[:, 1].reshape(-1, 4, 2), bone, slopes, offsets, knees)


def judge_anatomy(cases: list[Case], plain: Features, augmented: Features, seed: int) -> Numbers:
    """Probabilities of the anatomy head, out of fold: (cases, contents)."""
    anatomy = np.zeros((len(cases), len(CONTENTS)))
    for number, (train, test) in enumerate(folds(cases, np.arange(len(cases)), seed)):
        head = fit_anatomy(cases, plain, augmented, train)
        anatomy[test] = softmax(head.scores(plain[test, SHAPE]), axis=1)
        print(f"anatomy, fold {number + 1}", flush=True)
    return anatomy


def knees_of(cases: list[Case], regions: Regions, features: Features, seed: int) -> Numbers:
    """The knees' calibrated probabilities out of fold, in several splits: (`SPLITS`, cases, 3), NaN for the others."""
    rows = of_site(cases, SITES.index("knee"))
    bone = np.full((SPLITS, len(cases), 3), np.nan)
    for number in range(SPLITS if rows.size else 0):
        scores = readout_scores(READOUTS["knee"], cases, rows, regions, features, seed + number)
        slope, offset = calibrate_ordinal(scores, bones(cases, rows), SHARES)
        bone[number, rows] = classes_of(slope * scores[:, np.newaxis] + offset)
    return bone


def readout_scores(
    readout: Readout, cases: list[Case], rows: Rows, regions: Regions, features: Features, seed: int
) -> Numbers:
    """A readout's score of each case in `rows`, out of fold."""
    scores = np.zeros(len(cases))
    for train, test in folds(cases, rows, seed):
        chosen = np.isin(regions.case, train)
        head = fit_bone(readout, cases, regions, features, chosen)
        scores[test] = case_scores(head, regions, features, test)
    return scores[rows]


def fit(cases: list[Case], wholes: Wholes, regions: Regions, features: Features, judged: Judged, seed: int) -> Heads:
    """The heads to ship, fitted on every case; the bone readouts with the out-of-fold calibration."""
    everything, bone = np.arange(len(cases)), []
    for number, site in enumerate(SITES):
        chosen = np.isin(regions.case, of_site(cases, number))
        bone.append(fit_bone(READOUTS[site], cases, regions, features, chosen))
    return Heads(
        fit_anatomy(cases, wholes.plain, wholes.augmented, everything),
        *fit_lying(wholes.lying, np.full(len(wholes.lying.case), True), seed),
        bone,
        judged.slopes,
        judged.offsets,
    )


def fit_anatomy(cases: list[Case], plain: Features, augmented: Features, rows: Rows) -> Head:
    """The anatomy head on the plain and augmented pictures of `rows`.

    Args:
        plain: (cases, length). augmented: (variants, cases, length).
    """
    content = np.array([case.content for case in cases])[rows]
    inputs = np.concatenate([plain[rows, SHAPE], *augmented[:, rows, SHAPE]])
    return fit_classes(inputs, np.tile(content, 1 + len(augmented)), len(CONTENTS), ANATOMY_STRENGTH)


def fit_lying(lying: Lying, rows: npt.NDArray[np.bool_], seed: int) -> tuple[Head, Head]:
    """The head for the turn, on places, and the one for the tone, on the shape."""
    turn = fit_places(lying.places[rows], lying.quarters[rows], 4, seed)
    return turn, fit_classes(lying.shape[rows], lying.inverted[rows], 2)


def fit_bone(
    readout: Readout, cases: list[Case], regions: Regions, features: Features, chosen: npt.NDArray[np.bool_]
) -> Head:
    """A readout on every variant of the chosen regions."""
    if not chosen.any():
        return Head(np.zeros((features.shape[-1], 1)), np.zeros(1))
    target = targets(readout, cases)[regions.case][chosen]
    return fit_readout(readout, np.concatenate(features[:, chosen]), np.tile(target, len(features)))


def folds(cases: list[Case], rows: Rows, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Folds of the cases in `rows` by patient, stratified by set and class."""
    strata = np.array([f"{cases[row].table} {cases[row].bone} {cases[row].content}" for row in rows])
    groups = np.array([cases[row].group for row in rows])
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(rows, strata, groups):
        yield rows[train], rows[test]


def case_scores(head: Head, regions: Regions, features: Features, rows: Rows) -> Numbers:
    """The mean score over the regions of each case in `rows`."""
    scores = head.scores(features[0])[:, 0]
    return np.array([scores[regions.case == row].mean() for row in rows])


def targets(readout: Readout, cases: list[Case]) -> Numbers:
    """What a readout is taught, for every case: the class's number, or the T-score turned round."""
    if not readout.by_t_score:
        return np.array([np.nan if case.bone is None else float(case.bone) for case in cases])
    known = [TYPICAL[case.bone or 0] if case.t_score is None else case.t_score for case in cases]
    return -np.array(known)


def of_site(cases: list[Case], number: int) -> Rows:
    """Rows of the cases with a bone label of one site."""
    return np.array([row for row, case in enumerate(cases) if case.site == SITES[number]], int)


def bones(cases: list[Case], rows: Rows) -> Rows:
    """Bone classes of these cases."""
    return np.array([cases[row].bone for row in rows], np.int64)
