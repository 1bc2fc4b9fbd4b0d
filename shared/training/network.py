"""A classification head whose heat map is the very evidence it pools, so no gradient runtime is needed to show it."""

import keras
from keras import layers

from shared.training.calibrate import Calibration

HEAT, LOGITS, PROBABILITIES = "heat", "logits", "probabilities"


def classifier(backbone: keras.Model, classes: int, dropout: float = 0.3) -> keras.Model:
    """Backbone, dropout, a 1 x 1 convolution that gives each class its map (`heat`), and its mean (`logits`).

    Mean pooling and a linear head commute, so this is the usual pooled classifier with the class activation map
    (Zhou 2016) as an output of its own.
    """
    features = layers.Dropout(dropout, name="dropout")(backbone.output)
    heat = layers.Conv2D(classes, 1, name=HEAT)(features)
    logits = layers.GlobalAveragePooling2D(name=LOGITS)(heat)
    return keras.Model(backbone.input, logits)


def calibrated(model: keras.Model, size: int, calibration: Calibration) -> keras.Model:
    """The network to ship: calibration folded into the head, outputs `probabilities` and `heat`.

    Input (batch, size, size, 1); `probabilities` (batch, classes), `heat` (batch, size/32, size/32, classes).
    """
    head = model.get_layer(HEAT)
    kernel, bias = head.get_weights()
    head.set_weights([kernel * calibration.scale, bias * calibration.scale + calibration.offsets])
    pixels = keras.Input((size, size, 1), name="radiograph")
    heat, logits = keras.Model(model.input, [head.output, model.output])(pixels)
    probabilities = layers.Softmax(name=PROBABILITIES)(logits)
    return keras.Model(pixels, {PROBABILITIES: probabilities, HEAT: heat})
