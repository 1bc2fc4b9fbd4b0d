"""Reproduce the seed's questionnaire model, beside the baselines that show what its data are worth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import RepeatedStratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from services.clinical.lifestyle import COLUMNS, columns_of
from services.clinical.parameters import CutOffs, LifestyleParameters
from services.clinical.training.export import export
from services.clinical.training.metrics import Interval, auc, interval
from shared.contracts.base import ModelReference
from shared.contracts.risk import LifestyleRecord
from shared.inference.onnx import OnnxScorer

FILE = "lifestyle.csv"
SEED = 20
VERSION = "1.0.0"
REFERENCE = ModelReference(name="trabecula-lifestyle", version=VERSION)
ADDITIVE = "gradient boosting, stumps"
SENSITIVITY = SPECIFICITY = 0.90
FIELDS = {
    "Age": "age", "Gender": "gender", "Hormonal Changes": "hormonal_changes", "Family History": "family_history",
    "Race/Ethnicity": "ethnicity", "Body Weight": "body_weight", "Calcium Intake": "calcium_intake",
    "Vitamin D Intake": "vitamin_d_intake", "Physical Activity": "physical_activity", "Smoking": "smoking",
    "Alcohol Consumption": "alcohol_consumption", "Medical Conditions": "medical_conditions",
    "Medications": "medications", "Prior Fractures": "prior_fractures",
}  # fmt: skip
YES_OR_NO = ("family_history", "smoking", "prior_fractures")


@dataclass(frozen=True)
class TrainedLifestyle:
    """What the card and the plots are made from."""

    metrics: dict[str, Any]
    y: NDArray[np.int_]
    predicted: NDArray[np.float64]


def candidates() -> dict[str, BaseEstimator]:
    """The seed's kinds of model, and the additive one."""
    svm = CalibratedClassifierCV(SVC(), cv=3, ensemble=False)
    return {
        ADDITIVE: GradientBoostingClassifier(n_estimators=300, learning_rate=0.5, max_depth=1, random_state=SEED),
        "gradient boosting": GradientBoostingClassifier(random_state=SEED),
        "histogram gradient boosting": HistGradientBoostingClassifier(max_iter=80),
        "random forest": RandomForestClassifier(300, min_samples_leaf=3, random_state=SEED, n_jobs=1),
        "support vector machine": make_pipeline(StandardScaler(), svm),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    }


def train_lifestyle(data: Path, model_dir: Path, limit: int | None) -> TrainedLifestyle:
    """Clean, encode, compare, fit, export and test (70:20:10); writes `lifestyle.onnx` and `lifestyle.json`."""
    table, dropped = read_table(data, limit)
    x, y = encode_table(table), table.Osteoporosis.to_numpy(int)
    x_train, x_rest, y_train, y_rest = train_test_split(x, y, test_size=0.3, stratify=y, random_state=SEED)
    x_tune, x_test, y_tune, y_test = train_test_split(
        x_rest, y_rest, test_size=1 / 3, stratify=y_rest, random_state=SEED
    )
    compared = {name: _cross_validated(model, x_train, y_train) for name, model in candidates().items()}
    model = clone(candidates()[ADDITIVE]).fit(x_train, y_train)
    path = model_dir / "lifestyle.onnx"
    export(model, len(COLUMNS), path, raw_scores=True)
    cut_offs = _cut_offs(y_tune, _score(path, x_tune))
    _write_parameters(model_dir, x_train, cut_offs)
    p = _score(path, x_test)
    age_only = clone(candidates()[ADDITIVE])
    metrics = {
        "rows": {
            "read": len(table) + dropped,
            "duplicates_dropped": dropped,
            "split": [len(x_train), len(x_tune), len(x_test)],
        },
        "cross_validation": compared,
        "cross_validation_age_only": _cross_validated(age_only, x_train[:, :1], y_train),
        "tuning_part_accuracy": round(float(accuracy_score(y_tune, _score(path, x_tune) >= 0.5)), 4),
        "test": _tested(y_test, p),
        "test_age_only": _tested(y_test, age_only.fit(x_train[:, :1], y_train).predict_proba(x_test[:, :1])[:, 1]),
        "test_age_over_35": _tested(y_test, (x_test[:, 0] > 35).astype(float)),
        "cut_offs": cut_offs.model_dump(exclude_none=True),
    }
    return TrainedLifestyle(metrics, y_test, p)


