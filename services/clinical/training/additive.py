"""The additive bone-density model: one sum over fields, calibrated to two outcomes.

A person's lowest T-score says far more than whether it fell below -2.5, so the sum is learned from the T-score itself
(ridge regression, T above 0 counted as 0: differences among strong bones are of no use here) and then calibrated to
the probability of each outcome by logistic regression on sums predicted for survey cycles that it has not seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, LogisticRegression

from services.clinical.encoding import COLUMN_NAMES, OUTCOMES, OUTPUTS, of_own_sex
from services.clinical.variables import FIELDS, WOMEN_ONLY, Columns

# Known from the literature; a factor whose few cases in the survey point the other way gets no effect, not a wrong one.
LOWER_BONE_DENSITY = (
    "age", "past_menopause", "parental", "fracture", "major_fracture", "glucocorticoids", "rheumatoid_arthritis",
    "thyroid_disease", "kidney_disease", "liver_disease", "smoker",
)  # fmt: skip
RAISE_BONE_DENSITY = ("weight from", "menopause_age", "oestrogen_use", "oestrogen_ever", "active")
# Not knowing one of these says something of its own; any other field that is unknown counts as the average answer, so
# that learning of a harmful answer never lowers the estimate and learning of its absence never raises it.
TELLING_WHEN_UNKNOWN = ("weight", "age, weight", "height", "past_menopause", "menopause_age")
Matrix = NDArray[np.float64]
RIDGE = 20.0
STRONGEST_T = 0.0
WHOLE_RECORD_WEIGHT = 4.0


@dataclass(frozen=True)
class Rows:
    """Encoded people with what is to be learned of them."""

    x: Matrix
    lowest_t: Matrix
    outcomes: NDArray[np.int_]  # two columns: osteoporosis, low bone mass
    weight: Matrix  # survey weight
    share: Matrix  # of a person in the fit, who may be there several times with fields hidden
    cycle: NDArray[np.str_]

    def where(self, rows: NDArray[np.bool_]) -> "Rows":
        """The people whose row is true."""
        return Rows(
            self.x[rows],
            self.lowest_t[rows],
            self.outcomes[rows],
            self.weight[rows],
            self.share[rows],
            self.cycle[rows],
        )


def masked(columns: Columns, rng: np.random.Generator, share: float | None) -> dict[str, Matrix]:
    """The same people with fields hidden at random: a share of them, or a different random share for each person."""
    size = len(columns["age"])
    hide = rng.uniform(0, 1, size) if share is None else np.full(size, share)
    hidden = {field: rng.uniform(0, 1, size) < hide for field in FIELDS}
    out = dict(columns)
    for field, names in FIELDS.items():
        for name in names:
            out[name] = np.where(hidden[field], np.nan, columns[name])
    return out


def signs(names: tuple[str, ...]) -> Matrix:
    """The sign that medicine asks of each column's effect on the T-score; 0 is free."""
    return np.array([_sign(name) for name in names], dtype=float)


def _sign(name: str) -> int:
    if name.endswith("unknown"):
        return 0
    if name.startswith(LOWER_BONE_DENSITY):
        return -1
    return 1 if name.startswith(RAISE_BONE_DENSITY) else 0


def averages(rows: Rows, names: tuple[str, ...]) -> Matrix:
    """The matrix that puts a field's average in place of its "unknown" column: encoded rows times it are fitted."""
    out = np.eye(len(names))
    for name in names:
        if not name.endswith(" unknown") or name.startswith(TELLING_WHEN_UNKNOWN):
            continue
        value, flag = names.index(name.removesuffix(" unknown")), names.index(name)
        known = rows.x[:, flag] == 0
        applies = known & _applies(rows.x, names, name)
        share = rows.share * applies
        out[flag, flag] = 0.0
        out[flag, value] = (rows.x[:, value] @ share) / share.sum() if share.any() else 0.0
    return out


def _applies(x: Matrix, names: tuple[str, ...], name: str) -> NDArray[np.bool_]:
    women = x[:, names.index("women")] == 1
    if name.startswith(WOMEN_ONLY) or " women" in name:
        return women
    return ~women if " men" in name else np.ones(len(x), dtype=bool)


def fit_sum(rows: Rows, sign: Matrix, average: Matrix) -> tuple[Matrix, float]:
    """Ridge regression of the lowest T-score; a coefficient of the wrong sign is set to zero and the rest refitted.

    Without survey weights: how a field acts is asked of every person alike, and weights only made that estimate less
    precise (the card has the comparison). The level is another matter; see `fit_additive`.
    """
    target = np.minimum(rows.lowest_t, STRONGEST_T)
    weight = rows.share / rows.share.mean()
    x = rows.x @ average
    mean = np.average(x, axis=0, weights=weight)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight))
    scale[scale == 0] = 1
    z = (x - mean) / scale
    centre = float(np.average(target, weights=weight))
    gram, moment = z.T @ (z * weight[:, None]), z.T @ (weight * (target - centre))
    free = np.ones(z.shape[1], dtype=bool)
    while True:
        coefficients = np.zeros(z.shape[1])
        coefficients[free] = np.linalg.solve(gram[np.ix_(free, free)] + RIDGE * np.eye(free.sum()), moment[free])
        wrong = coefficients * sign < 0
        if not wrong.any():
            break
        free &= ~wrong
    coefficients /= scale
    return average @ coefficients, centre - float(mean @ coefficients)


def fit_additive(rows: Rows, names: tuple[str, ...] = COLUMN_NAMES) -> LinearRegression:
    """The log odds of both outcomes as a linear model of the encoded record, calibrated with survey weights.

    The calibration is one for each sex, as the same sum says more about a man than about a woman; so the model has
    four outputs, in the order of `OUTPUTS`, of which `of_own_sex` takes a person's two.
    """
    sign, average = signs(names), averages(rows, names)
    unseen = np.zeros(len(rows.x))
    for cycle in np.unique(rows.cycle):
        held = rows.cycle == cycle
        coefficients, level = fit_sum(rows.where(~held), sign, average)
        unseen[held] = rows.x[held] @ coefficients + level
    coefficients, level = fit_sum(rows, sign, average)
    women = rows.x[:, names.index("women")] == 1
    model = LinearRegression()
    model.coef_, model.intercept_ = np.zeros((len(OUTPUTS), len(names))), np.zeros(len(OUTPUTS))
    for output, (sex, outcome) in enumerate(OUTPUTS):
        member = women if sex == "women" else ~women
        no_weight = names.index(f"weight unknown {sex}")
        calibration = LogisticRegression(C=1e6, max_iter=1000)
        calibration.fit(
            np.c_[unseen, rows.x[:, no_weight]][member],
            rows.outcomes[member, OUTCOMES.index(outcome)],
            sample_weight=(rows.weight * rows.share)[member],
        )
        slope, shift = calibration.coef_[0]
        model.coef_[output] = slope * coefficients
        # The level without a weight is the calibration's own: fewer facts, so a wider spread behind the same sum.
        model.coef_[output, no_weight] += shift
        model.intercept_[output] = calibration.intercept_[0] + slope * level
    model.n_features_in_ = len(names)
    return model


def log_odds(model: LinearRegression, x: Matrix) -> Matrix:
    """Log odds of osteoporosis and of low bone mass, one row a person."""
    return of_own_sex(np.asarray(model.predict(x)), x[:, COLUMN_NAMES.index("women")])
