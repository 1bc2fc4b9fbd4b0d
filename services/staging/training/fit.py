"""Fit the five-stage network: train and compare the candidates, calibrate, refit the one that serves, export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.model_selection import GroupKFold

from services.staging.training.candidates import BEST, CANDIDATES, Candidate, logits_of, refit, train
from services.staging.training.figures import Figures, brief
from services.staging.training.knees import Knees, read_sets
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.calibrate import Calibration, calibrate
from shared.training.distance import Distance, fit_distance
from shared.training.export import export
from shared.training.fit import predict
from shared.training.network import DISTANCE, PROBABILITIES, calibrated, pooled
from shared.training.run import Run

Numbers = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Fitted:
    """What the card is written from.

    Args:
        sets: the knees, the main set first.
        comparison: figures of the validation parts, a row a candidate and set.
        probabilities: of the network that serves, for each set (knees of its test part, 5).
        distances: likewise (knees of its test part,).
        parity: the largest difference between SavedModel and ONNX.
    """

    sets: Sequence[Knees]
    comparison: dict[str, Figures]
    probabilities: Sequence[npt.NDArray[np.float64]]
    distances: Sequence[npt.NDArray[np.float64]]
    parity: float


def fit(run: Run) -> Fitted:
    """Train, compare, calibrate on the validation parts, refit on training and validation parts, and export."""
    sets = read_sets(run.data, run.limit, run.seed, run.exclude)
    print("; ".join(knees.describe() for knees in sets), flush=True)
    networks = {}
    for candidate in CANDIDATES:
        print(candidate.description, flush=True)
        networks[candidate] = train(candidate, sets, run)
    best = networks[BEST]
    comparison = compare(networks, sets)
    calibration = calibration_of(best, sets)
    refit(best, sets, run)
    shipped = calibrated(best, NETWORK_SIZE, calibration, distance_of(best, sets))
    samples = sets[0].equalised[sets[0].split.validation][:16, ..., np.newaxis].astype(np.float32) / 255.0
    difference = export(shipped, run.saved_model, run.model / "staging.onnx", samples)
    answers = [predict(shipped, knees.equalised[knees.split.test]) for knees in sets]
    probabilities = [answer[PROBABILITIES].astype(np.float64) for answer in answers]
    distances = [answer[DISTANCE][:, 0].astype(np.float64) for answer in answers]
    return Fitted(sets, comparison, probabilities, distances, difference)


def compare(networks: Mapping[Candidate, keras.Model], sets: Sequence[Knees]) -> dict[str, Figures]:
    """Every candidate on the validation part of each set, with the mirror image, before the best one is refitted.

    Each half of the patients is calibrated on the other: before calibration the networks' kappas tell little, since
    balanced batches have shifted each one's grades in its own way.
    """
    rows = {}
    for candidate, network in networks.items():
        for knees in sets:
            part = knees.split.validation
            grades, patients = knees.grades[part], knees.patients_of(part)
            logits = logits_of(network, knees.equalised[part], candidate.phase.size)
            rows[f"{candidate.description}: {knees.name}"] = brief(grades, crossed(logits, grades, patients))
    return rows


def crossed(logits: Numbers, grades: npt.NDArray[np.int64], patients: Sequence[str]) -> Numbers:
    """Probabilities (count, 5), each half of the patients calibrated on the other."""
    probabilities = np.empty_like(logits, dtype=np.float64)
    for others, half in GroupKFold(2).split(logits, groups=patients):
        probabilities[half] = softmax(calibrate(logits[others], grades[others]).apply(logits[half]), axis=1)
    return probabilities


def calibration_of(model: keras.Model, sets: Sequence[Knees]) -> Calibration:
    """The calibration on the validation parts together, fitted before the network learns from them."""
    logits = [logits_of(model, knees.equalised[knees.split.validation]) for knees in sets]
    grades = [knees.grades[knees.split.validation] for knees in sets]
    return calibrate(np.concatenate(logits), np.concatenate(grades))


def distance_of(model: keras.Model, sets: Sequence[Knees]) -> Distance:
    """The distance from the knees of the training parts, in units of what those of the validation parts have."""
    features = pooled(model)
    training = [predict(features, knees.equalised[knees.split.train]) for knees in sets]
    return fit_distance(
        np.concatenate(training), [predict(features, knees.equalised[knees.split.validation]) for knees in sets]
    )
