"""The networks that are compared on the validation parts, and the one of them that serves.

All see the same knees and the same augmentation. The seed paper's kind of network starts from scratch; the other starts
from ImageNet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from scipy.special import softmax

from services.staging.decision import median_grade
from services.staging.training.knees import GRADES, Knees
from shared.radiograph.prepare import NETWORK_SIZE
from shared.training.acquisition import Acquisition
from shared.training.backbone import efficientnet_lite0
from shared.training.evaluate import quadratic_kappa
from shared.training.fit import Batches, Phase, Trainer, predict
from shared.training.network import classifier, custom_cnn
from shared.training.run import Run

SHARPNESS = 2.0  # soft ordinal labels (Diaz & Marathe 2019): weight falls by e^2 for each grade of distance
OSTEOARTHRITIS = 2  # the grade from which on a knee has it (Kellgren & Lawrence 1957)
DECIDED = 0.3  # weight of the loss of "osteoarthritis, yes or no" beside that of the grade
# Share of each set among the knees that are shown: the Indian ones are few, and would be learned by heart.
SHOWN = {"knee_kl": 0.8, "knee_kl_india": 0.2}
MIXED = 0.6

Grades = npt.NDArray[np.int64]
Targets = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Candidate:
    """A network and how it is trained; `length`: knees shown in an epoch."""

    name: str
    taught: str
    build: Callable[[], keras.Model]
    phase: Phase
    length: int = 5600

    @property
    def description(self) -> str:
        """What it is, for people."""
        return f"{self.taught}, {self.phase.size} px, {self.phase.epochs} epochs of {self.length:,} knees"


def pretrained() -> keras.Model:
    """EfficientNet-Lite0 from ImageNet with the head whose heat map is its evidence."""
    return classifier(efficientnet_lite0(drop_path=0.1), GRADES)


def from_scratch() -> keras.Model:
    """The seed paper's kind of network; 16 filters at first, so that it trains in a third of the other's time."""
    return custom_cnn(GRADES, width=16)


# All epochs are run: the weights are averaged and the learning rate falls, so that the last ones are the best ones.
BEST = Candidate(
    "lite0-224",
    "EfficientNet-Lite0",
    pretrained,
    Phase(NETWORK_SIZE, 14, 1e-3, warm_up=True, weight_decay=2e-2, patience=14, averaging=0.998),
)
CANDIDATES = (
    BEST,
    Candidate(
        "from-scratch",
        "custom CNN from scratch",
        from_scratch,
        Phase(160, 12, 7e-4, warm_up=True, patience=12, averaging=0.998),
    ),
)
# The network that serves goes on with all knees but those of the test parts.
REFIT = Phase(NETWORK_SIZE, 4, 3e-4, warm_up=True, weight_decay=2e-2, averaging=0.998)


def targets_of(grades: Grades) -> Targets:
    """One row a knee: five weights, most of it on the reader's grade and the rest falling off with distance; then 1
    for osteoarthritis, 0 for none."""
    distance = np.abs(grades[:, np.newaxis] - np.arange(GRADES))
    soft = softmax(-SHARPNESS * distance, axis=1)
    return np.column_stack([soft, grades >= OSTEOARTHRITIS]).astype(np.float32)


def ordinal_loss(targets: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Cross-entropy of the grades, and of osteoarthritis by the very same probabilities: the two cannot differ."""
    grades = ops.categorical_crossentropy(targets[:, :GRADES], logits, from_logits=True)
    probability = ops.sum(ops.softmax(logits)[:, OSTEOARTHRITIS:], axis=1, keepdims=True)
    decided = ops.binary_crossentropy(targets[:, GRADES:], ops.clip(probability, 1e-6, 1 - 1e-6))
    return grades + DECIDED * decided[:, 0]


def material(sets: Sequence[Knees], with_validation: bool, candidate: Candidate, seed: int) -> Batches:
    """Batches of the training parts, or of the training and validation parts together."""
    parts = [
        np.concatenate([knees.split.train, knees.split.validation]) if with_validation else knees.split.train
        for knees in sets
    ]
    grades = np.concatenate([knees.grades[rows] for knees, rows in zip(sets, parts, strict=True)])
    weights = [SHOWN[knees.name] * shown_alike(knees.grades[rows]) for knees, rows in zip(sets, parts, strict=True)]
    return Batches(
        np.concatenate([knees.pixels[rows] for knees, rows in zip(sets, parts, strict=True)]),
        targets_of(grades),
        np.concatenate(weights),
        size=candidate.phase.size,
        length=min(candidate.length, 4 * len(grades)),
        augmentation=Acquisition(),
        mixed=MIXED,
        seed=seed,
    )


def shown_alike(grades: Grades) -> npt.NDArray[np.float64]:
    """Weights that sum to one. Square root: full balance would show the 140 crops of grade 4 twenty times an epoch."""
    weights = 1.0 / np.sqrt(np.bincount(grades, minlength=GRADES)[grades])
    return np.asarray(weights / weights.sum())


def train(candidate: Candidate, sets: Sequence[Knees], run: Run) -> keras.Model:
    """The candidate's network at its best epoch; it goes on from the run's checkpoint."""
    keras.utils.set_random_seed(run.seed)
    model, phase = candidate.build(), replace(candidate.phase, epochs=run.count(candidate.phase.epochs))
    main = sets[0]
    rows = main.split.validation

    def judge(network: keras.Model) -> float:
        logits = predict(network, main.equalised[rows], phase.size)
        return quadratic_kappa(main.grades[rows], median_grade(softmax(logits, axis=1)))

    trainer = Trainer(model, run.work / candidate.name, judge, "QWK")
    source = material(sets, with_validation=False, candidate=candidate, seed=run.seed)
    trainer.run(phase, source, lambda optimizer: model.compile(optimizer, ordinal_loss))
    return model


def refit(model: keras.Model, sets: Sequence[Knees], run: Run) -> None:
    """Let the network that serves learn from the validation parts as well; its calibration stands."""
    phase = replace(REFIT, epochs=run.count(REFIT.epochs))
    source = material(sets, with_validation=True, candidate=BEST, seed=run.seed + 1)
    trainer = Trainer(model, run.work / "refit", None)
    trainer.run(phase, source, lambda optimizer: model.compile(optimizer, ordinal_loss))


def logits_of(model: keras.Model, pixels: npt.NDArray[np.uint8], size: int = NETWORK_SIZE) -> npt.NDArray[np.floating]:
    """Logits (count, 5): the mean over the picture and its mirror image."""
    return np.asarray((predict(model, pixels, size) + predict(model, pixels[:, :, ::-1], size)) / 2)
