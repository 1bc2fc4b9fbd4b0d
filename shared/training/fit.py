"""Fitting a Keras network: batches, progress with the time left, the best weights kept, resumable."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.augment import Augmentation

Targets = npt.NDArray[np.float32] | dict[str, npt.NDArray[np.float32]]


class Batches(keras.utils.PyDataset):
    """Augmented batches drawn with the given probabilities, the same for the same seed and epoch.

    Args:
        pixels: uint8 (count, side, side).
        targets: one array, or one per output by name; first axis the radiograph.
        weights: how often each radiograph is drawn, relative to the others.
    """

    def __init__(
        self, pixels: npt.NDArray[np.uint8], targets: Targets, weights: npt.NDArray[np.float64], *,
        size: int, batch: int = 32, length: int | None = None, augmentation: Augmentation | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.pixels, self.targets, self.weights = pixels, targets, weights / weights.sum()
        self.size, self.batch, self.seed, self.epoch = size, batch, seed, 0
        self.length = length or len(pixels)
        self.augmentation = augmentation or Augmentation()
        self._draw()

    def _draw(self) -> None:
        random = np.random.default_rng((self.seed, self.epoch))
        self.rows = random.choice(len(self.pixels), self.length, replace=True, p=self.weights)

    def __len__(self) -> int:
        return max(1, self.length // self.batch)

    def __getitem__(self, number: int) -> tuple[npt.NDArray[np.float32], Targets]:
        rows = self.rows[number * self.batch : (number + 1) * self.batch]
        random = np.random.default_rng((self.seed, self.epoch, number))
        pictures = np.stack([self.augmentation.apply(self.pixels[row], self.size, random) for row in rows])
        return pictures[..., np.newaxis].astype(np.float32) / 255.0, keras.tree.map_structure(
            lambda part: part[rows], self.targets
        )

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self._draw()


@dataclass(frozen=True)
class Phase:
    """A stretch of the training at one picture size and one peak learning rate (cosine decay to a hundredth)."""

    size: int
    epochs: int
    learning_rate: float
    warm_up: bool = False


class Trainer:
    """Runs the phases, keeps the weights of the best epoch and can go on where it was stopped.

    Args:
        folder: where the checkpoint lies; a second run with the same folder resumes after the last whole epoch.
        judge: the validation figure of the network at its present weights, higher is better.
    """

    def __init__(self, model: keras.Model, folder: Path, judge: Callable[[keras.Model], float]) -> None:
        self.model, self.folder, self.judge = model, folder, judge
        self.folder.mkdir(parents=True, exist_ok=True)

    def run(self, phases: list[Phase], batches: Callable[[Phase], Batches], compile_for: Callable[[Any], None]) -> None:
        done, best = self._resume()
        total = sum(phase.epochs for phase in phases)
        number = 0
        for phase in phases:
            source = batches(phase)
            steps = phase.epochs * len(source)
            compile_for(keras.optimizers.AdamW(_schedule(phase, steps), weight_decay=1e-4, clipnorm=1.0))
            for _ in range(phase.epochs):
                number += 1
                if number > done:
                    best = self._epoch(source, number, total, best)
                source.on_epoch_end()
        self.model.load_weights(self._best)

    def _epoch(self, source: Batches, number: int, total: int, best: float) -> float:
        began = time.monotonic()
        source.epoch = number
        loss = self.model.fit(source, epochs=1, verbose=0).history["loss"][0]
        figure = self.judge(self.model)
        if figure > best:
            best = figure
            self.model.save_weights(self._best)
        self.model.save_weights(self._last)
        self._state.write_text(json.dumps({"epochs": number, "best": best}))
        left = (time.monotonic() - began) * (total - number) / 60
        print(f"epoch {number}/{total}  loss {loss:.4f}  validation {figure:.4f}  {left:.0f} min left", flush=True)
        return best

    def _resume(self) -> tuple[int, float]:
        if not self._state.exists():
            return 0, -np.inf
        state = json.loads(self._state.read_text())
        self.model.load_weights(self._last)
        return int(state["epochs"]), float(state["best"])

    @property
    def _best(self) -> Path:
        return self.folder / "best.weights.h5"

    @property
    def _last(self) -> Path:
        return self.folder / "last.weights.h5"

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"


def _schedule(phase: Phase, steps: int) -> Any:
    if not phase.warm_up:
        return keras.optimizers.schedules.CosineDecay(phase.learning_rate, steps, alpha=0.01)
    warm = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        phase.learning_rate / 20, max(1, steps - warm), alpha=0.01, warmup_target=phase.learning_rate, warmup_steps=warm
    )


def predict(model: keras.Model, pixels: npt.NDArray[np.uint8], size: int = NETWORK_SIZE) -> Any:
    """The network's output (or its outputs by name) on plain, unaugmented pictures."""
    if pixels.shape[1] != size:
        pixels = np.stack([cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture in pixels])
    inputs = pixels[..., np.newaxis].astype(np.float32) / 255.0
    return model.predict(inputs, batch_size=64, verbose=0)
