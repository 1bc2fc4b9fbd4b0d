"""Both training commands from data folder to a model that serves: SavedModel, ONNX, manifest and card."""

import json
import subprocess
import sys

import numpy as np
import pytest

from shared.contracts.models import ModelCard
from shared.inference.onnx import OnnxScorer
from shared.manifest import verify_manifest

pytestmark = [pytest.mark.training, pytest.mark.slow]


def train(service, data, folder, *options):
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}.training", "--data", str(data), "--work", str(folder / "work"),
         "--model", str(folder / "model"), *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def check(folder, name, outputs):
    verify_manifest(folder / "model")
    card = ModelCard.model_validate_json((folder / "model" / "card.json").read_bytes())
    assert card.metrics["parity_onnx_savedmodel_max_difference"] < 1e-3
    assert (folder / "model" / "saved_model" / "1" / "saved_model.pb").is_file()
    inputs = np.random.default_rng(0).random((2, 224, 224, 1), np.float32)
    answer = OnnxScorer(folder / "model" / f"{name}.onnx").score({"radiograph": inputs})
    for output, shape in outputs.items():
        assert answer[output].shape == (2, *shape)
        if len(shape) == 1 and shape[0] > 1:
            assert answer[output].sum(axis=1) == pytest.approx(1, abs=1e-5)
    return answer


def test_staging_from_data_to_model_and_on_from_its_checkpoint(data, tmp_path):
    printed = train("staging", data, tmp_path, "--limit", "38", "--epochs", "1")
    assert printed.count("epoch 1/1") == 3  # two candidates, and the one that serves once more with all knees
    assert printed.count("QWK") == 2
    assert "min left" in printed
    answer = check(tmp_path, "staging", {"probabilities": (5,), "heat": (7, 7, 5), "distance": (1,)})
    assert (answer["distance"] > 1).all()  # noise is no knee
    # The heat map is the evidence itself: its mean gives back the answer.
    logits = answer["heat"].mean(axis=(1, 2))
    again = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert again == pytest.approx(answer["probabilities"], abs=1e-5)
    assert json.loads((tmp_path / "work" / "lite0-224" / "state.json").read_text())["epochs"] == 1
    card = ModelCard.model_validate_json((tmp_path / "model" / "card.json").read_bytes())
    assert card.metrics["indian_knees_test_part"]["confusion_rows_truth"] != card.metrics["confusion_rows_truth"]
    assert "epoch 1" not in train("staging", data, tmp_path, "--limit", "38", "--epochs", "1")


def test_imaging_from_data_to_model(data, tmp_path):
    train("imaging", data, tmp_path, "--epochs", "1")
    answer = check(
        tmp_path, "imaging", {"anatomy": (11,), "turn": (4,), "inverted": (1,), "bone": (3, 2), "heat": (14, 14, 3)}
    )
    # The heat map is the evidence itself: its mean is each readout's score, up to the two cut-offs.
    scores = answer["heat"].mean(axis=(1, 2))
    offsets = answer["bone"] - scores[..., np.newaxis]
    assert offsets[0] == pytest.approx(offsets[1], abs=1e-3)
    assert (offsets[..., 0] > offsets[..., 1]).all()
