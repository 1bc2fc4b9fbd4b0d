"""Train, test and export the bone-density model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.clinical.encoding import COLUMN_NAMES, OUTPUTS
from services.clinical.training.additive import fit_additive
from services.clinical.training.candidates import additive_with_ethnicity, training_rows
from services.clinical.training.categories import category_metrics
from services.clinical.training.companions import HELD_OUT, derive, write_companions
from services.clinical.training.export import export
from services.clinical.training.held_out import measure
from services.clinical.training.metrics import auc, bins
from services.clinical.training.nhanes import Cohort, read_cohort
from services.clinical.training.selection import (
    compare,
    ethnicity_effect,
    screened,
    shorter_records,
    weights_effect,
)
from services.clinical.training.tested import score
from shared.contracts.base import ModelReference

VERSION = "1.2.0"
REFERENCE = ModelReference(name="trabecula-bone-density-risk", version=VERSION)


@dataclass(frozen=True)
class Trained:
    """What the card and the plots are made from."""

    metrics: dict[str, Any]
    test_bins: list[tuple[float, float, int]]
    test: Cohort
    predicted: NDArray[np.float64]


def train_bone_density(data: Path, model_dir: Path, limit: int | None) -> Trained:
    """Compare, choose, fit, test, fit again with every cycle; writes `bone_density.onnx` and `bone_density.json`.

    The figures are those of the model that has not seen the held-out cycle. What ships is the same recipe fitted to
    all cycles: bone density changes over the years, and a later patient is nearer to the latest cycle.
    """
    people = read_cohort(data, limit)
    derived = derive(people, REFERENCE)
    train, test, predicted = derived.train, derived.test, derived.predicted
    model = fit_additive(training_rows(people))
    path = model_dir / "bone_density.onnx"
    export(model, len(COLUMN_NAMES), path)
    write_companions(derived.parameters, model_dir)
    metrics = _cross_validated(train) | {
        "held_out": measure(train, test, predicted, derived.parameters.cut_offs),
        "held_out_with_ethnicity": _with_ethnicity(train, test),
        "shipped": _shipped(score(path, test), predicted),
        **category_metrics(derived),
        "log_odds": _table(model),
    }
    return Trained(metrics, bins(test.osteoporosis, predicted[:, 0]), test, predicted)


def _cross_validated(train: Cohort) -> dict[str, Any]:
    return {
        "people": {"training": len(train), "cycles": sorted(set(train.cycle.tolist())), "held_out_cycle": HELD_OUT},
        "cross_validation": compare(train),
        "survey_weights": weights_effect(train),
        "shorter_records": shorter_records(train),
        "ethnicity": ethnicity_effect(train),
    }


def _shipped(shipped: NDArray[np.float64], tested: NDArray[np.float64]) -> dict[str, Any]:
    """How far the shipped model, fitted to every cycle, is from the tested one on the held-out people."""
    return {
        "fitted_to": "all four cycles, after the test; the figures are those of the fit without the held-out cycle",
        "mean_probability": {
            "tested": round(float(tested[:, 0].mean()), 4),
            "shipped": round(float(shipped[:, 0].mean()), 4),
        },
        "mean_absolute_difference": round(float(np.abs(shipped - tested)[:, 0].mean()), 4),
        "rank_correlation": round(float(np.corrcoef(_ranks(shipped[:, 0]), _ranks(tested[:, 0]))[0, 1]), 4),
    }


def _ranks(values: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(np.argsort(values))


def _with_ethnicity(train: Cohort, test: Cohort) -> dict[str, float]:
    """For the record only: the default has no ethnicity."""
    old = screened(test)
    p = additive_with_ethnicity(train)(test)[old]
    return {
        "auc": round(auc(test.osteoporosis[old], p[:, 0]), 3),
        "low_bone_mass_auc": round(auc(test.low_bone_mass[old], p[:, 1]), 3),
    }


def _table(model: Any) -> dict[str, dict[str, float]]:
    """The whole model: its intercepts and its log odds a unit of each column."""
    table = {"intercept": model.intercept_} | dict(zip(COLUMN_NAMES, model.coef_.T, strict=True))
    outputs = [f"{outcome}, {sex}" for sex, outcome in OUTPUTS]
    return {
        name: {output: round(float(value), 3) + 0.0 for output, value in zip(outputs, values, strict=True)}
        for name, values in table.items()
    }
