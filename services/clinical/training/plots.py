"""The two figures of the model card."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from services.clinical.training.bone_density import Trained
from services.clinical.training.lifestyle import TrainedLifestyle
from services.clinical.training.selection import screened, untruncated_ost_of

mpl.use("Agg")
DPI = 80
# No date and no version in the file: the same figures give the same bytes.
METADATA = {"Software": None}


def plot_bone_density(trained: Trained, path: Path) -> None:
    """Calibration in ten groups, and the ROC beside OST's."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    predicted, observed, _ = zip(*trained.test_bins, strict=True)
    left.plot([0, max(predicted)], [0, max(predicted)], color="0.7", label="perfect")
    left.plot(predicted, observed, "o-", label="held-out cycle, 40 and over")
    left.set(xlabel="mean predicted probability", ylabel="observed share", title="Calibration")
    left.legend()
    old = screened(trained.test)
    people = trained.test.where(old)
    _roc(right, people.osteoporosis, trained.predicted[old, 0], "model")
    _roc(right, people.osteoporosis, -untruncated_ost_of(people), "OST")
    right.set_title("Osteoporosis at any site, 50 and over")
    _save(figure, path)


def plot_lifestyle(trained: TrainedLifestyle, path: Path) -> None:
    """Confusion matrix and ROC of the test part."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
    counts = confusion_matrix(trained.y, trained.predicted >= 0.5)
    left.imshow(counts, cmap="Blues")
    for row, column in np.ndindex(counts.shape):
        dark = counts[row, column] > counts.max() / 2
        left.text(column, row, counts[row, column], ha="center", va="center", color="white" if dark else "black")
    left.set(xticks=[0, 1], yticks=[0, 1], xlabel="predicted", ylabel="true", title="Confusion matrix")
    _roc(right, trained.y, trained.predicted, "questionnaire")
    right.set_title("ROC, test part")
    _save(figure, path)


def _roc(axes: Axes, y: NDArray[np.int_], score: NDArray[np.float64], name: str) -> None:
    false_positive, true_positive, _ = roc_curve(y, score)
    axes.plot(false_positive, true_positive, label=name)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
    axes.legend(loc="lower right")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=DPI, metadata=METADATA)
    plt.close(figure)
