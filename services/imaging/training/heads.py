"""The two linear heads, judged out of fold: every figure is of pictures whose patient the heads never saw."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from services.imaging.network import BONE_CLASSES, CONTENTS
from services.imaging.training.cases import NO_LABEL, Cases
from services.imaging.training.features import Features
from shared.training.calibrate import Calibration, calibrate

FOLDS = 5
# Inverse strength of the ridge; weak features in many dimensions want a strong one. Fixed before looking at results.
RIDGE = {"anatomy": 0.01, "bone": 0.001}


@dataclass(frozen=True)
class Head:
    """logits = features @ kernel + bias."""

    kernel: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]

    def logits(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        return features @ self.kernel + self.bias


@dataclass(frozen=True)
class Heads:
    """Both heads, calibrated."""

    anatomy: Head
    bone: Head


@dataclass(frozen=True)
class Judged:
    """Out-of-fold probabilities of every picture; rows without a label of that head are still predicted."""

    anatomy: npt.NDArray[np.float64]
    bone: npt.NDArray[np.float64]
    calibration: Calibration


def fit_head(
    name: str, features: Features, labels: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], classes: int
) -> Head:
    """Multinomial logistic regression on the plain and augmented features of `rows`."""
    rows = rows[labels[rows] != NO_LABEL]
    inputs = np.concatenate([features.plain[rows], *features.varied[:, rows]])
    truth = np.tile(labels[rows], 1 + len(features.varied))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=RIDGE[name], max_iter=500)).fit(inputs, truth)
    scaler, logistic = model.steps[0][1], model.steps[1][1]
    kernel, bias = np.zeros((inputs.shape[1], classes)), np.full(classes, -20.0)  # a class never seen is never said
    kernel[:, logistic.classes_] = logistic.coef_.T / scaler.scale_[:, np.newaxis]
    bias[logistic.classes_] = logistic.intercept_ - logistic.coef_ @ (scaler.mean_ / scaler.scale_)
    return Head(kernel, bias)


def evaluate(cases: Cases, features: Features, seed: int) -> Judged:
    """Five folds by patient, stratified by set and bone class."""
    strata = np.array([f"{table}{bone}" for table, bone in zip(cases.table, cases.bone, strict=True)])
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(cases.pixels, strata, cases.group)
    anatomy, bone = np.zeros((len(strata), len(CONTENTS))), np.zeros((len(strata), len(BONE_CLASSES)))
    for train, test in folds:
        held = features.plain[test]
        anatomy[test] = fit_head("anatomy", features, cases.content, train, len(CONTENTS)).logits(held)
        bone[test] = fit_head("bone", features, cases.bone, train, len(BONE_CLASSES)).logits(held)
    labelled = cases.bone != NO_LABEL
    calibration = calibrate(bone[labelled], cases.bone[labelled], with_offsets=False)
    return Judged(softmax(anatomy, axis=1), softmax(calibration.apply(bone), axis=1), calibration)


def fit(cases: Cases, features: Features, calibration: Calibration) -> Heads:
    """The heads to ship: fitted on every case, the bone head with the out-of-fold calibration."""
    rows = np.arange(len(cases.pixels))
    bone = fit_head("bone", features, cases.bone, rows, len(BONE_CLASSES))
    return Heads(
        fit_head("anatomy", features, cases.content, rows, len(CONTENTS)),
        Head(bone.kernel * calibration.scale, bone.bias * calibration.scale + calibration.offsets),
    )
