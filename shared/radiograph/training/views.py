"""Augmented views of the cases and the maps that the network shall give for them."""

from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from shared.radiograph.joints import FINDER_SIZE, HEAT, MAPS_SIZE, PLATEAU_SHARE, WIDTH
from shared.radiograph.prepare import GrayPixels, network_input
from shared.radiograph.training.annotations import Case

# How often each kind is drawn: leg radiographs, joint crops, pictures without a knee.
DRAWN = {"knee_bone": 0.55, "knee_kl": 0.15}
DRAWN_WITHOUT_KNEE = 0.30
NARROWEST, WIDEST = 0.09, 0.85
# The peak of a joint: a Gaussian of this share of its width, but never narrower than a cell.
PEAK_SHARE = 0.06


@dataclass(frozen=True)
class View:
    """A picture and its joints, rows of (x, y, width) in pixels; joints outside the picture are left out."""

    pixels: GrayPixels
    joints: npt.NDArray[np.float64]


def augmented(case: Case, random: np.random.Generator) -> View:
    """Moved, turned, zoomed, mirrored, cut to another frame, with other tones, sometimes inverted."""
    return View(toned(moved := framed(case, random), random).pixels, moved.joints)


def framed(case: Case, random: np.random.Generator) -> View:
    """Another frame: near the whole picture, or anything from a long leg film down to the joint itself."""
    height, width = case.pixels.shape
    if random.random() < 0.5 or not len(case.joints):
        zoom, middle = random.uniform(0.8, 1.25), np.array([width / 2, height / 2])
        frame = np.array([width, height]) * random.uniform(0.85, 1.1, 2)
        middle += random.uniform(-0.1, 0.1, 2) * frame
    else:
        joint = case.joints[random.integers(len(case.joints))]
        share = np.exp(random.uniform(np.log(NARROWEST), np.log(WIDEST)))
        frame = np.array([1.0, random.uniform(0.7, 1.0)])[:: random.choice([1, -1])] * 1000.0
        zoom = share * 1000.0 / joint[2]
        slack = (1.0 - np.array([share, share]) / PLATEAU_SHARE) * frame / zoom / 2
        middle = joint[:2] + random.uniform(-1, 1, 2) * np.maximum(slack, 0.05 * frame / zoom)
    scale = zoom * FINDER_SIZE * random.uniform(1.0, 1.5) / max(frame)
    return warped(case, random, middle, scale, frame / zoom * scale)


def warped(
    case: Case, random: np.random.Generator, middle: npt.NDArray[np.float64], scale: float, frame: npt.NDArray[Any]
) -> View:
    """The picture turned a little around `middle`, scaled, perhaps mirrored, and cut to `frame` (width, height)."""
    across, down = (max(16, round(float(side))) for side in frame)
    matrix = cv2.getRotationMatrix2D((0, 0), random.uniform(-12, 12), scale)
    if random.random() < 0.5:
        matrix[:, 0] *= -1
    matrix[:, 2] = np.array([across, down]) / 2 - matrix[:, :2] @ middle
    blurred = cv2.GaussianBlur(case.pixels, (0, 0), 0.4 / scale) if scale < 0.7 else case.pixels
    pixels = np.asarray(cv2.warpAffine(blurred, matrix, (across, down), flags=cv2.INTER_LINEAR), np.uint8)
    joints = np.column_stack([case.joints[:, :2] @ matrix[:, :2].T + matrix[:, 2], case.joints[:, 2] * scale])
    inside = ((joints[:, :2] > 0) & (joints[:, :2] < (across, down))).all(1)
    return View(pixels, joints[inside])


def toned(view: View, random: np.random.Generator) -> View:
    """Other exposure, contrast, sharpness, noise and polarity."""
    levels = np.arange(256) / 255.0
    curve = levels ** np.exp(random.normal(0, 0.35)) * random.uniform(0.6, 1.1) + random.uniform(0, 0.2)
    if random.random() < 0.06:
        curve = 1.0 - curve
    pixels = cv2.LUT(view.pixels, np.clip(curve * 255, 0, 255).astype(np.uint8))
    if random.random() < 0.3:
        pixels = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.5, 1.5))
    if random.random() < 0.3:
        noise = random.normal(0, random.uniform(2, 10), pixels.shape)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return View(np.asarray(pixels, np.uint8), view.joints)


def maps(view: View) -> dict[str, npt.NDArray[np.float32]]:
    """What the network shall give: `heat` and `width`, (64, 64, 1); width is zero where nothing is to be learned."""
    height, width = view.pixels.shape
    square = max(height, width)
    heat, widths = (np.zeros((MAPS_SIZE, MAPS_SIZE), np.float32) for _ in range(2))
    rows, columns = np.mgrid[:MAPS_SIZE, :MAPS_SIZE] + 0.5
    for x, y, across in view.joints:
        middle = (np.array([x, y]) + (square - width, square - height) * np.array(0.5)) / square * MAPS_SIZE
        spread = max(1.0, PEAK_SHARE * across / square * MAPS_SIZE)
        peak = np.exp(-((columns - middle[0]) ** 2 + (rows - middle[1]) ** 2) / (2 * spread**2)).astype(np.float32)
        widths = np.where((peak > heat) & (peak > 0.1), np.float32(across / square), widths)
        heat = np.maximum(heat, peak)
    return {HEAT: heat[..., None], WIDTH: widths[..., None]}


class Views(keras.utils.PyDataset):
    """Batches of augmented views, the same for the same seed and epoch."""

    def __init__(self, cases: list[Case], length: int, batch: int = 32, seed: int = 0) -> None:
        super().__init__()
        self.cases, self.length, self.batch, self.seed, self.epoch = cases, length, batch, seed, 0
        tables = np.array([DRAWN.get(case.table, 0.0) for case in cases])
        counts = {case.table: sum(other.table == case.table for other in cases) for case in cases}
        without_knee = max(1, int((tables == 0).sum()))
        shares = [
            share / counts[case.table] if share else DRAWN_WITHOUT_KNEE / without_knee
            for case, share in zip(cases, tables, strict=True)
        ]
        self.shares = np.array(shares) / np.sum(shares)

    def __len__(self) -> int:
        return max(1, self.length // self.batch)

    def __getitem__(self, number: int) -> tuple[npt.NDArray[np.float32], dict[str, npt.NDArray[np.float32]]]:
        random = np.random.default_rng((self.seed, self.epoch, number))
        chosen = random.choice(len(self.cases), self.batch, p=self.shares)
        views = [augmented(self.cases[row], random) for row in chosen]
        wanted = [maps(view) for view in views]
        inputs = np.concatenate([network_input(view.pixels, FINDER_SIZE) for view in views])
        return inputs, {name: np.stack([target[name] for target in wanted]) for name in (HEAT, WIDTH)}

    def start(self, epoch: int) -> None:
        """Draw the views of an epoch from here on."""
        self.epoch = epoch
