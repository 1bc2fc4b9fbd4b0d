"""Writing a model's card, its manifest, and the plots and tables that people read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no screen where models are trained

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_curve

from shared.contracts.models import ModelCard
from shared.manifest import write_manifest
from shared.training.page import page


def write_model_card(card: ModelCard, folder: Path) -> None:
    """`card.json` and the manifest into the model's folder."""
    (folder / "card.json").write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    write_manifest(folder)


def write_page(card: ModelCard, file: Path, pictures: tuple[str, ...] = ()) -> None:
    """The card as a page; the pictures lie beside it."""
    file.write_text(page(card, pictures), encoding="utf-8")


def plot_confusion(cells: list[list[int]], names: list[str], file: Path) -> None:
    """Counts, shaded by the share of each true class (rows)."""
    counts = np.array(cells)
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    figure, axes = plt.subplots(figsize=(4.2, 4))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(
            column, row, str(count), ha="center", va="center", color="white" if shares[row, column] > 0.5 else "black"
        )
    axes.set(xticks=range(len(names)), yticks=range(len(names)), xticklabels=names, yticklabels=names)
    axes.set(xlabel="network", ylabel="reader")
    _save(figure, file)


def plot_roc(curves: Mapping[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]], file: Path) -> None:
    """One ROC curve a name, from truth and probability."""
    figure, axes = plt.subplots(figsize=(4.2, 4))
    for name, (truth, probability) in curves.items():
        false_positive, true_positive, _ = roc_curve(truth, probability)
        axes.plot(false_positive, true_positive, label=name)
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity")
    axes.legend(fontsize=8)
    _save(figure, file)


def plot_calibration(probabilities: npt.NDArray[Any], truth: npt.NDArray[Any], file: Path, bins: int = 10) -> None:
    """Share of right answers against the probability given to them, with how many there are of each."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    figure, axes = plt.subplots(figsize=(4.2, 4))
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for number in np.unique(bin_of):
        here = bin_of == number
        axes.plot(confidence[here].mean(), right[here].mean(), "o", color="tab:blue", markersize=6)
        axes.annotate(
            str(here.sum()),
            (confidence[here].mean(), right[here].mean()),
            xytext=(5, -10),
            textcoords="offset points",
            fontsize=7,
        )
    axes.set(xlabel="probability of the stated class", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    _save(figure, file)


def _save(figure: plt.Figure, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(file, dpi=80)
    plt.close(figure)
