"""The linear heads on the frozen features: anatomy, the way a picture lies, and one bone readout a site."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from services.imaging.network import Site
from services.imaging.training.features import LENGTH, SHAPE, TEXTURE, Features

# Inverse strength of the ridge of the multinomial heads; fixed before looking at results.
STRENGTH = 0.01
# Strength of the readouts' penalty for each feature; chosen by cross-validation among 1, 3 and 6.
RIDGE = 1.0
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """scores = features @ kernel + bias; kernel (`LENGTH`, outputs)."""

    kernel: Numbers
    bias: Numbers

    def scores(self, features: Features) -> Numbers:
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


def fit_classes(features: Features, truth: npt.NDArray[np.int64], classes: int) -> Head:
    """Multinomial logistic regression on the shape features."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))
    model.fit(features[:, SHAPE], truth)
    scaler, logistic = model.steps[0][1], model.steps[1][1]
    coefficients, intercepts = logistic.coef_, logistic.intercept_
    if len(logistic.classes_) == 2:  # scikit-learn then keeps one row, the log odds of the second
        coefficients, intercepts = np.stack([-coefficients[0], coefficients[0]]) / 2, intercepts * np.array([-0.5, 0.5])
    kernel, bias = np.zeros((LENGTH, classes)), np.full(classes, -20.0)  # a class never seen is never said
    kernel[SHAPE, logistic.classes_] = coefficients.T / scaler.scale_[:, np.newaxis]
    bias[logistic.classes_] = intercepts - coefficients @ (scaler.mean_ / scaler.scale_)
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
