"""A small data folder of drawn phantoms, laid out as docs/data.md says; the labels mean nothing."""

import csv
from pathlib import Path

import numpy as np
import pytest

from shared.radiograph.phantom import as_jpeg, knee, lumbar_spine

BONE = ("normal", "osteopenia", "osteoporosis")
OTHER = ("chest", "hip", "limb", "knee_implant", "photo")
SIZE = (300, 250)


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
    knees = [draw(folder, "knees", number, knee(seed=number, size=SIZE)) for number in range(40)]
    spines = [draw(folder, "spines", number, lumbar_spine(seed=number, size=SIZE)) for number in range(24)]
    others = [draw(folder, "others", n, noise.integers(0, 255, SIZE, dtype=np.uint8)) for n in range(20)]
    write(folder, "knee_kl", [
        {"file": file, "grade": n % 5, "patient": f"k{n // 2}", "side": "LR"[n % 2]} for n, file in enumerate(knees)
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
