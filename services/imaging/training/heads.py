"""The linear heads on the frozen features: anatomy, the way a picture lies, and one bone readout a site."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from services.imaging.network import Site
from services.imaging.training.features import LENGTH, SHAPE, TEXTURE, Features

# Inverse strength of the ridge of the multinomial heads; fixed before looking at results.
STRENGTH = 0.01
# Of the anatomy head; chosen by cross-validation among 0.01, 0.03 and 0.1: it has ten times as many pictures to refuse.
ANATOMY_STRENGTH = 0.03
# Of the head on places; chosen by cross-validation among 400 and 800 components of so many rows at most.
COMPONENTS, COMPONENT_STRENGTH, COMPONENT_ROWS = 800, 0.003, 4000
# Fewer of them where there are few pictures, as in a trial.
ROWS_PER_COMPONENT = 8
# Strength of the readouts' penalty for each feature; chosen by cross-validation among 1, 3 and 6.
RIDGE = 1.0
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """scores = features @ kernel + bias; kernel (features, outputs)."""

    kernel: Numbers
    bias: Numbers

    def scores(self, features: npt.NDArray[Any]) -> Numbers:
        return np.asarray(features @ self.kernel + self.bias, np.float64)


@dataclass(frozen=True)
class Readout:
    """How a site's bone is read, chosen by cross-validation over patients.

    Args:
        parts: of the features; the mean over one ridge regression for each.
        by_t_score: the target is the T-score (turned round) instead of the class's number.
    """

    parts: tuple[slice, ...]
    by_t_score: bool = False


READOUTS: dict[Site, Readout] = {
    "knee": Readout((SHAPE, TEXTURE), by_t_score=True),
    "spine_dxa": Readout((TEXTURE,)),
    "spine_cut_out": Readout((SHAPE, TEXTURE)),
}


def fit_classes(
    features: npt.NDArray[Any], truth: npt.NDArray[np.int64], classes: int, strength: float = STRENGTH
) -> Head:
    """Multinomial logistic regression on these features."""
    scaler = StandardScaler().fit(features)
    logistic = LogisticRegression(C=strength, max_iter=500).fit(scaler.transform(features), truth)
    return _unscaled(scaler, *_coefficients(logistic), logistic.classes_, classes)


def fit_places(places: npt.NDArray[Any], truth: npt.NDArray[np.int64], classes: int, seed: int) -> Head:
    """The same on the principal components of many features, as one kernel on the features themselves."""
    scaler = StandardScaler().fit(places)
    scaled = scaler.transform(places).astype(np.float32)
    some = np.random.default_rng(seed).permutation(len(scaled))[:COMPONENT_ROWS]
    count = max(2, min(COMPONENTS, len(places) // ROWS_PER_COMPONENT))
    reduction = PCA(count, svd_solver="randomized", random_state=seed).fit(scaled[some])
    components = reduction.transform(scaled)
    spread = components.std(axis=0).mean()
    logistic = LogisticRegression(C=COMPONENT_STRENGTH, max_iter=300).fit(components / spread, truth)
    coefficients, intercepts = _coefficients(logistic)
    coefficients = coefficients @ reduction.components_ / spread
    return _unscaled(scaler, coefficients, intercepts - coefficients @ reduction.mean_, logistic.classes_, classes)


def _coefficients(logistic: LogisticRegression) -> tuple[Numbers, Numbers]:
    """A row for each class: of two classes scikit-learn keeps one, the log odds of the second."""
    if len(logistic.classes_) > 2:
        return logistic.coef_, logistic.intercept_
    half = np.array([-0.5, 0.5])
    return half[:, np.newaxis] * logistic.coef_[0], half * logistic.intercept_


def _unscaled(
    scaler: StandardScaler, coefficients: Numbers, intercepts: Numbers, seen: npt.NDArray[np.int64], classes: int
) -> Head:
    """The head on features that are not standardised; a class never seen is never said."""
    kernel, bias = np.zeros((coefficients.shape[1], classes)), np.full(classes, -20.0)
    kernel[:, seen] = coefficients.T / scaler.scale_[:, np.newaxis]
    bias[seen] = intercepts - coefficients @ (scaler.mean_ / scaler.scale_)
    return Head(kernel, bias)


def fit_readout(readout: Readout, features: Features, target: Numbers) -> Head:
    """Ridge regression on each part of the standardised features, and their mean; one output, rising with the loss."""
    kernel, bias = np.zeros((LENGTH, 1)), np.zeros(1)
    for part in readout.parts:
        scaler = StandardScaler().fit(features[:, part])
        width = part.stop - part.start
        ridge = Ridge(alpha=RIDGE * width).fit(scaler.transform(features[:, part]), target)
        weights = ridge.coef_ / scaler.scale_ / len(readout.parts)
        kernel[part, 0] = weights
        bias[0] += ridge.intercept_ / len(readout.parts) - weights @ scaler.mean_
    return Head(kernel, bias)
