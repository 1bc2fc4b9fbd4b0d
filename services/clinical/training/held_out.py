"""The held-out survey cycle, looked at once for a version of the model: every figure with its interval and baseline."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.clinical.parameters import CutOffs
from services.clinical.training.metrics import Interval, auc, calibration, calibration_error, interval, loss
from services.clinical.training.nhanes import Cohort
from services.clinical.training.selection import by_group, screened, untruncated_ost_of
from shared.contracts.record import Sex

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]


def measure(train: Cohort, test: Cohort, predicted: Matrix, cut_offs: dict[Sex, CutOffs]) -> dict[str, Any]:
    """All figures of the held-out cycle.

    Args:
        train: the people the model learned from, for the baseline of age, sex and weight.
        test: the held-out people.
        predicted: their probabilities of osteoporosis and of low bone mass, from the exported model.
        cut_offs: the category rule of each sex, derived without these people.
    """
    old = screened(test)
    some, p = test.where(old), predicted[old]
    women = some.columns["female"] == 1
    simple = _age_sex_weight(train, some)
    return {
        "people": len(some),
        "osteoporosis": {
            name: _discrimination(some.where(rows), p[rows, 0], simple[rows])
            for name, rows in (("all", np.ones(len(some), dtype=bool)), ("women", women), ("men", ~women))
        },
        "calibration, 50 and over": _calibrated(some, p),
        "calibration, 40 and over": _calibrated(test, predicted),
        "low_bone_mass_auc": {
            "50 and over": _auc(some.low_bone_mass, p[:, 1]).rounded(),
            "40 and over": _auc(test.low_bone_mass, predicted[:, 1]).rounded(),
        },
        "log_loss, 40 and over": round(loss(test.osteoporosis, predicted[:, 0]), 4),
        "by_group": by_group(test, predicted, cut_offs),
    }


def _discrimination(people: Cohort, p: Matrix, simple: Matrix) -> dict[str, Any]:
    y, w, ost = people.osteoporosis, people.weight, -untruncated_ost_of(people)

    def gain(baseline: Matrix, weight: Matrix | None = None) -> Interval:
        def figure(i: Rows) -> float:
            wi = None if weight is None else weight[i]
            return auc(y[i], p[i], wi) - auc(y[i], baseline[i], wi)

        return interval(figure, len(people))

    return {
        "people": len(people),
        "cases": int(y.sum()),
        "auc": _auc(y, p).rounded(),
        "auc_ost": _auc(y, ost).rounded(),
        "auc_age_sex_weight": _auc(y, simple).rounded(),
        "gain_over_ost": gain(ost).rounded(4),
        "gain_over_age_sex_weight": gain(simple).rounded(4),
        "auc_weighted": round(auc(y, p, w), 3),
        "gain_over_ost_weighted": gain(ost, w).rounded(4),
    }


def _auc(y: NDArray[np.int_], score: Matrix) -> Interval:
    return interval(lambda i: auc(y[i], score[i]), len(y))


def _calibrated(people: Cohort, p: Matrix) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, y, column in (("osteoporosis", people.osteoporosis, 0), ("low_bone_mass", people.low_bone_mass, 1)):
        q = p[:, column]
        out[name] = {
            "slope": interval(_slope_of(y, q), len(y)).rounded(),
            "intercept": round(calibration(y, q)[1], 3),
            "ece": interval(_error_of(y, q), len(y)).rounded(4),
            "slope_weighted": round(calibration(y, q, people.weight)[0], 3),
            "ece_weighted": round(calibration_error(y, q, people.weight), 4),
            "mean_predicted": round(float(q.mean()), 4),
            "observed": round(float(y.mean()), 4),
        }
    return out


def _slope_of(y: NDArray[np.int_], p: Matrix) -> Callable[[Rows], float]:
    return lambda i: calibration(y[i], p[i])[0]


def _error_of(y: NDArray[np.int_], p: Matrix) -> Callable[[Rows], float]:
    return lambda i: calibration_error(y[i], p[i])


def _age_sex_weight(train: Cohort, test: Cohort) -> Matrix:
    """The baseline that a pocket calculator reaches: logistic regression on age, weight and sex, by sex."""

    def see(people: Cohort) -> Matrix:
        age, weight, female = (people.columns[n] for n in ("age", "weight_kg", "female"))
        weight = np.nan_to_num(weight, nan=float(np.nanmean(train.columns["weight_kg"])))
        return np.column_stack([age, weight, female, age * female, weight * female])

    model = LogisticRegression(C=1e6, max_iter=5000)
    model.fit(see(train), train.osteoporosis, sample_weight=train.weight)
    return np.asarray(model.predict_proba(see(test))[:, 1])
