"""The kinds of model that are compared, each behind one call: fit on these people, give probabilities for those."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from services.clinical.encoding import COLUMN_NAMES, encode
from services.clinical.training.additive import WHOLE_RECORD_WEIGHT, Rows, fit_additive, log_odds, masked
from services.clinical.training.nhanes import Cohort
from services.clinical.variables import VARIABLES, WOMEN_ONLY

Matrix = NDArray[np.float64]
# Where survey weights enter the additive model: in the calibration (its level), in the sum as well, or nowhere.
SurveyWeights = Literal["level", "everywhere", "nowhere"]
Predict = Callable[[Cohort], Matrix]
MASKED_SHARES: tuple[float | None, ...] = (None, None, None, 1.0)
SEED = 20
ETHNIC_GROUPS = ("black", "hispanic", "asian or other")


def probability(log_odds_: Matrix) -> Matrix:
    """Of each log odds."""
    return 1 / (1 + np.exp(-log_odds_))


def rows_of(people: Cohort, *, weights: SurveyWeights = "level", share: float = 1.0) -> Rows:
    """Encoded people with their outcomes and weights."""
    even = np.ones(len(people))
    outcomes = np.column_stack([people.osteoporosis, people.low_bone_mass])
    return Rows(
        encode(people.columns),
        people.lowest_t,
        outcomes,
        people.weight if weights == "level" else even,
        share * (people.weight if weights == "everywhere" else even),
        people.cycle,
    )


def training_rows(people: Cohort, *, weights: SurveyWeights = "level") -> Rows:
    """The people as they are, and copies with fields hidden, so that a short record is learned from as well."""
    rng = np.random.default_rng(SEED)
    parts = [rows_of(people, weights=weights, share=WHOLE_RECORD_WEIGHT)]
    for share in MASKED_SHARES:
        parts.append(rows_of(people.seen_through(masked(people.columns, rng, share)), weights=weights))
    return Rows(
        np.concatenate([part.x for part in parts]),
        np.concatenate([part.lowest_t for part in parts]),
        np.concatenate([part.outcomes for part in parts]),
        np.concatenate([part.weight for part in parts]),
        np.concatenate([part.share for part in parts]),
        np.concatenate([part.cycle for part in parts]),
    )


def additive(people: Cohort, *, weights: SurveyWeights = "level") -> Predict:
    """The model that ships; see `additive.fit_additive`."""
    model = fit_additive(training_rows(people, weights=weights))
    return lambda others: probability(log_odds(model, encode(others.columns)))


def additive_with(see: Callable[[Cohort], Matrix], names: tuple[str, ...]) -> Callable[[Cohort], Predict]:
    """The same with further inputs: for comparison only."""

    def fit(people: Cohort) -> Predict:
        rows, copies = training_rows(people), len(MASKED_SHARES) + 1
        wider = replace(rows, x=np.c_[rows.x, np.tile(see(people), (copies, 1))])
        model = fit_additive(wider, COLUMN_NAMES + names)
        return lambda others: probability(log_odds(model, np.c_[encode(others.columns), see(others)]))

    return fit


def _ethnicity(people: Cohort) -> Matrix:
    return np.column_stack([people.ethnicity == group for group in ETHNIC_GROUPS]).astype(float)


def _diet(people: Cohort) -> Matrix:
    """Log of calcium and vitamin D in one day's recall; where missing, the average."""
    columns = []
    for values in people.extra.values():
        logged = np.log1p(values)
        columns.append(np.nan_to_num(logged, nan=float(np.nanmean(logged)) if np.isfinite(logged).any() else 0.0))
    return np.column_stack(columns)


additive_with_ethnicity = additive_with(_ethnicity, ETHNIC_GROUPS)


def classifier(make: Callable[[], ClassifierMixin], *, encoded: bool) -> Callable[[Cohort], Predict]:
    """A scikit-learn classifier, one for each outcome, on the encoded record or on the plain variables."""

    def fit(people: Cohort) -> Predict:
        see = _encoded if encoded else _plain
        x = see(people)
        models = []
        for outcome in (people.osteoporosis, people.low_bone_mass):
            model = make()
            name = f"{model.steps[-1][0]}__sample_weight" if isinstance(model, Pipeline) else "sample_weight"
            models.append(model.fit(x, outcome, **{name: people.weight}))
        return lambda others: np.column_stack([m.predict_proba(see(others))[:, 1] for m in models])

    return fit


def _encoded(people: Cohort) -> Matrix:
    return encode(people.columns)


def _plain(people: Cohort) -> Matrix:
    """The variables themselves; unknown is 0 with a flag, what never applies to men is 0."""
    names = [name for name in VARIABLES if name not in ("female", "age")]
    x = np.column_stack([people.columns[name] for name in VARIABLES])
    unknown = np.column_stack([np.isnan(people.columns[n]) & ((n not in WOMEN_ONLY) | (x[:, 0] == 1)) for n in names])
    return np.c_[np.nan_to_num(x, nan=0.0), unknown]


def _svm() -> Pipeline:
    svm = CalibratedClassifierCV(SVC(C=0.1, gamma=0.005, class_weight="balanced"), cv=3, ensemble=False)
    return make_pipeline(StandardScaler(), svm)


CANDIDATES: dict[str, Callable[[Cohort], Predict]] = {
    "additive, learned from the T-score": additive,
    "the same with calcium and vitamin D": additive_with(_diet, ("calcium", "vitamin D")),
    "logistic regression": classifier(
        lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.02, max_iter=2000)), encoded=True
    ),
    "gradient boosting": classifier(
        lambda: GradientBoostingClassifier(
            n_estimators=120, learning_rate=0.05, max_depth=3, min_samples_leaf=40, subsample=0.7, random_state=SEED
        ),
        encoded=False,
    ),
    "histogram gradient boosting": classifier(
        lambda: HistGradientBoostingClassifier(
            learning_rate=0.03, max_iter=150, max_leaf_nodes=8, min_samples_leaf=60, l2_regularization=5
        ),
        encoded=False,
    ),
    "random forest": classifier(
        lambda: RandomForestClassifier(300, min_samples_leaf=15, max_features=0.3, random_state=SEED, n_jobs=1),
        encoded=False,
    ),
    "support vector machine": classifier(_svm, encoded=True),
}
