"""The options that every training command has."""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path

import keras

from shared.manifest import MANIFEST
from shared.packages import VERSION

CARDS = Path(__file__).parents[2] / "docs" / "model-cards"
TRIAL = "trial"


@dataclass(frozen=True)
class Run:
    """One training run.

    Args:
        data: folder with the label tables and radiographs.
        model: where the package goes: ONNX file, SavedModel, card and manifest.
        ships: whether the package is the model that the project ships; its page then goes to the documentation, and
            its SavedModel stays in `work`.
        work: where the checkpoint goes; resumed from if it holds one.
        limit: use only that many radiographs a table, for trying out.
        epochs: instead of the usual number, for trying out.
        exclude: tables to leave out.
        seed: of the split, the batches and the weights.
        version: of the model, written into its card.
    """

    data: Path
    model: Path
    ships: bool
    work: Path
    limit: int | None
    epochs: int | None
    exclude: tuple[str, ...]
    seed: int
    version: str

    @property
    def is_trial(self) -> bool:
        """Whether pictures or epochs were held down, so that the figures are worth nothing."""
        return self.limit is not None or self.epochs is not None

    @property
    def saved_model(self) -> Path:
        """Where the SavedModel goes, in TensorFlow Serving's layout."""
        return (self.work if self.ships else self.model) / "saved_model" / "1"

    @property
    def pages(self) -> Path:
        """Where the card's page and its plots go."""
        return CARDS if self.ships else self.model

    def count(self, usual: int) -> int:
        """The number of epochs of a phase that usually has `usual`."""
        return usual if self.epochs is None else min(usual, self.epochs)


def parse_run(parser: argparse.ArgumentParser, name: str, shipped: Path) -> Run:
    """Read the options and seed every generator.

    Args:
        name: of the model's packages.
        shipped: the folder of the model that the project ships.
    """
    data = os.environ.get("TRABECULA_DATA")
    parser.add_argument("--data", type=Path, required=data is None, default=data and Path(data), help="data folder")
    parser.add_argument(
        "--models", type=Path, default=Path("models"), help="where packages go, as NAME/VERSION [models]"
    )
    parser.add_argument("--version", help="version of the model [the date]")
    parser.add_argument("--ship", action="store_true", help="replace the model that the project ships, and its page")
    parser.add_argument("--model", type=Path, help="the package's folder itself, instead of MODELS/NAME/VERSION")
    parser.add_argument("--work", type=Path, default=Path("training-runs") / name, help="checkpoints")
    parser.add_argument("--limit", type=int, help="radiographs a table, for trying out")
    parser.add_argument("--epochs", type=int, help="epochs a phase at most, for trying out")
    parser.add_argument("--exclude", action="append", default=[], help="a table to leave out; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    options = vars(parser.parse_args())
    models, trial = options.pop("models"), bool(options["limit"] or options["epochs"])
    if options["ship"] and trial:
        parser.error("--ship is for a whole run: a network of a few pictures must never replace the one that serves")
    version = options["version"] or (TRIAL if trial else unused(models / name))
    if not VERSION.fullmatch(version):
        parser.error(f"--version {version}: letters, digits and . _ + - only")
    model = options["model"] or (shipped if options["ship"] else models / name / version)
    if not options["ship"] and version != TRIAL and (model / MANIFEST).is_file():
        sys.exit(f"{model} is there already and is kept for the way back: choose another --version, or remove it.")
    print(f"Version {version}; the package goes to {model}", flush=True)
    keras.utils.set_random_seed(options["seed"])
    ships = options.pop("ship")
    given = {**options, "model": model, "version": version, "exclude": tuple(options["exclude"])}
    return Run(**given, ships=ships)


def unused(folder: Path) -> str:
    """The date as a version; with a number where there is a package of that already."""
    today = f"{date.today():%Y.%m.%d}"  # noqa: DTZ011 -- the day where the operator sits
    return next(version for version in _numbered(today) if not (folder / version / MANIFEST).is_file())


def _numbered(first: str) -> Iterator[str]:
    yield first
    yield from (f"{first}.{number}" for number in count(2))
