"""The radiograph and the record of the same patients in one small model: evaluated and reported, never served.

Age is confounded with the label in `knee_bone`: its group means are 35, 51 and 62 years. What the record gains there
may be what the collection put into it, so the gateway joins findings by a stated rule instead.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from services.imaging.training.cases import Case
from shared.training.evaluate import auc, with_interval

TABLE, OSTEOPOROSIS = "knee_bone", 2
RECORDS = "knee_bone_patients.csv"
FOLDS = 5
Numbers = npt.NDArray[np.float64]


def with_record(data: Path, cases: list[Case], bone: Numbers, seed: int) -> dict[str, Any] | None:
    """AUC of osteoporosis against the rest, for image, age, record and all of them; None without the patients' table.

    Args:
        data: the data folder.
        bone: (cases, 3) calibrated probabilities of the radiograph, out of fold.
    """
    rows = np.array([row for row, case in enumerate(cases) if case.table == TABLE], int)
    if not (data / RECORDS).exists() or len(rows) == 0:
        return None
    records = read_records(data / RECORDS).reindex([Path(cases[row].file).stem for row in rows])
    known = records.notna().all(axis=1).to_numpy()
    rows, records = rows[known], records[known]
    truth = np.array([cases[row].bone == OSTEOPOROSIS for row in rows])
    if len(rows) == 0 or min(truth.sum(), (~truth).sum()) < FOLDS:
        return None
    image = logit(np.clip(bone[rows, OSTEOPOROSIS], 1e-4, 1 - 1e-4))
    groups = np.array([cases[row].group for row in rows])
    scores = {
        "radiograph_alone": image,
        "age_alone": records["age"].to_numpy(float),
        "ost_score_alone": -0.2 * (records["weight_kg"] - records["age"]).to_numpy(float),
        "record_model": out_of_fold(records.to_numpy(float), truth, seed),
        "record_and_radiograph_model": out_of_fold(np.column_stack([records, image]), truth, seed),
    }
    return {
        "patients": len(rows),
        "with_osteoporosis": int(truth.sum()),
        **{f"auc_{name}": with_interval(auc, groups, truth, score) for name, score in scores.items()},
        "use": "none: age is confounded with the label here, so the gain cannot be told from how the set was collected",
    }


def out_of_fold(inputs: Numbers, truth: npt.NDArray[np.bool_], seed: int) -> Numbers:
    """Log odds by a logistic model; one radiograph a patient, so folds of rows are folds of patients."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return np.asarray(cross_val_predict(model, inputs, truth, cv=folds, method="decision_function"), np.float64)


def read_records(file: Path) -> pd.DataFrame:
    """Age, weight and sex by patient, in the units of the clinical record."""
    table = pd.read_csv(file).dropna(subset=["Patient Id"])
    table = table.assign(patient=table["Patient Id"].str.strip()).drop_duplicates("patient").set_index("patient")
    return pd.DataFrame(
        {
            "age": pd.to_numeric(table["Age"], errors="coerce"),
            "weight_kg": pd.to_numeric(table["Weight (KG)"], errors="coerce"),
            "female": (table["Gender"].str.strip().str.lower() == "female").astype(float),
        }
    )
