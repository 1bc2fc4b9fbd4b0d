"""The networks that are compared on the validation part; the best of them goes on to the size that is served.

All see the same crops, the same augmentation and the same number of epochs at 160 pixels. The seed paper's kind of
network starts from scratch; the others start from ImageNet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from services.staging.training.knees import GRADES, Knees
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.backbone import efficientnet_lite0
from shared.training.evaluate import accuracy, auc, balanced_accuracy, quadratic_kappa
from shared.training.fit import Batches, Phase, Trainer, predict
from shared.training.network import classifier, custom_cnn
from shared.training.run import Run

SMALL_SIZE, SMALL_EPOCHS = 160, 6
SHARPNESS = 2.0  # soft ordinal labels (Diaz & Marathe 2019): weight falls by e^2 for each grade of distance

Grades = npt.NDArray[np.int64]
Targets = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Candidate:
    """A network and what it is taught."""

    name: str
    words: str
    build: Callable[[], keras.Model]
    targets: Callable[[Grades], Targets]
    servable: bool = True  # it has the head whose heat map is shown


def one_hot(grades: Grades) -> Targets:
    """All of the weight on the reader's grade: plain cross-entropy."""
    return np.asarray(np.eye(GRADES)[grades], np.float32)


def soft_grades(grades: Grades) -> Targets:
    """One row a knee: most of the weight on the reader's grade, the rest falling off with distance."""
    distance = np.abs(grades[:, np.newaxis] - np.arange(GRADES))
    return np.asarray(softmax(-SHARPNESS * distance, axis=1), np.float32)


def pretrained() -> keras.Model:
    """EfficientNet-Lite0 from ImageNet with the head whose heat map is its evidence."""
    return classifier(efficientnet_lite0(), GRADES)


CANDIDATES = (
    Candidate("soft-ordinal", "EfficientNet-Lite0, soft ordinal labels", pretrained, soft_grades),
    Candidate("cross-entropy", "EfficientNet-Lite0, cross-entropy", pretrained, one_hot),
    Candidate("from-scratch", "custom CNN from scratch, cross-entropy", lambda: custom_cnn(GRADES), one_hot, False),
)


def train(model: keras.Model, candidate: Candidate, knees: Knees, phase: Phase, folder: Path, seed: int) -> None:
    """Take a network through a phase; it goes on from the folder's checkpoint and is at its best epoch in the end."""
    rows, validation = knees.split.train, knees.split.validation
    counts = np.bincount(knees.grades[rows], minlength=GRADES)
    # Square root: full balance would show the 140 crops of grade 4 twenty times an epoch.
    weights = 1.0 / np.sqrt(counts[knees.grades[rows]])
    targets = candidate.targets(knees.grades)[rows]
    source = Batches(knees.pixels[rows], targets, weights, size=phase.size, seed=seed)

    def judge(network: keras.Model) -> float:
        logits = predict(network, knees.pixels[validation], phase.size)
        return quadratic_kappa(knees.grades[validation], nearest_grade(softmax(logits, axis=1)))

    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    Trainer(model, folder, judge, "QWK").run(phase, source, lambda optimizer: model.compile(optimizer, loss))


def small(candidate: Candidate, knees: Knees, run: Run) -> keras.Model:
    """A candidate after the small pictures, which all are compared on."""
    keras.utils.set_random_seed(run.seed)
    model = candidate.build()
    phase = Phase(SMALL_SIZE, run.count(SMALL_EPOCHS), 1e-3, warm_up=True)
    train(model, candidate, knees, phase, run.work / candidate.name, run.seed)
    return model


def nearest_grade(probabilities: npt.NDArray[np.floating]) -> Grades:
    """The grade nearest to the mean of the distribution, which quadratic kappa rewards."""
    return np.rint(probabilities @ np.arange(GRADES)).astype(np.int64)


def figures(model: keras.Model, knees: Knees, size: int, flips: bool = False) -> dict[str, float]:
    """A row of the comparison: figures of the validation part."""
    rows = knees.split.validation
    return compared(knees.grades[rows], softmax(logits_of(model, knees.pixels[rows], size, flips), axis=1))


def logits_of(
    model: keras.Model, pixels: npt.NDArray[np.uint8], size: int = NETWORK_SIZE, flips: bool = True
) -> npt.NDArray[np.floating]:
    """Logits (count, 5); with `flips`, the mean over the picture and its mirror image."""
    logits = predict(model, pixels, size)
    return np.asarray((logits + predict(model, pixels[:, :, ::-1], size)) / 2 if flips else logits)


def compared(grades: Grades, probabilities: npt.NDArray[np.floating]) -> dict[str, float]:
    """The comparison's figures."""
    likeliest, nearest = probabilities.argmax(1), nearest_grade(probabilities)
    return {
        "quadratic_weighted_kappa": round(quadratic_kappa(grades, nearest), 4),
        "accuracy": round(accuracy(grades, likeliest), 4),
        "balanced_accuracy": round(balanced_accuracy(grades, likeliest), 4),
        "auc_grade_2_or_more": round(auc(grades >= 2, probabilities[:, 2:].sum(1)), 4),
    }
