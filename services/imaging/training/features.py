"""What the frozen backbone says of a picture; three hundred labelled cases cannot fine-tune three million weights.

`shape` (1280) is the usual pooled last layer. `places` (11520) is the same layer pooled over nine overlapping places,
for what depends on where things lie. `texture` (464) is the mean and the standard deviation of three middle
layers: trabecular bone is a texture, and the last layer has forgotten most of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from shared.training.backbone import FEATURES

# Names of the middle layers and their channels; strides 8, 16 and 16.
TEXTURE_LAYERS = {"block4_add": 40, "block7_add": 80, "block10_add": 112}
SHAPE, TEXTURE = slice(0, FEATURES), slice(FEATURES, FEATURES + 2 * sum(TEXTURE_LAYERS.values()))
LENGTH = TEXTURE.stop
# Keeps the standard deviation of a flat channel from dividing by zero.
EPSILON = 1e-6
BATCH = 32
# Side and step of the pooling into places: seven cells a side become three.
PLACE_CELLS, PLACE_STEP = 3, 2
PLACES = 9 * FEATURES

Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Extractor:
    """Pictures to features."""

    network: keras.Model
    placed: keras.Model

    @classmethod
    def of(cls, backbone: keras.Model) -> "Extractor":
        """The extractor over a backbone: shape first, then mean and deviation of each texture layer."""
        parts = [ops.mean(backbone.output, axis=(1, 2))]
        for name in TEXTURE_LAYERS:
            layer = backbone.get_layer(name).output
            parts += [ops.mean(layer, axis=(1, 2)), ops.sqrt(ops.var(layer, axis=(1, 2)) + EPSILON)]
        placed = keras.Model(backbone.input, [parts[0], places_of(backbone.output)])
        return cls(keras.Model(backbone.input, ops.concatenate(parts, axis=-1)), placed)

    def features(self, pixels: npt.NDArray[np.uint8]) -> Features:
        """(count, `LENGTH`) of uint8 (count, 224, 224)."""
        return np.concatenate([self.network.predict_on_batch(batch) for batch in _batches(pixels)])

    def places(self, pixels: npt.NDArray[np.uint8]) -> tuple[Features, npt.NDArray[np.float16]]:
        """Shape (count, 1280) and places (count, `PLACES`); these in half precision, since there are so many."""
        batches = [self.placed.predict_on_batch(batch) for batch in _batches(pixels)]
        return np.concatenate([batch[0] for batch in batches]), np.concatenate(
            [batch[1].astype(np.float16) for batch in batches]
        )


def places_of(last: keras.KerasTensor) -> keras.KerasTensor:
    """The last layer pooled over nine places, row by row: (batch, `PLACES`)."""
    pooled = keras.layers.AveragePooling2D(PLACE_CELLS, PLACE_STEP)(last)
    return keras.layers.Reshape((PLACES,))(pooled)


def _batches(pixels: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[np.float32]]:
    for start in range(0, len(pixels), BATCH):
        yield pixels[start : start + BATCH, ..., np.newaxis].astype(np.float32) / 255.0
