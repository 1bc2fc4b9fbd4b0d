"""Backbone and heads as one network, exported."""

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from services.imaging.network import (
    ANATOMY_OUTPUT,
    BONE_OUTPUT,
    HEAT_OUTPUT,
    HEAT_SIZE,
    INVERTED_OUTPUT,
    SITES,
    TURN_OUTPUT,
)
from services.imaging.training.evaluate import Heads
from services.imaging.training.features import EPSILON, SHAPE, TEXTURE, TEXTURE_LAYERS, places_of
from services.imaging.training.heads import Head
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.export import export
from shared.training.run import Run


def ship(backbone: keras.Model, heads: Heads, pixels: npt.NDArray[np.uint8], run: Run) -> float:
    """Write SavedModel and ONNX; the largest difference between the two on some of the pictures."""
    samples = pixels[:: max(1, len(pixels) // 16)][:16, ..., np.newaxis].astype(np.float32) / 255.0
    return export(network(backbone, heads), run.saved_model, run.model / "imaging.onnx", samples)


def network(backbone: keras.Model, heads: Heads) -> keras.Model:
    """The network to ship; `services/imaging/network.py` describes its outputs."""
    pixels = keras.Input((NETWORK_SIZE, NETWORK_SIZE, 1), name="radiograph")
    names = list(TEXTURE_LAYERS)
    inner = keras.Model(backbone.input, [backbone.output, *(backbone.get_layer(name).output for name in names)])
    last, *textures = inner(pixels)
    pooled = layers.GlobalAveragePooling2D(name="shape")(last)
    anatomy, inverted = _dense(pooled, heads.anatomy), _dense(pooled, heads.inverted)
    turn = _dense(places_of(last), heads.turn)
    evidence = _evidence(last, textures, _side_by_side(heads))
    odds = ops.mean(evidence, axis=(1, 2))
    offsets = ops.convert_to_tensor(np.stack(heads.offsets).astype(np.float32))
    return keras.Model(
        pixels,
        {
            ANATOMY_OUTPUT: layers.Softmax(name=ANATOMY_OUTPUT)(anatomy),
            TURN_OUTPUT: layers.Softmax(name=TURN_OUTPUT)(turn),
            INVERTED_OUTPUT: layers.Softmax()(inverted)[:, 1:],
            BONE_OUTPUT: odds[:, :, None] + offsets,
            HEAT_OUTPUT: evidence,
        },
    )


def _side_by_side(heads: Heads) -> Head:
    """The readouts of all sites as one head, each in units of its own log odds."""
    pairs = list(zip(heads.bone, heads.slopes, strict=True))
    kernel = np.concatenate([head.kernel * slope for head, slope in pairs], axis=1)
    return Head(kernel, np.concatenate([head.bias * slope for head, slope in pairs]))


def _dense(pooled: keras.KerasTensor, head: Head) -> keras.KerasTensor:
    layer = layers.Dense(len(head.bias))
    scores = layer(pooled)
    layer.set_weights([head.kernel, head.bias])
    return scores


def _evidence(last: keras.KerasTensor, textures: list[keras.KerasTensor], head: Head) -> keras.KerasTensor:
    """The readouts' scores before the pooling, (batch, 14, 14, sites): their mean over the places is the score.

    A mean feature is its weight times the channel at each place. A deviation is not linear, but it is the mean of the
    squared distance from the mean divided by itself, so it too falls into places exactly.
    """
    repeat = HEAT_SIZE // (NETWORK_SIZE // 32)
    evidence = layers.UpSampling2D(repeat)(_convolved(last, head.kernel[SHAPE], head.bias))
    start = TEXTURE.start
    for texture, channels in zip(textures, TEXTURE_LAYERS.values(), strict=True):
        mean = ops.mean(texture, axis=(1, 2), keepdims=True)
        squared = ops.square(texture - mean)
        variance = ops.mean(squared, axis=(1, 2), keepdims=True) + EPSILON
        deviation = (squared + EPSILON) / ops.sqrt(variance)
        both = ops.concatenate([texture, deviation], axis=-1)
        part = _convolved(both, head.kernel[start : start + 2 * channels], np.zeros(len(SITES)))
        start += 2 * channels
        evidence = evidence + layers.AveragePooling2D(part.shape[1] // HEAT_SIZE)(part)
    return evidence


def _convolved(
    maps: keras.KerasTensor, kernel: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]
) -> keras.KerasTensor:
    layer = layers.Conv2D(len(bias), 1)
    weighted = layer(maps)
    layer.set_weights([kernel[np.newaxis, np.newaxis], bias])
    return weighted
