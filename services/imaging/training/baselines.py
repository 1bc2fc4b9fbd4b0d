"""What the network's figures are held against: a shortcut, the seed paper's recipe, and DXA without its outlines."""

from dataclasses import dataclass, replace

import cv2
import keras
import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from services.imaging.network import SITES
from services.imaging.training.cases import Case, read_regions, wholes
from services.imaging.training.evaluate import folds, of_site, readout_scores
from services.imaging.training.features import Extractor
from services.imaging.training.heads import READOUTS
from shared.radiograph.prepare import GrayPixels
from shared.training.fit import Batches, predict
from shared.training.network import custom_cnn
from shared.training.run import Run

CLASSES = ("normal", "spine_osteoporosis", "knee_osteoporosis")
OSTEOPOROSIS = 2
SCRATCH_SIZE, SCRATCH_EPOCHS = 128, 20
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Baselines:
    """Out-of-fold answers for every case with a bone label; NaN or -1 elsewhere.

    Args:
        shortcut: probability of osteoporosis within its site from size, brightness and border alone.
        from_scratch: index into `CLASSES` by the seed paper's kind of network.
        scratch_probabilities: (cases, 3).
        without_outlines: the DXA readout's score where the burned-in outlines were painted out.
    """

    shortcut: Numbers
    from_scratch: npt.NDArray[np.int64]
    scratch_probabilities: Numbers
    without_outlines: Numbers


def baselines(cases: list[Case], extractor: Extractor, run: Run) -> Baselines:
    """Every baseline on the folds that the network is judged on."""
    shortcut, outlines = np.full(len(cases), np.nan), np.full(len(cases), np.nan)
    for number in range(len(SITES)):
        rows = of_site(cases, number)
        if rows.size:
            shortcut[rows] = shortcut_scores(cases, rows, run.seed)
    rows = of_site(cases, SITES.index("spine_dxa"))
    if rows.size:
        outlines[rows] = scores_without_outlines(cases, rows, extractor, run)
    probabilities = scratch(cases, run)
    predicted = np.where(np.isnan(probabilities[:, 0]), -1, np.nan_to_num(probabilities).argmax(1))
    return Baselines(shortcut, predicted, probabilities, outlines)


def scores_without_outlines(cases: list[Case], rows: npt.NDArray[np.int64], extractor: Extractor, run: Run) -> Numbers:
    """The DXA readout on images without their burned-in outlines, learned and judged on such."""
    painted = [replace(cases[row], pixels=without_outlines(cases[row].pixels)) for row in rows]
    cleaned = read_regions(painted, run)
    features = np.stack([extractor.features(variant) for variant in cleaned.pixels])
    return readout_scores(READOUTS["spine_dxa"], painted, np.arange(len(painted)), cleaned, features, run.seed)


def shortcut_scores(cases: list[Case], rows: npt.NDArray[np.int64], seed: int) -> Numbers:
    """Osteoporosis from what has nothing to do with bone: logistic regression on size, brightness and border."""
    inputs = np.array([crude(cases[row].pixels) for row in rows])
    place = {row: number for number, row in enumerate(rows)}
    scores = np.zeros(len(rows))
    for train, test in folds(cases, rows, seed):
        here, there = [place[row] for row in train], [place[row] for row in test]
        truth = [cases[row].bone == OSTEOPOROSIS for row in train]
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
        scores[there] = model.fit(inputs[here], truth).predict_proba(inputs[there])[:, 1]
    return scores


def crude(pixels: GrayPixels) -> list[float]:
    """Width, height, their ratio, brightness, contrast, share of black, and the border's brightness and contrast."""
    height, width = pixels.shape
    rim = max(2, min(height, width) // 40)
    border = np.concatenate([part.ravel() for part in (pixels[:rim], pixels[-rim:], pixels[:, :rim], pixels[:, -rim:])])
    black = float((pixels < 12).mean())
    shape = [float(width), float(height), width / height]
    return [*shape, float(pixels.mean()), float(pixels.std()), black, float(border.mean()), float(border.std())]


def without_outlines(pixels: GrayPixels) -> GrayPixels:
    """A DXA image with its thin bright lines and letters painted over from what lies around them."""
    thin = cv2.morphologyEx(pixels, cv2.MORPH_TOPHAT, np.ones((3, 3), np.uint8))
    lines = cv2.dilate((thin > 50).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.inpaint(pixels, lines, 3, cv2.INPAINT_TELEA), np.uint8)


def scratch(cases: list[Case], run: Run) -> Numbers:
    """The seed paper's recipe on the same folds: a custom three-class CNN from scratch on whole pictures."""
    rows = np.array([row for row, case in enumerate(cases) if case.bone is not None])
    pixels = wholes(cases)
    truth = np.array([three_class(case) if case.bone is not None else 0 for case in cases])
    probabilities = np.full((len(cases), 3), np.nan)
    for number, (train, test) in enumerate(folds(cases, rows, run.seed)):
        keras.utils.set_random_seed(run.seed)
        model = custom_cnn(len(CLASSES))
        weights = 1.0 / np.bincount(truth[train], minlength=3)[truth[train]]
        targets = np.eye(3, dtype=np.float32)[truth[train]]
        source = Batches(pixels[train], targets, weights, size=SCRATCH_SIZE, seed=run.seed)
        model.compile(keras.optimizers.Adam(1e-3), keras.losses.CategoricalCrossentropy(from_logits=True))
        for epoch in range(run.count(SCRATCH_EPOCHS)):
            source.start(epoch)
            model.fit(source, epochs=1, verbose=0)
        probabilities[test] = softmax(predict(model, pixels[test], SCRATCH_SIZE), axis=1)
        print(f"the seed paper's recipe, fold {number + 1}", flush=True)
    return probabilities


def three_class(case: Case) -> int:
    """Index into `CLASSES`: osteopenia counts as not osteoporotic."""
    site = "knee_osteoporosis" if case.site == "knee" else "spine_osteoporosis"
    return CLASSES.index(site) if case.bone == OSTEOPOROSIS else 0
