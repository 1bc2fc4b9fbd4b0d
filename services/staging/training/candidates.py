"""The networks that are compared on the validation part, and the one of them that serves.

All see the same crops and the same augmentation. The seed paper's kind of network starts from scratch; the others start
from ImageNet.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.model_selection import GroupKFold

from services.staging.training.knees import GRADES, Knees
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.backbone import efficientnet_lite0
from shared.training.calibrate import calibrate
from shared.training.evaluate import accuracy, auc, balanced_accuracy, quadratic_kappa, within_one
from shared.training.fit import Batches, Phase, Trainer, predict
from shared.training.network import classifier, custom_cnn
from shared.training.run import Run

SMALL = Phase(160, 12, 7e-4, warm_up=True)
SERVED = Phase(NETWORK_SIZE, 8, 1e-3, warm_up=True)
SHARPNESS = 2.0  # soft ordinal labels (Diaz & Marathe 2019): weight falls by e^2 for each grade of distance

Grades = npt.NDArray[np.int64]
Targets = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Candidate:
    """A network and what it is taught."""

    name: str
    taught: str
    build: Callable[[], keras.Model]
    targets: Callable[[Grades], Targets]
    phase: Phase
    batch: int

    @property
    def description(self) -> str:
        """What it is, for people."""
        return f"{self.taught}, {self.phase.size} px, {self.phase.epochs} epochs"


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


def from_scratch() -> keras.Model:
    """The seed paper's kind of network; 16 filters at first, so that it trains in a third of the others' time."""
    return custom_cnn(GRADES, width=16)


BEST = Candidate(
    "soft-ordinal-224", "EfficientNet-Lite0, soft ordinal labels", pretrained, soft_grades, SERVED, batch=32
)
CANDIDATES = (
    BEST,
    Candidate("cross-entropy", "EfficientNet-Lite0, cross-entropy", pretrained, one_hot, SMALL, batch=16),
    Candidate("soft-ordinal", "EfficientNet-Lite0, soft ordinal labels", pretrained, soft_grades, SMALL, batch=16),
    Candidate("from-scratch", "custom CNN from scratch, cross-entropy", from_scratch, one_hot, SMALL, batch=16),
)


def train(candidate: Candidate, knees: Knees, run: Run) -> keras.Model:
    """The candidate's network at its best epoch; it goes on from the run's checkpoint."""
    keras.utils.set_random_seed(run.seed)
    model, phase = candidate.build(), replace(candidate.phase, epochs=run.count(candidate.phase.epochs))
    rows, validation = knees.split.train, knees.split.validation
    counts = np.bincount(knees.grades[rows], minlength=GRADES)
    # Square root: full balance would show the 140 crops of grade 4 twenty times an epoch.
    weights = 1.0 / np.sqrt(counts[knees.grades[rows]])
    targets = candidate.targets(knees.grades)[rows]
    source = Batches(knees.pixels[rows], targets, weights, size=phase.size, batch=candidate.batch, seed=run.seed)

    def judge(network: keras.Model) -> float:
        logits = predict(network, knees.pixels[validation], phase.size)
        return quadratic_kappa(knees.grades[validation], nearest_grade(softmax(logits, axis=1)))

    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    trainer = Trainer(model, run.work / candidate.name, judge, "QWK")
    trainer.run(phase, source, lambda optimizer: model.compile(optimizer, loss))
    return model


def nearest_grade(probabilities: npt.NDArray[np.floating]) -> Grades:
    """The grade nearest to the mean of the distribution, which quadratic kappa rewards."""
    return np.rint(probabilities @ np.arange(GRADES)).astype(np.int64)


def logits_of(
    model: keras.Model, pixels: npt.NDArray[np.uint8], size: int = NETWORK_SIZE, mirror: bool = True
) -> npt.NDArray[np.floating]:
    """Logits (count, 5); with `mirror`, the mean over the picture and its mirror image."""
    logits = predict(model, pixels, size)
    return np.asarray((logits + predict(model, pixels[:, :, ::-1], size)) / 2 if mirror else logits)


def compared(knees: Knees, logits: npt.NDArray[np.floating]) -> dict[str, float]:
    """The comparison's figures on the validation part.

    Each half of the patients is calibrated on the other: before calibration the networks' kappas tell little, since
    balanced batches have shifted each one's grades in its own way.

    Args:
        logits: (knees of the validation part, 5).
    """
    rows = knees.split.validation
    grades, patients = knees.grades[rows], [knees.patients[row] for row in rows]
    probabilities = np.empty_like(logits, dtype=np.float64)
    for others, half in GroupKFold(2).split(logits, groups=patients):
        probabilities[half] = softmax(calibrate(logits[others], grades[others]).apply(logits[half]), axis=1)
    likeliest, nearest = probabilities.argmax(1), nearest_grade(probabilities)
    figures = {
        "quadratic_weighted_kappa": quadratic_kappa(grades, likeliest),
        "quadratic_weighted_kappa_of_rounded_mean_grade": quadratic_kappa(grades, nearest),
        "accuracy": accuracy(grades, likeliest),
        "balanced_accuracy": balanced_accuracy(grades, likeliest),
        "within_one_grade": within_one(grades, likeliest),
        "auc_grade_2_or_more": auc(grades >= 2, probabilities[:, 2:].sum(1)),
    }
    return {name: round(figure, 4) for name, figure in figures.items()}
