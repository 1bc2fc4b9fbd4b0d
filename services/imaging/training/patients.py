"""The patients who have both a radiograph and a record, and what each of the two, and both together, say of them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from services.imaging.classification import finding
from services.imaging.network import CONTENTS, Anatomy
from services.imaging.training.likelihood import likelihood_ratio, median
from shared.contracts.base import ModelReference
from shared.radiograph.upright import Correction
from shared.training.evaluate import auc, with_interval

OSTEOPOROSIS = 2
# Splits into folds that a patient's log odds are the mean of, so that no figure hangs on how one split fell.
FOLDS, REPEATS = 5, 20
# What the service says of a knee (`ImagingFinding.appearance`), by what the reader reads.
READINGS = {
    "possible_low_bone_density": ("low_bone_mass", "osteoporosis"),
    "osteoporosis": ("osteoporosis",),
    "no_sign": ("normal",),
    "indeterminate": ("indeterminate",),
}
Numbers = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Patients:
    """Who has both a radiograph and a record; arrays run in parallel.

    Args:
        records: age, weight and sex. truth: who has osteoporosis. groups: the patient.
        bone: (splits, patients, 3) out-of-fold probabilities of the radiograph.
    """

    records: pd.DataFrame
    truth: Chosen
    groups: npt.NDArray[np.str_]
    bone: Numbers
    seed: int

    @property
    def age(self) -> Numbers:
        """In years."""
        return self.records["age"].to_numpy(float)

    @cached_property
    def record(self) -> Numbers:
        """Log odds by the record alone."""
        return out_of_fold(self.records.to_numpy(float), self.truth, self.groups, self.seed)

    @cached_property
    def both(self) -> list[Numbers]:
        """Log odds by record and radiograph, for each split of the radiographs."""
        images = [logit(np.clip(split[:, OSTEOPOROSIS], 1e-4, 1 - 1e-4)) for split in self.bone]
        inputs = [np.column_stack([self.records, image]) for image in images]
        return [out_of_fold(each, self.truth, self.groups, self.seed) for each in inputs]

    @cached_property
    def said(self) -> list[npt.NDArray[np.str_]]:
        """What the service would say of each knee, for each split."""
        return [appearances(split) for split in self.bone]

    def figures(self, chosen: Chosen) -> dict[str, Any]:
        """Everything of some of the patients."""
        truth, groups, record = self.truth[chosen], self.groups[chosen], self.record[chosen]
        ost = -0.2 * (self.records["weight_kg"] - self.records["age"]).to_numpy(float)
        both = [split[chosen] for split in self.both]

        def gain(truth: Chosen, joint: Numbers, alone: Numbers) -> float:
            return auc(truth, joint) - auc(truth, alone)

        return {
            "patients": len(truth),
            "with_osteoporosis": int(truth.sum()),
            "auc_radiograph_alone": median(
                [with_interval(auc, groups, truth, split[chosen, OSTEOPOROSIS]) for split in self.bone]
            ),
            "auc_age_alone": with_interval(auc, groups, truth, self.age[chosen]),
            "auc_ost_score_alone": with_interval(auc, groups, truth, ost[chosen]),
            "auc_record_model": with_interval(auc, groups, truth, record),
            "auc_record_and_radiograph_model": median([with_interval(auc, groups, truth, split) for split in both]),
            "auc_gain_of_the_radiograph": median([with_interval(gain, groups, truth, split, record) for split in both]),
            "likelihood_ratio_of_readings_given_the_record": {
                name: median([likelihood_ratio(truth[given], record[given]) for given in each])
                for name, each in ((name, self.read_as(words, chosen)) for name, words in READINGS.items())
            },
        }

    def read_as(self, words: tuple[str, ...], chosen: Chosen) -> list[Chosen]:
        """Who of the chosen is read so, for each split."""
        return [np.isin(said[chosen], words) for said in self.said]


def appearances(bone: Numbers) -> npt.NDArray[np.str_]:
    """What the service would say of each knee, by its own rule."""
    knee, model = Anatomy(np.eye(len(CONTENTS))[0]), ModelReference(name="", version="")
    return np.array([finding(knee, probabilities, None, Correction(), model).appearance for probabilities in bone])


def out_of_fold(inputs: Numbers, truth: Chosen, groups: npt.NDArray[np.str_], seed: int) -> Numbers:
    """Log odds by a logistic model that has not seen the patient; the mean over several splits into folds."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    splits = [StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + number) for number in range(REPEATS)]
    each = [
        cross_val_predict(model, inputs, truth, groups=groups, cv=folds, method="decision_function") for folds in splits
    ]
    return np.asarray(np.mean(each, axis=0), np.float64)


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
