"""`make imaging-gate DATA=DIR`: fit the anatomy head again, judge the gate, renew network, card and page.

The backbone is frozen, so the head that tells anatomy and refuses is fitted in minutes, as `make train-imaging` fits
it: same tables, same drawn pictures, same folds. Every other output of the network stays as it is, bit for bit.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax

from services.imaging.gate import UNKNOWN
from services.imaging.network import OTHER
from services.imaging.settings import SHIPPED as MODEL
from services.imaging.training.card import data_lines, licence, limits_of_the_gate, renew, weights_of
from services.imaging.training.cases import Case, describe, drawn_cases, read_cases, wholes
from services.imaging.training.check import checked
from services.imaging.training.evaluate import fit_anatomy, judge_anatomy
from services.imaging.training.features import Features
from services.imaging.training.gate_figures import by_table, gate, unknown_figures, wilson
from services.imaging.training.heads import Head
from services.imaging.training.onnx_head import features_in, replace_head
from services.imaging.training.tried import GATE_OF_0_3_0, TRIED_FOR_THE_GATE
from services.imaging.training.variants import features_for_anatomy
from shared.contracts.models import ModelCard, WeightsUse
from shared.radiograph.intake import decode
from shared.radiograph.prepare import NETWORK_SIZE, squared
from shared.training.run import Run

BLOCK = 512


def main() -> None:
    """Read the options, fit and judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("TRABECULA_DATA")
    parser.add_argument("--data", type=Path, required=data is None, default=data and Path(data), help="data folder")
    parser.add_argument("--version", required=True, help="version of the network with the new head")
    options = parser.parse_args()
    run = Run(options.data, MODEL, True, MODEL, None, None, (), seed=0, version=options.version)
    cases = read_cases(run.data, [row for row in checked(run.data) if not row.held_out]) + drawn_cases(run.limit)
    print(describe(cases), flush=True)
    features_of, pixels = features_in(MODEL / "imaging.onnx"), wholes(cases)
    plain, augmented = features_for_anatomy(pixels, features_of, run)
    print("features done", flush=True)
    judged = judge_anatomy(cases, plain, augmented, run.seed)
    head = fit_anatomy(cases, plain, augmented, np.arange(len(cases)))
    replace_head(MODEL / "imaging.onnx", head, pixels, plain)
    figures = {
        "anatomy_and_gate": gate(cases, judged),
        "read_and_refused_by_table": by_table(cases, judged),
        **unknown_figures(MODEL / "imaging.onnx"),
        "knee_crops_never_learned_from": crops_figures(run.data, cases, features_of, head),
        "the_gate_of_0_3_0": GATE_OF_0_3_0,
        "what_was_tried_for_the_gate": TRIED_FOR_THE_GATE,
    }
    renew_card(figures, cases, run)


def crops_figures(
    data: Path, cases: list[Case], features_of: Callable[[npt.NDArray[np.uint8]], Features], head: Head
) -> dict[str, Any]:
    """How many of the ready-made knee crops that the head never learned from it refuses."""
    learned = {case.file for case in cases}
    files = [file for file in pd.read_csv(data / "knee_kl.csv")["file"] if file not in learned]
    refused = 0
    for start in range(0, len(files), BLOCK):
        block = files[start : start + BLOCK]
        pixels = np.stack([squared(decode((data / file).read_bytes()).pixels, NETWORK_SIZE) for file in block])
        shares = softmax(head.scores(features_of(pixels)), axis=1)
        refused += int((shares[:, OTHER].sum(axis=1) >= UNKNOWN).sum())
    return {"pictures": len(files), "refused": wilson(refused, len(files))}


def with_anatomy_of(uses: list[WeightsUse], cases: list[Case]) -> list[WeightsUse]:
    """The rows of a card, that of the anatomy head by what it has learned from now."""
    (now,) = (use for use in weights_of(cases) if use.part == "anatomy")
    return [now if use.part == now.part else use for use in uses]


def renew_card(figures: dict[str, Any], cases: list[Case], run: Run) -> None:
    """The card with the gate's new figures and the new version; everything else is as it was."""
    card = ModelCard.model_validate_json((MODEL / "card.json").read_bytes())
    limits = limits_of_the_gate() + [words for words in card.limits if words not in limits_of_the_gate()]
    parts = {
        "version": run.version,
        "licence": licence(cases),
        "weights": with_anatomy_of(card.weights, cases),
        "data": data_lines(cases),
        "metrics": {**card.metrics, **figures},
        "limits": limits,
    }
    renew(card, parts, "the anatomy head fitted again")
    print(figures)


if __name__ == "__main__":
    main()
