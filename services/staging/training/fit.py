"""Fit the five-stage network: train the candidates, compare them, calibrate the one that serves, export."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from services.staging.training.candidates import BEST, CANDIDATES, Candidate, compared, logits_of, train
from services.staging.training.knees import Knees, read_knees
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.calibrate import calibrate
from shared.training.export import export
from shared.training.fit import predict
from shared.training.network import PROBABILITIES, calibrated
from shared.training.run import Run

Row = dict[str, float]


@dataclass(frozen=True)
class Fitted:
    """What the card is written from.

    Args:
        comparison: figures of the validation part, a row a candidate.
        probabilities: of the network that serves, (knees of the test part, 5).
        parity: the largest difference between SavedModel and ONNX.
    """

    knees: Knees
    comparison: dict[str, Row]
    probabilities: npt.NDArray[np.float64]
    parity: float


def fit(run: Run) -> Fitted:
    """Train, compare, calibrate on the validation part and export."""
    knees = read_knees(run)
    print(f"{len(knees.grades)} knees: {knees.split.describe()}", flush=True)
    networks = {}
    for candidate in CANDIDATES:
        print(candidate.description, flush=True)
        networks[candidate] = train(candidate, knees, run)
    rows = knees.split.validation
    logits = logits_of(networks[BEST], knees.pixels[rows])
    comparison = compare(networks, logits, knees)
    calibration = calibrate(logits, knees.grades[rows])
    shipped = calibrated(networks[BEST], NETWORK_SIZE, calibration)
    samples = knees.pixels[rows][:16, ..., np.newaxis].astype(np.float32) / 255.0
    difference = export(shipped, run.saved_model, run.model / "staging.onnx", samples)
    probabilities = predict(shipped, knees.pixels[knees.split.test])[PROBABILITIES].astype(np.float64)
    return Fitted(knees, comparison, probabilities, difference)


def compare(
    networks: Mapping[Candidate, keras.Model], served: npt.NDArray[np.floating], knees: Knees
) -> dict[str, Row]:
    """Every candidate on the validation part, and the best one with the mirror image, as it serves.

    Args:
        served: the best one's logits with the mirror image, (knees of the validation part, 5).
    """
    pixels = knees.pixels[knees.split.validation]
    rows = {
        candidate.description: compared(knees, logits_of(network, pixels, candidate.phase.size, mirror=False))
        for candidate, network in networks.items()
    }
    return rows | {f"{BEST.description}, mean of the picture and its mirror image (serves)": compared(knees, served)}
