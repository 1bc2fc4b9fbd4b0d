"""EfficientNet-Lite0 for gray radiographs in Keras (Tan & Le 2019; Lite: ReLU6, no squeeze-and-excitation)."""

import keras
import numpy as np
from keras import KerasTensor, layers

from shared.training.pretrained import Weights, efficientnet_lite0_weights

# (repeats, kernel, stride, expansion, filters out), the B0 table; Lite scales neither the stem nor the head.
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
BATCH_NORM_EPSILON = 1e-3
FEATURES = 1280


def efficientnet_lite0(pretrained: bool = True, drop_path: float = 0.0) -> keras.Model:
    """The feature extractor.

    Input (batch, height, width, 1), 0 to 1, any size divisible by 32; output (batch, height/32, width/32, 1280).

    Args:
        pretrained: start from ImageNet; the stem's three colour kernels are summed, which is exact for gray input.
        drop_path: share of the pictures for which the last block is left out while training; less for those before it
            (stochastic depth, Huang 2016).
    """
    pixels = keras.Input((None, None, 1), name="radiograph")
    x = layers.Rescaling(255.0 / 128.0, offset=-127.0 / 128.0, name="imagenet_scale")(pixels)
    x = _convolution(x, 32, 3, 2, "stem")
    number, blocks = 0, sum(stage[0] for stage in STAGES)
    for repeats, kernel, stride, expansion, filters in STAGES:
        for repeat in range(repeats):
            dropped = drop_path * number / blocks
            x = _inverted_residual(
                x, kernel, stride if repeat == 0 else 1, expansion, filters, f"block{number}", dropped
            )
            number += 1
    x = _convolution(x, FEATURES, 1, 1, "head")
    backbone = keras.Model(pixels, x, name="efficientnet_lite0")
    if pretrained:
        _load(backbone, efficientnet_lite0_weights())
    return backbone


def _convolution(x: KerasTensor, filters: int, kernel: int, stride: int, name: str) -> KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _inverted_residual(
    x: KerasTensor, kernel: int, stride: int, expansion: int, filters: int, name: str, dropped: float
) -> KerasTensor:
    shortcut = x
    if expansion > 1:
        x = _convolution(x, x.shape[-1] * expansion, 1, 1, f"{name}_expand")
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{name}_depthwise_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{name}_project_bn")(x)
    if stride == 1 and shortcut.shape[-1] == filters:
        if dropped:
            x = layers.Dropout(dropped, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(x)
        x = layers.Add(name=f"{name}_add")([x, shortcut])
    return x


def _load(backbone: keras.Model, weights: Weights) -> None:
    stem = weights["_conv_stem.weight"].sum(axis=1, keepdims=True)
    backbone.get_layer("stem_conv").set_weights([stem.transpose(2, 3, 1, 0)])
    _load_batch_norm(backbone, "stem_bn", weights, "_bn0")
    for number in range(sum(stage[0] for stage in STAGES)):
        _load_block(backbone, weights, number)
    backbone.get_layer("head_conv").set_weights([weights["_conv_head.weight"].transpose(2, 3, 1, 0)])
    _load_batch_norm(backbone, "head_bn", weights, "_bn1")


def _load_block(backbone: keras.Model, weights: Weights, number: int) -> None:
    theirs, ours = f"_blocks.{number}.", f"block{number}_"
    if f"{theirs}_expand_conv.weight" in weights:
        kernel = weights[f"{theirs}_expand_conv.weight"].transpose(2, 3, 1, 0)
        backbone.get_layer(f"{ours}expand_conv").set_weights([kernel])
        _load_batch_norm(backbone, f"{ours}expand_bn", weights, f"{theirs}_bn0")
    depthwise = weights[f"{theirs}_depthwise_conv.weight"].transpose(2, 3, 0, 1)
    backbone.get_layer(f"{ours}depthwise_conv").set_weights([depthwise])
    _load_batch_norm(backbone, f"{ours}depthwise_bn", weights, f"{theirs}_bn1")
    project = weights[f"{theirs}_project_conv.weight"].transpose(2, 3, 1, 0)
    backbone.get_layer(f"{ours}project_conv").set_weights([project])
    _load_batch_norm(backbone, f"{ours}project_bn", weights, f"{theirs}_bn2")


def _load_batch_norm(backbone: keras.Model, name: str, weights: Weights, source: str) -> None:
    parts = ("weight", "bias", "running_mean", "running_var")
    backbone.get_layer(name).set_weights([np.asarray(weights[f"{source}.{part}"]) for part in parts])
