"""Probabilities from an exported file, as in the service."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from services.clinical.encoding import COLUMN_NAMES, encode, of_own_sex
from services.clinical.training.additive import fit_additive
from services.clinical.training.candidates import probability, training_rows
from services.clinical.training.export import export
from services.clinical.training.nhanes import Cohort
from shared.inference.onnx import OnnxScorer


def tested(train: Cohort, test: Cohort) -> NDArray[np.float64]:
    """Both probabilities of some people from the model that learned from others."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tested.onnx"
        export(fit_additive(training_rows(train)), len(COLUMN_NAMES), path)
        return score(path, test)


def score(path: Path, people: Cohort) -> NDArray[np.float64]:
    """From the exported file, in the number format it serves with."""
    scored = OnnxScorer(path).score({"x": encode(people.columns).astype(np.float32)})["variable"]
    return probability(of_own_sex(np.asarray(scored, dtype=np.float64), people.columns["female"]))
