"""SavedModel first, ONNX from it, so that both carry the same tensor names; then the check that they agree."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from shared.inference.onnx import OnnxScorer

OPSET = 18
# Two runtimes add in another order; a thousandth moves no answer, and a wrong conversion differs by far more.
PARITY_TOLERANCE = 1e-3


def export(model: keras.Model, saved_model: Path, onnx: Path, samples: npt.NDArray[np.float32]) -> float:
    """Write both forms and compare them on real inputs.

    Args:
        saved_model: folder in TensorFlow Serving's layout, `<name>/<version number>`.
        samples: (count, size, size, 1) network inputs.

    Returns:
        the largest difference of any output.

    Raises:
        ValueError: the two differ by more than `PARITY_TOLERANCE`.
    """
    model.export(str(saved_model), format="tf_saved_model", verbose=False)
    onnx.parent.mkdir(parents=True, exist_ok=True)
    command = ["-m", "tf2onnx.convert", "--saved-model", str(saved_model), "--opset", str(OPSET), "--output", str(onnx)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)  # noqa: S603 -- our own interpreter
    difference = parity(saved_model, onnx, samples)
    if difference > PARITY_TOLERANCE:
        raise ValueError(f"{onnx} differs from its SavedModel by {difference:.2e}")
    return difference


def parity(saved_model: Path, onnx: Path, samples: npt.NDArray[np.float32]) -> float:
    """The largest difference of any output between SavedModel and ONNX on the same inputs."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(saved_model))  # a temporary would lose its variables
    signature = loaded.signatures["serving_default"]
    (name,) = signature.structured_input_signature[1]
    theirs = signature(**{name: tf.constant(samples)})
    ours = OnnxScorer(onnx).score({name: samples})
    return max(_difference(theirs[key].numpy(), ours[key]) for key in ours)


def _difference(theirs: npt.NDArray[np.float32], ours: npt.NDArray[np.float32]) -> float:
    """The largest difference, in units of the largest value where that is over one: logits have no scale."""
    return float(np.abs(theirs - ours).max() / max(1.0, np.abs(theirs).max()))
