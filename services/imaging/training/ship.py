"""Backbone and heads as one network, exported."""

import keras
import numpy as np
from keras import layers

from services.imaging.network import ANATOMY_OUTPUT, BONE_OUTPUT
from services.imaging.training.cases import Cases
from services.imaging.training.heads import Head, Heads
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.export import export
from shared.training.network import HEAT
from shared.training.run import Run


def ship(backbone: keras.Model, heads: Heads, cases: Cases, run: Run) -> float:
    """Write SavedModel and ONNX; the largest difference between the two on real pictures."""
    samples = cases.pixels[:: max(1, len(cases.pixels) // 16)][:16, ..., np.newaxis].astype(np.float32) / 255.0
    return export(network(backbone, heads), run.work / "saved_model" / "1", run.model / "imaging.onnx", samples)


def network(backbone: keras.Model, heads: Heads) -> keras.Model:
    """The network to ship.

    Input `radiograph` (batch, 224, 224, 1); outputs `anatomy` (batch, 9), `bone` (batch, 3), `heat` (batch, 7, 7, 3).
    """
    pixels = keras.Input((NETWORK_SIZE, NETWORK_SIZE, 1), name="radiograph")
    features = backbone(pixels)
    anatomy, _ = _pooled(features, heads.anatomy, ANATOMY_OUTPUT)
    bone, heat = _pooled(features, heads.bone, BONE_OUTPUT)
    return keras.Model(pixels, {ANATOMY_OUTPUT: anatomy, BONE_OUTPUT: bone, HEAT: heat})


def _pooled(features: keras.KerasTensor, head: Head, name: str) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """A linear head as a 1 x 1 convolution before the pooling, which is the same and shows where it looks."""
    convolution = layers.Conv2D(head.kernel.shape[1], 1, name=f"{name}_heat")
    heat = convolution(features)
    convolution.set_weights([head.kernel[np.newaxis, np.newaxis], head.bias])
    return layers.Softmax(name=name)(layers.GlobalAveragePooling2D(name=f"{name}_logits")(heat)), heat
