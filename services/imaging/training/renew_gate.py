"""`make imaging-gate DATA=DIR`: fit the anatomy head again, judge the gate, renew network, card and page.

The backbone is frozen, so the head that tells anatomy and refuses is fitted in minutes, as `make train-imaging` fits
it: same tables, same drawn pictures, same folds. Every other output of the network stays as it is, bit for bit.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd
from onnx import numpy_helper
from scipy.special import softmax

from services.imaging.gate import UNKNOWN
from services.imaging.network import ANATOMY_OUTPUT, OTHER
from services.imaging.training.card import CONFUSION, ROC, data_lines, licence, limits_of_the_gate
from services.imaging.training.cases import Case, describe, drawn_cases, read_cases, wholes
from services.imaging.training.check import checked
from services.imaging.training.evaluate import fit_anatomy, judge_anatomy
from services.imaging.training.features import SHAPE, Extractor
from services.imaging.training.gate_figures import by_table, gate, unknown_figures, wilson
from services.imaging.training.heads import Head
from services.imaging.training.tried import GATE_OF_0_3_0, TRIED_FOR_THE_GATE
from services.imaging.training.variants import features_for_anatomy
from shared.contracts.models import ModelCard
from shared.inference.onnx import OnnxScorer
from shared.radiograph.intake import decode
from shared.radiograph.prepare import NETWORK_SIZE, squared
from shared.training.backbone import efficientnet_lite0
from shared.training.card import write_model_card, write_page
from shared.training.export import PARITY_TOLERANCE
from shared.training.run import CARDS, Run

MODEL = Path(__file__).parents[1] / "model"
SAMPLES, BLOCK = 16, 512


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
    extractor, pixels = Extractor.of(efficientnet_lite0()), wholes(cases)
    plain, augmented = features_for_anatomy(pixels, extractor, run)
    judged = judge_anatomy(cases, plain, augmented, run.seed)
    head = fit_anatomy(cases, plain, augmented, np.arange(len(cases)))
    replace_head(MODEL / "imaging.onnx", head, pixels, plain)
    figures = {
        "anatomy_and_gate": gate(cases, judged),
        "read_and_refused_by_table": by_table(cases, judged),
        "knee_crops_never_learned_from": crops_figures(run.data, cases, extractor, head),
        **unknown_figures(MODEL / "imaging.onnx"),
        "the_gate_of_0_3_0": GATE_OF_0_3_0,
        "what_was_tried_for_the_gate": TRIED_FOR_THE_GATE,
    }
    renew_card(figures, cases, run)


def replace_head(file: Path, head: Head, pixels: npt.NDArray[np.uint8], plain: npt.NDArray[np.float32]) -> None:
    """Put other weights into the anatomy head of a network.

    Args:
        pixels: uint8 (count, 224, 224). plain: their features, which the answers are checked against.

    Raises:
        ValueError: another output changed, or the new one is not what the head says.
    """
    samples = {"radiograph": pixels[:: len(pixels) // SAMPLES, ..., np.newaxis].astype(np.float32) / 255.0}
    before = OnnxScorer(file).score(samples)
    network = onnx.load(file)
    made_by = {output: node for node in network.graph.node for output in node.output}
    add = made_by[made_by[ANATOMY_OUTPUT].input[0]]
    weights = {made_by[add.input[0]].input[1]: head.kernel, add.input[1]: head.bias}
    for stored in network.graph.initializer:
        if stored.name in weights:
            stored.CopyFrom(numpy_helper.from_array(weights.pop(stored.name).astype(np.float32), stored.name))
    if weights:
        raise ValueError(f"{file} keeps its anatomy head elsewhere: {sorted(weights)}")
    (output,) = (output for output in network.graph.output if output.name == ANATOMY_OUTPUT)
    output.type.tensor_type.shape.dim[1].dim_value = len(head.bias)
    made = network.SerializeToString()
    file.write_bytes(made)
    after = OnnxScorer(file).score(samples)
    if any(not np.array_equal(before[name], after[name]) for name in before if name != ANATOMY_OUTPUT):
        raise ValueError(f"{file}: another output than {ANATOMY_OUTPUT} has changed")
    said = softmax(head.scores(plain[:: len(pixels) // SAMPLES, SHAPE]), axis=1)
    if np.abs(said - after[ANATOMY_OUTPUT]).max() > PARITY_TOLERANCE:
        raise ValueError(f"{file} does not say what the head says")


def crops_figures(data: Path, cases: list[Case], extractor: Extractor, head: Head) -> dict[str, Any]:
    """How many of the ready-made knee crops that the head never learned from it refuses."""
    learned = {case.file for case in cases}
    files = [file for file in pd.read_csv(data / "knee_kl.csv")["file"] if file not in learned]
    refused = 0
    for start in range(0, len(files), BLOCK):
        block = files[start : start + BLOCK]
        pixels = np.stack([squared(decode((data / file).read_bytes()).pixels, NETWORK_SIZE) for file in block])
        shares = softmax(head.scores(extractor.features(pixels)[:, SHAPE]), axis=1)
        refused += int((shares[:, OTHER].sum(axis=1) >= UNKNOWN).sum())
    return {"pictures": len(files), "refused": wilson(refused, len(files))}


def renew_card(figures: dict[str, Any], cases: list[Case], run: Run) -> None:
    """The card with the gate's new figures and the new version; everything else is as it was."""
    card = ModelCard.model_validate_json((MODEL / "card.json").read_bytes())
    limits = limits_of_the_gate() + [words for words in card.limits if words not in limits_of_the_gate()]
    metrics = {**card.metrics, **figures}
    card = card.model_copy(
        update={
            "version": run.version,
            "licence": licence(cases),
            "data": data_lines(cases),
            "metrics": metrics,
            "limits": limits,
        }
    )
    write_page(card, CARDS / "imaging.md", (CONFUSION, ROC))
    write_model_card(card, MODEL)
    print(figures)


if __name__ == "__main__":
    main()
