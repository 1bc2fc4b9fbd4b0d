"""The backbone's pooled features of each picture, plain and in augmented variants; the backbone itself stays frozen.

Three hundred labelled cases cannot fine-tune three million weights honestly; they can fit a linear head.
"""

from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from services.imaging.training.cases import Cases
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.augment import Augmentation
from shared.training.run import Run

VARIANTS = 4
BATCH = 64


@dataclass(frozen=True)
class Features:
    """`plain` (count, 1280) and `varied` (variants, count, 1280)."""

    plain: npt.NDArray[np.float32]
    varied: npt.NDArray[np.float32]


def features_of(backbone: keras.Model, cases: Cases, run: Run) -> Features:
    """Plain and augmented features; the variants are for training folds only."""
    pooled = keras.Model(backbone.input, keras.layers.GlobalAveragePooling2D()(backbone.output))
    random = np.random.default_rng(run.seed)
    augmentation = Augmentation()
    varied = []
    for number in range(run.count(VARIANTS)):
        variants = np.stack([augmentation.apply(pixels, NETWORK_SIZE, random) for pixels in cases.pixels])
        varied.append(_forward(pooled, variants))
        print(f"variant {number + 1}/{VARIANTS}", flush=True)
    return Features(_forward(pooled, cases.pixels), np.stack(varied))


def _forward(model: keras.Model, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    inputs = (
        pixels[start : start + BATCH, ..., np.newaxis] / np.float32(255) for start in range(0, len(pixels), BATCH)
    )
    return np.concatenate([model.predict_on_batch(batch.astype(np.float32)) for batch in inputs])
