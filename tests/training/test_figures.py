"""The figures that need NumPy alone are scikit-learn's."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, brier_score_loss

from shared import figures
from shared.training import evaluate

pytestmark = pytest.mark.training


@pytest.mark.parametrize("seed", range(5))
def test_grades_and_probabilities_as_scikit_learn_counts_them(seed):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 5, 300)
    graded = np.clip(truth + random.integers(-1, 3, 300), 0, 4)
    score = np.round(random.random(300) * 0.6 + 0.1 * truth, 1)  # with ties
    assert figures.quadratic_kappa(truth, graded) == pytest.approx(evaluate.quadratic_kappa(truth, graded))
    assert figures.balanced_accuracy(truth, graded) == pytest.approx(balanced_accuracy_score(truth, graded))
    assert figures.auc(truth >= 2, score) == pytest.approx(evaluate.auc(truth >= 2, score))
    probability = np.clip(score, 0.01, 0.99)
    assert figures.brier(truth >= 2, probability) == pytest.approx(brier_score_loss(truth >= 2, probability))


def test_the_calibration_line_is_a_logistic_regression():
    random = np.random.default_rng(0)
    probability = random.uniform(0.05, 0.95, 500)
    truth = random.random(500) < probability**1.5
    log_odds = np.log(probability / (1 - probability))[:, np.newaxis]
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds, truth)
    line = figures.calibration_line(truth, probability)
    assert line == pytest.approx((fitted.intercept_[0], fitted.coef_[0, 0]), rel=1e-4)
