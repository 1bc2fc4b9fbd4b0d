"""A small data folder of drawn phantoms, laid out as docs/data.md says; the labels mean nothing."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.radiograph.phantom import as_jpeg, knee, lumbar_spine
from shared.training.augment import Augmentation

BONE = ("normal", "osteopenia", "osteoporosis")
OTHER = ("chest", "hip", "limb", "knee_implant", "photo")
SIZE = (300, 250)


def of_another(pixels: np.ndarray, number: int) -> np.ndarray:
    """The drawing as another patient's: drawn phantoms differ in their noise only, and would count as copies."""
    moved = Augmentation(rotation_degrees=25.0, zoom=0.3, shift=0.12, contrast=0.3, invert=0.0)
    return moved.apply(cv2.resize(pixels, (240, 240)), 240, np.random.default_rng(number))


def draw(folder: Path, table: str, number: int, pixels: np.ndarray) -> str:
    file = folder / table / f"{number}.jpg"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(as_jpeg(pixels))
    return str(file.relative_to(folder).as_posix())


def write(folder: Path, table: str, rows: list[dict[str, object]]) -> None:
    with (folder / f"{table}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    noise = np.random.default_rng(0)
    knees = [draw(folder, "knees", number, of_another(knee(seed=number, size=SIZE), number)) for number in range(40)]
    spines = [
        draw(folder, "spines", number, of_another(lumbar_spine(seed=number, size=SIZE), number)) for number in range(24)
    ]
    others = [draw(folder, "others", n, noise.integers(0, 255, SIZE, dtype=np.uint8)) for n in range(20)]
    write(folder, "knee_kl", [
        {"file": file, "grade": n % 5, "patient": f"k{n // 2}", "side": "LR"[n % 2]} for n, file in enumerate(knees)
    ])  # fmt: skip
    indian = [draw(folder, "indian", n, of_another(knee(seed=100 + n, size=SIZE), 100 + n)) for n in range(30)]
    write(folder, "knee_kl_india", [
        {"file": file, "grade_expert1": n % 5, "grade_expert2": n % 5, "knees_found": 1, "group": f"i{n}"}
        for n, file in enumerate(indian)
    ])  # fmt: skip
    write(folder, "knee_bone", [
        {"file": file, "label": BONE[n % 3], "patient": f"b{n}", "group": f"g{n}", "t_score": -0.5 - n % 3}
        for n, file in enumerate(knees[:18])
    ])  # fmt: skip
    for table in ("spine_dxa", "spine_masked", "spine_view"):
        write(folder, table, [
            {"file": file, "label": BONE[n % 3], "patient": f"s{n}"} for n, file in enumerate(spines)
        ])  # fmt: skip
    write(folder, "other", [{"file": file, "label": OTHER[n % 5]} for n, file in enumerate(others)])
    return folder
