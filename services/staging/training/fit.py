"""Fit the five-stage network on knee joint crops (Chen 2018), split by patient."""

from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.backbone import efficientnet_lite0
from shared.training.calibrate import Calibration, calibrate
from shared.training.data import Split, read_pixels, read_table, split_by_patient, without_duplicates
from shared.training.evaluate import quadratic_kappa
from shared.training.export import export
from shared.training.fit import Batches, Phase, Trainer, predict
from shared.training.network import calibrated, classifier
from shared.training.run import Run

GRADES = 5
SHARPNESS = 2.0  # soft ordinal labels (Diaz & Marathe 2019): weight falls by e^2 for each grade of distance


@dataclass(frozen=True)
class Knees:
    """Joint crops as the network sees them, with grade and patient."""

    pixels: npt.NDArray[np.uint8]
    grades: npt.NDArray[np.int64]
    patients: list[str]
    split: Split


@dataclass(frozen=True)
class Fitted:
    """What the card is written from; `probabilities` are calibrated and cover every crop."""

    knees: Knees
    probabilities: npt.NDArray[np.float64]
    calibration: Calibration
    parity: float


def fit(run: Run) -> Fitted:
    """Train, calibrate on the validation part and export."""
    knees = read_knees(run)
    print(f"{len(knees.grades)} knees: {knees.split.describe()}", flush=True)
    model = trained(knees, run)
    logits = predict(model, knees.pixels)
    validation = knees.split.validation
    calibration = calibrate(logits[validation], knees.grades[validation])
    shipped = calibrated(model, NETWORK_SIZE, calibration)
    samples = knees.pixels[validation][:16, ..., np.newaxis].astype(np.float32) / 255.0
    difference = export(shipped, run.work / "saved_model" / "1", run.model / "staging.onnx", samples)
    return Fitted(knees, softmax(calibration.apply(logits), axis=1), calibration, difference)


def read_knees(run: Run) -> Knees:
    """The crops without duplicates, split by patient."""
    table = read_table(run.data, "knee_kl", run.limit)
    pixels = read_pixels(run.data, table["file"])
    kept = without_duplicates(pixels)
    table = table.iloc[kept]
    grades, patients = table["grade"].to_numpy(np.int64), table["patient"].tolist()
    return Knees(pixels[kept], grades, patients, split_by_patient(patients, grades, run.seed))


def trained(knees: Knees, run: Run) -> keras.Model:
    """ImageNet weights first, small pictures, then a short stretch at the size that is served."""
    model = classifier(efficientnet_lite0(), GRADES)
    train, validation = knees.split.train, knees.split.validation
    targets = soft_grades(knees.grades)[train]
    counts = np.bincount(knees.grades[train], minlength=GRADES)
    # Square root: full balance would show the 140 crops of grade 4 twenty times an epoch.
    weights = 1.0 / np.sqrt(counts[knees.grades[train]])

    def batches(phase: Phase) -> Batches:
        return Batches(knees.pixels[train], targets, weights, size=phase.size, seed=run.seed)

    def judge(network: keras.Model) -> float:
        logits = predict(network, knees.pixels[validation])
        return quadratic_kappa(knees.grades[validation], expected_grade(softmax(logits, axis=1)))

    def compile_for(optimizer: keras.optimizers.Optimizer) -> None:
        model.compile(optimizer, keras.losses.CategoricalCrossentropy(from_logits=True))

    phases = [Phase(160, run.count(9), 1e-3, warm_up=True), Phase(NETWORK_SIZE, run.count(4), 2e-4)]
    Trainer(model, run.work, judge).run(phases, batches, compile_for)
    return model


def soft_grades(grades: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """One row a knee: most of the weight on the reader's grade, the rest falling off with distance."""
    distance = np.abs(grades[:, np.newaxis] - np.arange(GRADES))
    return np.asarray(softmax(-SHARPNESS * distance, axis=1), np.float32)


def expected_grade(probabilities: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """The rounded mean of the grade's distribution, which quadratic kappa rewards."""
    return np.rint(probabilities @ np.arange(GRADES)).astype(np.int64)
