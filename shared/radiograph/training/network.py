"""The joint finder's network: small, fully convolutional, with an hourglass that sees the whole leg."""

from typing import Any

import keras
from keras import layers, ops

from shared.radiograph.joints import FINDER_SIZE, HEAT, INPUT, WIDTH

CHANNELS = (16, 24, 40, 56, 72)  # at half, quarter ... the thirty-second of the input
JOINED = 32
USUAL_WIDTH = 0.2


def finder() -> keras.Model:
    """(batch, 256, 256, 1), 0 to 1, to `heat` and `width`, both (batch, 64, 64, 1). About 0.1 million weights."""
    pixels = keras.Input((FINDER_SIZE, FINDER_SIZE, 1), name=INPUT)
    levels = []
    flow = pixels
    for number, channels in enumerate(CHANNELS):
        flow = convolved(flow, channels, strides=2)
        if number:
            flow = residual(flow, channels)
            levels.append(flow)
    joined = convolved(levels[-1], JOINED, size=1)
    for level in reversed(levels[:-1]):
        joined = layers.UpSampling2D(interpolation="bilinear")(joined) + convolved(level, JOINED, size=1)
        joined = residual(joined, JOINED)
    heat = layers.Conv2D(1, 1, activation="sigmoid", bias_initializer=keras.initializers.Constant(-4.0), name=HEAT)
    log_width = layers.Conv2D(1, 1, bias_initializer=keras.initializers.Constant(float(ops.log(USUAL_WIDTH))))
    width = layers.Activation("exponential", name=WIDTH)
    return keras.Model(pixels, {HEAT: heat(joined), WIDTH: width(log_width(joined))}, name="knee_joints")


def convolved(flow: Any, channels: int, size: int = 3, strides: int = 1) -> Any:
    """Convolution, batch normalisation, rectifier."""
    flow = layers.Conv2D(channels, size, strides, padding="same", use_bias=False)(flow)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(flow))


def residual(flow: Any, channels: int) -> Any:
    """A depthwise 5 x 5 and a pointwise convolution beside the flow: a wide view for few weights."""
    wide = layers.DepthwiseConv2D(5, padding="same", use_bias=False)(flow)
    return flow + convolved(layers.BatchNormalization(momentum=0.9)(wide), channels, size=1)


def heat_loss(wanted: Any, given: Any) -> Any:
    """Quality focal loss (Li 2020): cross-entropy weighted by the squared error, a picture's sum."""
    given = ops.clip(given, 1e-6, 1 - 1e-6)
    entropy = -(wanted * ops.log(given) + (1 - wanted) * ops.log(1 - given))
    return ops.sum(ops.square(wanted - given) * entropy, axis=(1, 2, 3))


def width_loss(wanted: Any, given: Any) -> Any:
    """Absolute error of the logarithm where there is a joint."""
    known = ops.cast(wanted > 0, "float32")
    error = ops.abs(ops.log(ops.maximum(wanted, 1e-3)) - ops.log(ops.maximum(given, 1e-3)))
    return ops.sum(known * error, axis=(1, 2, 3)) / ops.maximum(ops.sum(known, axis=(1, 2, 3)), 1.0)