def read_table(data: Path, limit: int | None = None) -> tuple[pd.DataFrame, int]:
    """The table without its row ids and exact duplicates, and how many those were. "None" is an answer there."""
    table = pd.read_csv(data / FILE, keep_default_na=False).drop(columns="Id")
    if limit:
        table = table.sample(min(limit, len(table)), random_state=SEED)  # sorted by outcome, so not its head
    unique = table.drop_duplicates().reset_index(drop=True)
    return unique, len(table) - len(unique)


def encode_table(table: pd.DataFrame) -> NDArray[np.float64]:
    """Every row through the service's own contract and encoding, so that training and serving cannot differ."""
    rows = table.rename(columns=FIELDS)[list(FIELDS.values())].to_dict("records")
    encoded = [columns_of(LifestyleRecord.model_validate(_answers(row))) for row in rows]
    return np.array([[row[name] for name in COLUMNS] for row in encoded])


def _answers(row: dict[str, Any]) -> dict[str, Any]:
    answers = {k: v.lower().replace(" ", "_") if isinstance(v, str) else v for k, v in row.items()}
    return answers | {name: answers[name] == "yes" for name in YES_OR_NO}


def _cross_validated(model: BaseEstimator, x: NDArray[np.float64], y: NDArray[np.int_]) -> dict[str, float]:
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=SEED)
    scores = cross_validate(model, x, y, cv=folds, scoring=["accuracy", "neg_log_loss", "roc_auc"], n_jobs=1)
    return {
        "accuracy": round(float(scores["test_accuracy"].mean()), 4),
        "accuracy_sd": round(float(scores["test_accuracy"].std()), 4),
        "log_loss": round(float(-scores["test_neg_log_loss"].mean()), 4),
        "auc": round(float(scores["test_roc_auc"].mean()), 4),
    }


def _score(path: Path, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from the exported file, which gives log odds."""
    scores = OnnxScorer(path).score({"x": x.astype(np.float32)})["probabilities"][:, -1]
    return 1 / (1 + np.exp(-scores.astype(np.float64)))


def _tested(y: NDArray[np.int_], p: NDArray[np.float64]) -> dict[str, Any]:
    predicted = (p >= 0.5).astype(int)
    accuracy: Interval = interval(lambda i: float(accuracy_score(y[i], predicted[i])), len(y))
    return {
        "people": len(y),
        "accuracy": accuracy.rounded(4),
        "auc": interval(lambda i: auc(y[i], p[i]), len(y)).rounded(),
        "confusion_matrix": confusion_matrix(y, predicted).tolist(),
    }


def _cut_offs(y: NDArray[np.int_], p: NDArray[np.float64]) -> CutOffs:
    low = float(np.quantile(p[y == 1], 1 - SENSITIVITY))
    high = max(float(np.quantile(p[y == 0], SPECIFICITY)), low)
    rule = f"low below {low:.1%}: sensitivity 90%; high from {high:.1%}: specificity 90%; on the tuning part (20%)"
    return CutOffs(low_below=round(low, 4), high_from=round(high, 4), rule=rule)


def _write_parameters(model_dir: Path, x: NDArray[np.float64], cut_offs: CutOffs) -> None:
    middle = np.median(x, axis=0)
    parameters = LifestyleParameters(
        model=REFERENCE,
        columns=list(COLUMNS),
        reference=dict(zip(COLUMNS, middle.tolist(), strict=True)),
        reference_words=f"a person of {middle[0]:g} years with the more common answer to every question",
        cut_offs=cut_offs,
    )
    (model_dir / "lifestyle.json").write_text(
        parameters.model_dump_json(indent=1, exclude_none=True) + "\n", encoding="utf-8"
    )
