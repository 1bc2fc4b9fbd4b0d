"""The joint finder's training: views keep their joints, the figures count right, a tiny run makes a valid package."""

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from shared.contracts.models import ModelCard
from shared.inference.onnx import OnnxScorer
from shared.manifest import verify_manifest
from shared.radiograph import phantom
from shared.radiograph.joints import HEAT, JOINT_LINE_SHARE, MAPS_SIZE, PLATEAU_SHARE, WIDTH, KneeJoint, find_knees
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.training import __main__ as training
from shared.radiograph.training import evaluate
from shared.radiograph.training.annotations import ANNOTATIONS, Case
from shared.radiograph.training.views import View, augmented, maps

pytestmark = pytest.mark.training


def marked() -> Case:
    """A black picture with a bright square where its joint is."""
    pixels = np.zeros((400, 300), np.uint8)
    pixels[195:206, 145:156] = 255
    return Case("marked", "knee_bone", pixels, np.array([[150.5, 200.5, 90.0]]))


@pytest.mark.parametrize("seed", range(12))
def test_the_joint_moves_with_its_picture(seed: int) -> None:
    view = augmented(marked(), np.random.default_rng(seed))
    for x, y, _ in view.joints:
        around = view.pixels[max(0, int(y) - 2) : int(y) + 3, max(0, int(x) - 2) : int(x) + 3].astype(float)
        assert abs(around.mean() - float(np.median(view.pixels))) > 30


def test_maps_peak_at_the_joint() -> None:
    wanted = maps(View(np.zeros((200, 400), np.uint8), np.array([[100.0, 60.0, 80.0]])))
    heat = wanted[HEAT][:, :, 0]
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    # In the square of 400, of which the picture is the middle half of the height.
    assert (column + 0.5) / MAPS_SIZE == pytest.approx(0.25, abs=0.02)
    assert (row + 0.5) / MAPS_SIZE == pytest.approx((60 + 100) / 400, abs=0.02)
    assert wanted[WIDTH][row, column, 0] == pytest.approx(0.2)
    assert maps(View(np.zeros((200, 400), np.uint8), np.zeros((0, 3))))[HEAT].max() == 0


def test_figures_count_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def knee(x: float, y: float, width: float) -> KneeJoint:
        side = round(width / PLATEAU_SHARE)
        return KneeJoint((round(x - side / 2), round(y - side * JOINT_LINE_SHARE), side, side), 0.9, 1.0)

    blank = np.zeros((500, 500), np.uint8)
    cases = [
        Case("near", "knee_bone", blank, np.array([[200.0, 200.0, 100.0]])),
        Case("missed", "knee_bone", blank, np.array([[200.0, 200.0, 100.0]])),
        Case("off", "knee_bone", blank, np.array([[200.0, 200.0, 100.0]])),
        Case("spine", "spine_dxa", blank, np.zeros((0, 3))),
        Case("hand", "other", blank, np.zeros((0, 3))),
    ]
    found = {"near": [knee(205, 200, 100)], "off": [knee(215, 200, 110), knee(400, 400, 90)], "hand": [knee(9, 9, 50)]}
    by_picture = iter(found.get(case.file, []) for case in cases)
    monkeypatch.setattr(evaluate, "find_knees", lambda pixels, scorer: next(by_picture))
    scorer: Any = None
    result = evaluate.figures(cases, scorer)
    assert (result["joints"], result["found_within_10_per_cent"], result["found_within_20_per_cent"]) == (
        3,
        0.3333,
        0.6667,
    )
    assert result["misses"] == ["missed 0", "off 0"]
    assert result["false_joints_in_leg_radiographs"] == 1
    assert (result["of_these_with_a_false_joint"], result["false_joints"]) == (0.5, ["hand"])


def save(data: Path, file: str, pixels: GrayPixels) -> None:
    (data / file).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(data / file), pixels)


def data_folder(data: Path) -> Path:
    """A data folder with the names of the real one and phantoms as pictures."""
    with ANNOTATIONS.open() as annotations:
        legs = [row["file"] for row in csv.DictReader(annotations) if row["place"] == "only"][:12]
    tables = {
        "knee_bone": legs,
        "knee_kl": [f"knee_kl/{number}.jpg" for number in range(12)],
        **{name: [f"{name}/{number}.jpg" for number in range(12)] for name in training_tables()},
    }
    for name, files in tables.items():
        for seed, file in enumerate(files):
            draw = phantom.knee if name.startswith("knee") else phantom.lumbar_spine
            save(data, file, draw(1.0, seed, (120, 100)))
        lines = ["file,group,patient", *(f"{file},{file},{file}" for file in files)]
        (data / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return data


def training_tables() -> tuple[str, ...]:
    return ("spine_dxa", "spine_masked", "spine_view", "other")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, saving weights
def test_a_tiny_run_makes_a_valid_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, model = data_folder(tmp_path / "data"), tmp_path / "model"
    options = ["--data", str(data), "--model", str(model), "--work", str(tmp_path / "work"), "--limit", "12"]
    monkeypatch.setattr("sys.argv", ["training", *options, "--epochs", "1"])
    training.main()
    verify_manifest(model)
    card = ModelCard.model_validate_json((model / "card.json").read_text())
    assert card.metrics["test"]["joints"] > 0
    assert isinstance(find_knees(phantom.knee(size=(120, 100)), OnnxScorer(model / "knee_joints.onnx")), list)
