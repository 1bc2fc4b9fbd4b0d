"""Train, test and export the bone-density model."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.clinical.encoding import COLUMN_NAMES, OUTPUTS, encode, of_own_sex
from services.clinical.parameters import BoneDensityParameters
from services.clinical.training.additive import fit_additive
from services.clinical.training.candidates import additive, additive_with_ethnicity, probability, training_rows
from services.clinical.training.companions import HELD_OUT, companions, write_companions
from services.clinical.training.export import export
from services.clinical.training.held_out import measure
from services.clinical.training.metrics import auc, bins
from services.clinical.training.nhanes import Cohort, read_cohort
from services.clinical.training.selection import (
    compare,
    derive_cut_offs,
    ethnicity_effect,
    predict_unseen,
    screened,
    shorter_records,
    weights_effect,
)
from shared.contracts.base import ModelReference
from shared.inference.onnx import OnnxScorer

VERSION = "1.2.0"
REFERENCE = ModelReference(name="trabecula-bone-density-risk", version=VERSION)


@dataclass(frozen=True)
class Trained:
    """What the card and the plots are made from."""

    metrics: dict[str, Any]
    parameters: BoneDensityParameters
    test_bins: list[tuple[float, float, int]]
    test: Cohort
    predicted: NDArray[np.float64]


def train_bone_density(data: Path, model_dir: Path, limit: int | None) -> Trained:
    """Compare, choose, fit, test, fit again with every cycle; writes `bone_density.onnx` and `bone_density.json`.

    The figures are those of the model that has not seen the held-out cycle. What ships is the same recipe fitted to
    all cycles: bone density changes over the years, and a later patient is nearer to the latest cycle.
    """
    people = read_cohort(data, limit)
    train, test = people.where(people.cycle != HELD_OUT), people.where(people.cycle == HELD_OUT)
    cut_offs = derive_cut_offs(train, predict_unseen(train, additive))
    predicted = _tested(train, test)
    model = fit_additive(training_rows(people))
    path = model_dir / "bone_density.onnx"
    export(model, len(COLUMN_NAMES), path)
    parameters = companions(people, test, predicted, cut_offs, REFERENCE)
    write_companions(parameters, model_dir)
    metrics = _cross_validated(train) | {
        "held_out": measure(train, test, predicted, cut_offs),
        "held_out_with_ethnicity": _with_ethnicity(train, test),
        "shipped": _shipped(_score(path, test), predicted),
        "cut_offs": {sex: of_sex.model_dump() for sex, of_sex in parameters.cut_offs.items()},
        "log_odds": _table(model),
    }
    return Trained(metrics, parameters, bins(test.osteoporosis, predicted[:, 0]), test, predicted)


def _cross_validated(train: Cohort) -> dict[str, Any]:
    return {
        "people": {"training": len(train), "cycles": sorted(set(train.cycle.tolist())), "held_out_cycle": HELD_OUT},
        "cross_validation": compare(train),
        "survey_weights": weights_effect(train),
        "shorter_records": shorter_records(train),
        "ethnicity": ethnicity_effect(train),
    }


def _tested(train: Cohort, test: Cohort) -> NDArray[np.float64]:
    """The held-out people's probabilities, through an exported file as in the service."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tested.onnx"
        export(fit_additive(training_rows(train)), len(COLUMN_NAMES), path)
        return _score(path, test)


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


def _score(path: Path, people: Cohort) -> NDArray[np.float64]:
    """From the exported file, in the number format it serves with."""
    scored = OnnxScorer(path).score({"x": encode(people.columns).astype(np.float32)})["variable"]
    return probability(of_own_sex(np.asarray(scored, dtype=np.float64), people.columns["female"]))


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
