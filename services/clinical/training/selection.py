"""Cross-validation by survey cycle: which kind of model, with or without weights, with or without ethnicity."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.clinical.parameters import CutOffs
from services.clinical.screening.ost import untruncated_ost
from services.clinical.training.additive import masked
from services.clinical.training.candidates import CANDIDATES, Predict, SurveyWeights, additive, additive_with_ethnicity
from services.clinical.training.metrics import auc, calibration, calibration_error, loss
from services.clinical.training.nhanes import Cohort
from shared.contracts.record import Sex

Matrix = NDArray[np.float64]
SCREENED_FROM = 50
SENSITIVITY = SPECIFICITY = 0.90
SMALLEST_STEP = 0.0001
KNOWN_FIELDS: dict[str, tuple[str, ...]] = {
    "age and sex": (),
    "with weight": ("weight_kg",),
    "with weight and height": ("weight_kg", "height_cm"),
}


def predict_unseen(people: Cohort, fit: Callable[[Cohort], Predict]) -> Matrix:
    """Both probabilities of everybody, each from a model that has not seen the person's survey cycle."""
    predicted = np.zeros((len(people), 2))
    for cycle in np.unique(people.cycle):
        held = people.cycle == cycle
        predicted[held] = fit(people.where(~held))(people.where(held))
    return predicted


def figures(people: Cohort, predicted: Matrix) -> dict[str, float]:
    """Mean over the held-out cycles: log loss at 40 and over (weighted), AUC at 50 and over, gain over OST there."""
    each = []
    for cycle in np.unique(people.cycle):
        rows = people.cycle == cycle
        part, p = people.where(rows), predicted[rows]
        old = screened(part)
        ost = -untruncated_ost_of(part)
        each.append(
            [
                loss(part.osteoporosis, p[:, 0], part.weight),
                loss(part.low_bone_mass, p[:, 1], part.weight),
                auc(part.osteoporosis[old], p[old, 0]),
                auc(part.osteoporosis[old], p[old, 0]) - auc(part.osteoporosis[old], ost[old]),
                auc(part.low_bone_mass[old], p[old, 1]),
                calibration(part.osteoporosis, p[:, 0], part.weight)[0],
                calibration_error(part.osteoporosis, p[:, 0], part.weight),
            ]
        )
    names = ("log_loss", "log_loss_low_bone_mass", "auc", "gain_over_ost", "auc_low_bone_mass", "slope", "ece")
    return {name: round(float(v), 4) for name, v in zip(names, np.mean(each, axis=0), strict=True)}


def screened(people: Cohort) -> NDArray[np.bool_]:
    """50 and over with a known weight: where OST can be computed, so that both are measured on the same people."""
    return (people.columns["age"] >= SCREENED_FROM) & ~np.isnan(people.columns["weight_kg"])


def untruncated_ost_of(people: Cohort) -> Matrix:
    """OST before truncation; low is high risk."""
    return np.asarray(untruncated_ost(people.columns["weight_kg"], people.columns["age"]))  # type: ignore[arg-type]


def compare(people: Cohort) -> dict[str, dict[str, float]]:
    """Every kind of model on the same held-out cycles."""
    return {name: figures(people, predict_unseen(people, fit)) for name, fit in CANDIDATES.items()}


def shorter_records(people: Cohort) -> dict[str, dict[str, float]]:
    """What the chosen model makes of people of whom less is known."""
    out = {}
    for name, known in KNOWN_FIELDS.items():
        out[name] = figures(people, predict_unseen(people, _seeing(partial(only, known=known))))
    rng = np.random.default_rng(1)
    out["half of the fields"] = figures(people, predict_unseen(people, _seeing(lambda c: masked(c.columns, rng, 0.5))))
    out["all fields"] = figures(people, predict_unseen(people, additive))
    return out


def _seeing(view: Callable[[Cohort], dict[str, Matrix]]) -> Callable[[Cohort], Predict]:
    """Train on everything, predict from what the view leaves."""

    def fit(people: Cohort) -> Predict:
        predict = additive(people)
        return lambda others: predict(others.seen_through(view(others)))

    return fit


def only(people: Cohort, known: tuple[str, ...]) -> dict[str, Matrix]:
    """The columns with everything but age, sex and the named ones hidden."""
    keep = {"female", "age", *known}
    return {k: v if k in keep else np.full_like(v, np.nan) for k, v in people.columns.items()}


def weights_effect(people: Cohort) -> dict[str, dict[str, float]]:
    """The chosen model with survey weights in its level only (as it ships), everywhere and nowhere."""
    kinds: tuple[SurveyWeights, ...] = ("level", "everywhere", "nowhere")
    return {kind: figures(people, predict_unseen(people, partial(additive, weights=kind))) for kind in kinds}


