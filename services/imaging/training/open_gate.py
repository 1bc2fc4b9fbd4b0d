"""`make imaging-open-gate DATA=DIR VERSION=v`: a second anatomy head that no research-only picture taught.

It reads the features that the first one reads and stands beside it in the network, as `anatomy_open`; every other
output stays as it is, bit for bit. An open installation (docs/weights.md) goes by it.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from services.imaging.gate import UNKNOWN
from services.imaging.network import OPEN_ANATOMY_OUTPUT, OTHER
from services.imaging.settings import SHIPPED as MODEL
from services.imaging.training.card import renew
from services.imaging.training.cases import describe, drawn_cases, read_cases, wholes
from services.imaging.training.check import checked
from services.imaging.training.evaluate import fit_anatomy, judge_anatomy
from services.imaging.training.features import SHAPE, Features
from services.imaging.training.gate_figures import by_table, gate, wilson
from services.imaging.training.heads import Head
from services.imaging.training.onnx_head import add_head, features_in
from services.imaging.training.renew_gate import crops_figures
from services.imaging.training.unknown.kinds import held_out
from services.imaging.training.variants import features_for_anatomy
from shared.contracts.models import ModelCard
from shared.radiograph.prepare import NETWORK_SIZE, squared
from shared.training.run import Run
from shared.weights import RESEARCH_ONLY, uses_learned_from


def main() -> None:
    """Read the options, fit and judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("TRABECULA_DATA")
    parser.add_argument("--data", type=Path, required=data is None, default=data and Path(data), help="data folder")
    parser.add_argument("--version", required=True, help="version of the network with the further head")
    options = parser.parse_args()
    run = Run(options.data, MODEL, True, MODEL, None, None, (), seed=0, version=options.version)
    rows = [row for row in checked(run.data) if not row.held_out]
    cases = read_cases(run.data, [row for row in rows if row.table not in RESEARCH_ONLY]) + drawn_cases(run.limit)
    never_seen = read_cases(run.data, [row for row in rows if row.table in RESEARCH_ONLY])
    print(describe(cases), flush=True)
    features_of, pixels = features_in(MODEL / "imaging.onnx"), wholes(cases)
    plain, augmented = features_for_anatomy(pixels, features_of, run)
    print("features done", flush=True)
    judged = judge_anatomy(cases, plain, augmented, run.seed)
    head = fit_anatomy(cases, plain, augmented, np.arange(len(cases)))
    add_head(MODEL / "imaging.onnx", OPEN_ANATOMY_OUTPUT, head, pixels, plain)
    figures: dict[str, Any] = {
        "open_gate": gate(cases, judged),
        "open_gate_read_and_refused_by_table": by_table(cases, judged),
        "open_gate_knee_crops_never_learned_from": crops_figures(run.data, cases, features_of, head),
        "open_gate_unknown_pictures_held_out": unknown_refused(features_of, head),
    }
    if never_seen:
        figures["open_gate_on_tables_never_learned_from"] = by_table(
            never_seen, softmax(head.scores(features_of(wholes(never_seen))[:, SHAPE]), axis=1)
        )
    renew_card(figures, dict.fromkeys(case.table for case in cases), run.version)


def unknown_refused(features_of: Callable[[npt.NDArray[np.uint8]], Features], head: Head) -> dict[str, Any]:
    """How many drawn pictures of kinds that the head never learned from it refuses."""
    pictures = np.stack([squared(pixels, NETWORK_SIZE) for _, pixels in held_out()])
    refused = softmax(head.scores(features_of(pictures)), axis=1)[:, OTHER].sum(axis=1) >= UNKNOWN
    return {"pictures": len(pictures), "refused": wilson(int(refused.sum()), len(pictures))}


def renew_card(figures: dict[str, Any], tables: Iterable[str], version: str) -> None:
    """The card with the open gate's figures and the new version; everything else is as it was."""
    card = ModelCard.model_validate_json((MODEL / "card.json").read_bytes())
    weights = [use for use in card.weights if use.part != OPEN_ANATOMY_OUTPUT]
    weights += uses_learned_from({OPEN_ANATOMY_OUTPUT: tables})
    parts = {"version": version, "weights": weights, "metrics": card.metrics | figures}
    renew(card, parts, "a second anatomy head, for open installations")
    print(figures)


if __name__ == "__main__":
    main()
