"""A classification head whose heat map is the very evidence it pools, so no gradient runtime is needed to show it."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from shared.training.calibrate import Calibration
from shared.training.distance import Distance

HEAT, LOGITS, PROBABILITIES, DISTANCE = "heat", "logits", "probabilities", "distance"


def classifier(backbone: keras.Model, classes: int, dropout: float = 0.3) -> keras.Model:
    """Backbone, dropout, a 1 x 1 convolution that gives each class its map (`heat`), and its mean (`logits`).

    Mean pooling and a linear head commute, so this is the usual pooled classifier with the class activation map
    (Zhou 2016) as an output of its own.
    """
    features = layers.Dropout(dropout, name="dropout")(backbone.output)
    heat = layers.Conv2D(classes, 1, name=HEAT)(features)
    logits = layers.GlobalAveragePooling2D(name=LOGITS)(heat)
    return keras.Model(backbone.input, logits)


def calibrated(model: keras.Model, size: int, calibration: Calibration, distance: Distance) -> keras.Model:
    """The network to ship: calibration folded into the head, the mean of the picture and its mirror image.

    Input (batch, size, size, 1); `probabilities` (batch, classes), `heat` (batch, size/32, size/32, classes),
    `distance` (batch, 1) of the picture from those that the network was measured on. The mirror image's heat map is
    turned back before the two are averaged, so the map remains the very evidence.
    """
    head = model.get_layer(HEAT)
    kernel, bias = head.get_weights()
    head.set_weights([kernel * calibration.scale, bias * calibration.scale + calibration.offsets])
    inner = keras.Model(model.input, [head.output, pooled(model).output])
    pixels = keras.Input((size, size, 1), name="radiograph")
    (heat, features), (turned_heat, turned_features) = inner(pixels), inner(mirrored(pixels))
    heat = layers.Average()([heat, mirrored(turned_heat)])
    probabilities = layers.Softmax(name=PROBABILITIES)(layers.GlobalAveragePooling2D()(heat))
    centred = layers.Average()([features, turned_features]) - constant(distance.middle)
    beside = squared_length(centred) - squared_length(centred @ constant(distance.known))
    away = ops.sqrt(ops.relu(beside)) * (1.0 / distance.unit)
    return keras.Model(pixels, {PROBABILITIES: probabilities, HEAT: heat, DISTANCE: away})


def pooled(model: keras.Model) -> keras.Model:
    """The features that the head reads, (batch, channels): the mean over the places."""
    return keras.Model(model.input, layers.GlobalAveragePooling2D()(model.get_layer(HEAT).input))


def mirrored(pixels: Any) -> Any:
    """Left to right, (batch, height, width, channels)."""
    return pixels[:, :, ::-1, :]


def custom_cnn(classes: int, dropout: float = 0.5, width: int = 32) -> keras.Model:
    """The seed paper's kind of network: four times convolution, batch normalisation and pooling, then dense layers.

    The paper names the parts and not the sizes. Input (batch, height, width, 1), 0 to 1; output logits. It is trained
    from scratch and is what the pretrained backbone is compared with.

    Args:
        width: filters of the first convolution; each further one has twice as many.
    """
    pixels = keras.Input((None, None, 1), name="radiograph")
    x = pixels
    for filters in (width, 2 * width, 4 * width, 8 * width):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)  # few steps: the usual 0.99 would not settle
        x = layers.MaxPooling2D()(layers.ReLU()(x))
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(layers.Dense(128, activation="relu")(x))
    return keras.Model(pixels, layers.Dense(classes, name=LOGITS)(x), name="custom_cnn")


def squared_length(vectors: Any) -> Any:
    """(batch, length) to (batch, 1)."""
    return ops.sum(ops.square(vectors), axis=1, keepdims=True)


def constant(values: npt.NDArray[np.float64]) -> Any:
    """A tensor that is not trained."""
    return ops.convert_to_tensor(values.astype(np.float32))
