"""The options that every training command has."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import keras


@dataclass(frozen=True)
class Run:
    """One training run.

    Args:
        data: folder with the label tables and radiographs.
        model: where the ONNX file and the card go.
        work: where the checkpoint and the SavedModel go; resumed from if it holds a checkpoint.
        limit: use only that many radiographs a table, for trying out.
        epochs: instead of the usual number, for trying out.
        exclude: tables to leave out.
        seed: of the split, the batches and the weights.
        version: of the model, written into its card.
    """

    data: Path
    model: Path
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

    def count(self, usual: int) -> int:
        """The number of epochs of a phase that usually has `usual`."""
        return usual if self.epochs is None else min(usual, self.epochs)


def parse_run(parser: argparse.ArgumentParser, name: str, model: Path) -> Run:
    """Read the options and seed every generator."""
    data = os.environ.get("TRABECULA_DATA")
    parser.add_argument("--data", type=Path, required=data is None, default=data and Path(data), help="data folder")
    parser.add_argument("--model", type=Path, default=model, help="where the ONNX file and the card go")
    parser.add_argument("--work", type=Path, default=Path("training-runs") / name, help="checkpoint, SavedModel")
    parser.add_argument("--limit", type=int, help="radiographs a table, for trying out")
    parser.add_argument("--epochs", type=int, help="epochs a phase at most, for trying out")
    parser.add_argument("--exclude", action="append", default=[], help="a table to leave out; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--version", default="0.1.0", help="version of the model")
    options = vars(parser.parse_args())
    if (options["limit"] or options["epochs"]) and options["model"] == model:
        # A network of a few pictures must never replace the one that serves.
        options["model"] = options["work"] / "model"
        print(f"Trying out: the model goes to {options['model']}", flush=True)
    keras.utils.set_random_seed(options["seed"])
    return Run(**{**options, "exclude": tuple(options["exclude"])})
