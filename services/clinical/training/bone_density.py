"""Train, test and export the bone-density model."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.clinical.encoding import COLUMN_NAMES, OUTPUTS, encode, of_own_sex
from services.clinical.parameters import BoneDensityParameters, CutOffs
from services.clinical.training.additive import fit_additive
from services.clinical.training.candidates import additive, additive_with_ethnicity, probability, training_rows
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
from services.clinical.variables import FIELDS, WOMEN_ONLY
from shared.contracts.base import ModelReference
from shared.inference.onnx import OnnxScorer

HELD_OUT = "H"
VERSION = "1.1.0"
REFERENCE = ModelReference(name="trabecula-bone-density-risk", version=VERSION)
REFERENCE_AGE = 60.0
NUMBERS = ("weight_kg", "height_cm", "menopause_age", "alcohol_units_per_day")
ANSWERS: dict[str, list[dict[str, float]]] = {
    "prior_fractures": [
        {"fracture": 0.0, "major_fracture": 0.0},
        {"fracture": 1.0, "major_fracture": 0.0},
        {"fracture": 1.0, "major_fracture": 1.0},
    ],
}


@dataclass(frozen=True)
class Trained:
    """What the card and the plots are made from."""

    metrics: dict[str, Any]
    cut_offs: CutOffs
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
    parameters = BoneDensityParameters(
        model=REFERENCE,
        columns=list(COLUMN_NAMES),
        reference_age=REFERENCE_AGE,
        cut_offs=cut_offs,
        usual={"female": _usual(train, female=True), "male": _usual(train, female=False)},
    )
    (model_dir / "bone_density.json").write_text(parameters.model_dump_json(indent=1) + "\n", encoding="utf-8")
    metrics = _cross_validated(train) | {
        "held_out": measure(train, test, predicted, cut_offs),
        "held_out_with_ethnicity": _with_ethnicity(train, test),
        "shipped": _shipped(_score(path, test), predicted),
        "cut_offs": cut_offs.model_dump(),
        "log_odds": _table(model),
    }
    return Trained(metrics, cut_offs, bins(test.osteoporosis, predicted[:, 0]), test, predicted)


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


def _usual(people: Cohort, *, female: bool) -> dict[str, list[dict[str, float]]]:
    """10th and 90th percentile of a number, or each possible answer, for every field that applies to the sex."""
    member = people.columns["female"] == float(female)
    usual: dict[str, list[dict[str, float]]] = {}
    for field, names in FIELDS.items():
        if not female and set(names) <= set(WOMEN_ONLY):
            continue
        if field in NUMBERS:
            low, high = np.nanpercentile(people.columns[field][member], [10, 90])
            usual[field] = [{field: round(float(low), 1)}, {field: round(float(high), 1)}]
        else:
            usual[field] = ANSWERS.get(field, [{names[0]: 0.0}, {names[0]: 1.0}])
    return usual


def _table(model: Any) -> dict[str, dict[str, float]]:
    """The whole model: its intercepts and its log odds a unit of each column."""
    table = {"intercept": model.intercept_} | dict(zip(COLUMN_NAMES, model.coef_.T, strict=True))
    outputs = [f"{outcome}, {sex}" for sex, outcome in OUTPUTS]
    return {
        name: {output: round(float(value), 3) + 0.0 for output, value in zip(outputs, values, strict=True)}
        for name, values in table.items()
    }
