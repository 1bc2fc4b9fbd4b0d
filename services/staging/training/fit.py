"""Fit the five-stage network: compare, take the best to the served size, calibrate on the validation part, export."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from services.staging.training.candidates import CANDIDATES, SMALL_SIZE, Candidate, figures, logits_of, small, train
from services.staging.training.knees import Knees, read_knees
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.calibrate import Calibration, calibrate
from shared.training.export import export
from shared.training.fit import Phase
from shared.training.network import calibrated
from shared.training.run import Run

SERVED_EPOCHS, SERVED_LEARNING_RATE = 4, 4e-4
Row = dict[str, float]


@dataclass(frozen=True)
class Fitted:
    """What the card is written from; `probabilities` are calibrated and cover every crop."""

    knees: Knees
    candidate: Candidate
    comparison: dict[str, Row]
    probabilities: npt.NDArray[np.float64]
    calibration: Calibration
    parity: float


def fit(run: Run) -> Fitted:
    """Compare, train, calibrate on the validation part and export."""
    knees = read_knees(run)
    print(f"{len(knees.grades)} knees: {knees.split.describe()}", flush=True)
    comparison, networks = {}, {}
    for candidate in CANDIDATES:
        print(f"{candidate.words}, {SMALL_SIZE} pixels", flush=True)
        networks[candidate] = small(candidate, knees, run)
        comparison[f"{candidate.words}, {SMALL_SIZE} px"] = figures(networks[candidate], knees, SMALL_SIZE)
    best = best_of(comparison)
    print(f"{best.words} goes on at {NETWORK_SIZE} pixels", flush=True)
    model = networks[best]
    train(model, best, knees, served_phase(run), run.work / "served", run.seed)
    comparison[f"{best.words}, {NETWORK_SIZE} px"] = figures(model, knees, NETWORK_SIZE)
    comparison["the same, mean of the picture and its mirror image"] = figures(model, knees, NETWORK_SIZE, flips=True)
    logits, validation = logits_of(model, knees.pixels), knees.split.validation
    calibration = calibrate(logits[validation], knees.grades[validation])
    samples = knees.pixels[validation][:16, ..., np.newaxis].astype(np.float32) / 255.0
    shipped = calibrated(model, NETWORK_SIZE, calibration)
    difference = export(shipped, run.saved_model, run.model / "staging.onnx", samples)
    return Fitted(knees, best, comparison, softmax(calibration.apply(logits), axis=1), calibration, difference)


def best_of(comparison: dict[str, Row]) -> Candidate:
    """The candidate of the highest validation kappa among those that can be served."""
    servable = [candidate for candidate in CANDIDATES if candidate.servable]
    return max(servable, key=lambda one: comparison[f"{one.words}, {SMALL_SIZE} px"]["quadratic_weighted_kappa"])


def served_phase(run: Run) -> Phase:
    """The stretch at the size that is served."""
    return Phase(NETWORK_SIZE, run.count(SERVED_EPOCHS), SERVED_LEARNING_RATE)
