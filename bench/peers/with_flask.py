"""`gunicorn bench.peers.with_flask:app`: the way of the paper, Flask and Keras; the image is a form's file."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from flask import Flask, request

from bench.peers.task import Task
from shared.inference import Tensors

# Where the comparison has put the networks as SavedModels.
MODELS = Path(os.environ["PEER_MODELS"])


class KerasScorer:
    """A SavedModel as a layer of Keras."""

    def __init__(self, name: str) -> None:
        self._layer = keras.layers.TFSMLayer(MODELS / name / "1", call_endpoint="serving_default")

    def score(self, inputs: Tensors) -> dict[str, np.ndarray]:
        """Every output by name."""
        (pictures,) = inputs.values()
        return {name: np.asarray(value) for name, value in self._layer(tf.constant(pictures)).items()}


tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
app = Flask(__name__)
task = Task((KerasScorer("imaging"), KerasScorer("knee_joints")))


@app.post("/read")
def read() -> dict[str, Any]:
    """The finding."""
    return task.answer(request.files["image"].read())