def members(people: Cohort, sex: Sex) -> NDArray[np.bool_]:
    """Whose sex this is."""
    return people.columns["female"] == float(sex == "female")


def derive_cut_offs(people: Cohort, predicted: Matrix) -> dict[Sex, CutOffs]:
    """The cut-offs of each sex, from its own people: at cut-offs for both together most women of 75 and over would be
    `high` and hardly any man."""
    women = members(people, "female")
    return {
        "female": cut_offs_of(people, predicted, women, "women"),
        "male": cut_offs_of(people, predicted, ~women, "men"),
    }


def cut_offs_of(people: Cohort, predicted: Matrix, chosen: NDArray[np.bool_], who: str) -> CutOffs:
    """`low` below the probability that keeps 90% of the cases of 50 and over, `high` from the one that spares 90%
    of the others; both from predictions for unseen cycles, with survey weights.

    Where a model is so good that the second lies below the first, they change places: "low" then misses fewer than a
    tenth and "high" spares more than nine tenths, so both promises hold and "moderate" is what lies between.
    """
    old = screened(people) & chosen
    y, p, w = people.osteoporosis[old], predicted[old, 0], people.weight[old]
    keeps, spares = _quantile(p[y == 1], w[y == 1], 1 - SENSITIVITY), _quantile(p[y == 0], w[y == 0], SPECIFICITY)
    low, high = round(min(keeps, spares), 4), round(max(keeps, spares), 4)
    if low == high:
        high += SMALLEST_STEP
    return CutOffs(low_below=low, high_from=high, rule=f"{who}: low below {low:.1%}, high from {high:.1%}")


def _quantile(values: Matrix, weight: Matrix, share: float) -> float:
    order = np.argsort(values)
    return float(np.interp(share, np.cumsum(weight[order]) / weight.sum(), values[order]))


def ethnicity_effect(people: Cohort) -> dict[str, dict[str, Any]]:
    """By ethnicity and sex, at one cut-off a model: what ethnicity as an input does to each group."""
    out: dict[str, dict[str, Any]] = {}
    for name, fit in (("without", additive), ("with", additive_with_ethnicity)):
        predicted = predict_unseen(people, fit)
        cut_offs = derive_cut_offs(people, predicted)
        out[name] = {"all": figures(people, predicted)} | by_group(people, predicted, cut_offs)
    return out


def by_group(people: Cohort, predicted: Matrix, cut_offs: dict[Sex, CutOffs]) -> dict[str, dict[str, float]]:
    """Each group of 50 and over: cases, observed over expected, AUC, sensitivity and specificity at both cut-offs."""
    old = screened(people)
    parts = [(f"{name}, ", people.ethnicity == name) for name in _names(people)]
    parts += [(f"{low} to {high - 1}, ", _aged(people, low, high)) for low, high in _BANDS]
    parts.append(("", np.ones(len(people), dtype=bool)))
    return {
        f"{name}{who}": _group(people, predicted[:, 0], old & rows & members(people, sex), cut_offs[sex])
        for name, rows in parts
        for sex, who in WORDS.items()
    }


WORDS: dict[Sex, str] = {"female": "women", "male": "men"}
_BANDS = ((50, 60), (60, 70), (70, 80), (80, 121))


def _names(people: Cohort) -> list[str]:
    return [str(name) for name in np.unique(people.ethnicity)]


def _aged(people: Cohort, low: int, high: int) -> NDArray[np.bool_]:
    return (people.columns["age"] >= low) & (people.columns["age"] < high)


def _group(people: Cohort, p: Matrix, rows: NDArray[np.bool_], cut_offs: CutOffs) -> dict[str, float]:
    y, p, ost = people.osteoporosis[rows], p[rows], -untruncated_ost_of(people)[rows]
    case, free = y == 1, y == 0
    if not case.any() or not free.any():
        return {"people": len(y), "cases": int(case.sum())}
    out = {
        "observed_over_expected": case.sum() / p.sum(),
        "auc": auc(y, p),
        "auc_ost": auc(y, ost),
        "sensitivity_at_low": (p[case] >= cut_offs.low_below).mean(),
        "specificity_at_low": (p[free] < cut_offs.low_below).mean(),
        "sensitivity_at_high": (p[case] >= cut_offs.high_from).mean(),
        "specificity_at_high": (p[free] < cut_offs.high_from).mean(),
    }
    return {"people": len(y), "cases": int(case.sum())} | {k: round(float(v), 3) for k, v in out.items()}
