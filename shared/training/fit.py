"""Fitting a Keras network: batches, progress with the time left, the best weights kept, resumable."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import keras
import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import NETWORK_SIZE, GrayPixels
from shared.training.augment import Augmentation

Targets = npt.NDArray[np.float32] | dict[str, npt.NDArray[np.float32]]


# The parameter of mixup's beta distribution: most pictures keep nearly all of their own.
MIXING = 0.2


class Variants(Protocol):
    """What makes a random variant of a picture: `Augmentation` or `Acquisition`."""

    def apply(self, pixels: GrayPixels, size: int, random: np.random.Generator) -> GrayPixels:
        """One variant, (size, size)."""


class Batches(keras.utils.PyDataset):
    """Augmented batches drawn with the given probabilities, the same for the same seed and epoch.

    Args:
        pixels: uint8 (count, side, side).
        targets: one array, or one per output by name; first axis the radiograph.
        weights: how often each radiograph is drawn, relative to the others.
        mixed: share of the batches in which each picture and its target are mixed with another's (mixup, Zhang 2018).
    """

    def __init__(
        self,
        pixels: npt.NDArray[np.uint8],
        targets: Targets,
        weights: npt.NDArray[np.float64],
        *,
        size: int,
        batch: int = 32,
        length: int | None = None,
        augmentation: Variants | None = None,
        mixed: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.pixels, self.targets, self.weights = pixels, targets, weights / weights.sum()
        self.size, self.batch, self.seed, self.epoch = size, batch, seed, 0
        self.length, self.mixed = length or len(pixels), mixed
        self.augmentation: Variants = augmentation or Augmentation()
        self.start(0)

    def start(self, epoch: int) -> None:
        """Draw the radiographs of an epoch; a resumed run draws what an uninterrupted one would have drawn."""
        self.epoch = epoch
        random = np.random.default_rng((self.seed, epoch))
        self.rows = random.choice(len(self.pixels), self.length, replace=True, p=self.weights)

    def __len__(self) -> int:
        return max(1, self.length // self.batch)

    def __getitem__(self, number: int) -> tuple[npt.NDArray[np.float32], Targets]:
        rows = self.rows[number * self.batch : (number + 1) * self.batch]
        random = np.random.default_rng((self.seed, self.epoch, number))
        pictures = np.stack([self.augmentation.apply(self.pixels[row], self.size, random) for row in rows])
        inputs = pictures[..., np.newaxis].astype(np.float32) / 255.0
        targets = keras.tree.map_structure(lambda part: part[rows], self.targets)
        if random.random() >= self.mixed:
            return inputs, targets
        share, others = np.float32(random.beta(MIXING, MIXING)), random.permutation(len(rows))
        return keras.tree.map_structure(lambda part: share * part + (1 - share) * part[others], (inputs, targets))


@dataclass(frozen=True)
class Phase:
    """A stretch of the training at one picture size and one peak learning rate (cosine decay to a hundredth).

    Args:
        weight_decay: of the kernels; biases and normalisation are left alone.
        patience: epochs without a better validation figure after which it stops early.
        averaging: the network that is judged and kept has weights averaged over about 1 / (1 - averaging) steps; 0 for
            those of the last step.
    """

    size: int
    epochs: int
    learning_rate: float
    warm_up: bool = False
    weight_decay: float = 1e-4
    patience: int = 5
    averaging: float = 0.0


class Averaging(keras.callbacks.Callback):
    """Keeps the running mean of a network's weights, step by step, in a second network."""

    def __init__(self, averaged: keras.Model, momentum: float, steps: int) -> None:
        super().__init__()
        self.averaged, self.momentum, self.steps = averaged, momentum, steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the mean towards the present weights; faster at first, when there is little to keep."""
        self.steps += 1
        kept = min(self.momentum, self.steps / (self.steps + 10))
        for mean, present in zip(self.averaged.variables, self.model.variables, strict=True):
            mean.assign(kept * mean + (1 - kept) * present)


class Trainer:
    """Runs a phase, keeps the weights of its best epoch and can go on where it was stopped.

    Args:
        model: starts at the weights it has, unless the folder holds a checkpoint.
        folder: where the checkpoint lies; a second run with the same folder resumes after the last whole epoch.
        judge: the validation figure of the network at its present weights, higher is better; without one every part is
            learned from, and the last epoch's weights are kept.
        figure: the figure's name, for the lines that show the progress.
    """

    def __init__(
        self,
        model: keras.Model,
        folder: Path,
        judge: Callable[[keras.Model], float] | None,
        figure: str = "validation",
    ) -> None:
        self.model, self.folder, self.judge, self.figure = model, folder, judge, figure
        self.averaged = model
        self.folder.mkdir(parents=True, exist_ok=True)

    def run(self, phase: Phase, source: Any, compile_for: Callable[[Any], None]) -> None:
        """Train to the end of the phase and go back to the best epoch.

        Args:
            source: a `keras.utils.PyDataset` with a method `start(epoch)`.
            compile_for: compiles the model with the optimizer it is given.
        """
        if phase.averaging:
            # Not clone_model: of a network that was compiled before, it wants to compile the copy alike.
            self.averaged = keras.Model.from_config(self.model.get_config())
            self.averaged.set_weights(self.model.get_weights())
        done, best_epoch, best = self._resume()
        optimizer = keras.optimizers.AdamW(
            _schedule(phase, phase.epochs * len(source)), weight_decay=phase.weight_decay, clipnorm=1.0
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        compile_for(optimizer)
        optimizer.build(self.model.trainable_variables)
        optimizer.iterations.assign(done * len(source))  # the learning rate goes on where it was
        mean = [Averaging(self.averaged, phase.averaging, done * len(source))] if phase.averaging else []
        for number in range(done + 1, phase.epochs + 1):
            if number - best_epoch > phase.patience:
                print(f"stopped early: no better figure in {phase.patience} epochs", flush=True)
                break
            began = time.monotonic()
            source.start(number)
            loss = self.model.fit(source, epochs=1, verbose=0, callbacks=mean).history["loss"][0]
            figure = self.judge(self.averaged) if self.judge else float(number)
            best_epoch, best = self._keep(number, figure, best_epoch, best)
            left = (time.monotonic() - began) * (phase.epochs - number) / 60
            judged = f"  {self.figure} {figure:.4f}" if self.judge else ""
            print(f"epoch {number}/{phase.epochs}  loss {loss:.4f}{judged}  {left:.0f} min left", flush=True)
        self.model.load_weights(self._best)

    def _keep(self, number: int, figure: float, best_epoch: int, best: float) -> tuple[int, float]:
        """Write the checkpoint of an epoch that is over."""
        if figure > best:
            best_epoch, best = number, figure
            self.averaged.save_weights(self._best)
        self.model.save_weights(self._last)
        self.averaged.save_weights(self._mean)
        self._state.write_text(json.dumps({"epochs": number, "best_epoch": best_epoch, "best": best}))
        return best_epoch, best

    def _resume(self) -> tuple[int, int, float]:
        if not self._state.exists():
            return 0, 0, -np.inf
        state = json.loads(self._state.read_text())
        self.averaged.load_weights(self._mean)
        self.model.load_weights(self._last)
        return int(state["epochs"]), int(state["best_epoch"]), float(state["best"])

    @property
    def _mean(self) -> Path:
        return self.folder / "mean.weights.h5"

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
