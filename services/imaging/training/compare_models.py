"""`make compare-models SERVICE=imaging DATA=DIR A=FOLDER B=FOLDER`: may the imaging package B follow A?

The shipped readouts have learned from every public picture with a bone label, so bone is compared only on radiographs
that a site keeps apart (`part` is `test` in `radiographs.csv`); of the public sets the cards have out-of-fold figures.
The gate is compared on knee crops that no version learns from and on drawn pictures of kinds that none has seen. All of
them go through the code that serves. docs/training.md states the rule.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from services.imaging.classification import classify
from services.imaging.network import BONE_CLASSES, CONTENTS, OTHER
from services.imaging.training.tables import CROPS, Row, read_rows
from services.imaging.training.unknown.kinds import held_out
from shared.contracts.base import ModelReference
from shared.contracts.findings import ImagingFinding
from shared.inference.onnx import OnnxScorer
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.intake import decode
from shared.radiograph.joints import MODEL
from shared.training.compare import Answers, Figure, HeldOut, main
from shared.training.data import read_table
from shared.training.evaluate import accuracy, auc

OSTEOPOROSIS = BONE_CLASSES.index("osteoporosis")
NO_MODEL = ModelReference(name="", version="")
Networks = tuple[OnnxScorer, OnnxScorer]
AS_IT_SHOULD = Figure("read or refused as it should be", accuracy, margin=0.02)


def auc_of_both(truth: Answers, probability: Answers) -> float:
    """The AUC; a ValueError where only one class occurs."""
    if len(np.unique(truth)) < 2:
        raise ValueError("one class only")
    return auc(truth, probability)


BONE = (Figure("AUC, osteoporosis against the rest", auc_of_both, margin=0.05),)


def answered(radiograph: Radiograph, network: OnnxScorer, finder: OnnxScorer) -> ImagingFinding | None:
    """What a version says of a radiograph; None where it refuses it."""
    try:
        return classify(radiograph, network, finder, NO_MODEL, {}).finding
    except ImageRefused:
        return None


def gate_on(name: str, radiographs: Iterable[tuple[str, Radiograph]], networks: Networks, read: bool) -> HeldOut:
    """Whether both versions read, or refuse, what they should; the groups stay together in a resample."""
    finder, groups, answers = OnnxScorer(MODEL), [], []
    for group, radiograph in radiographs:
        groups.append(group)
        answers.append([answered(radiograph, network, finder) is not None for network in networks])
    said = np.array(answers, bool).reshape(-1, 2)
    return HeldOut(name, groups, np.full(len(said), read), said[:, 0], said[:, 1], (AS_IT_SHOULD,))


def bone_on(content: int, rows: list[Row], data: Path, networks: Networks) -> HeldOut | None:
    """The probability of osteoporosis within one kind of picture; None where there is one class only."""
    finder = OnnxScorer(MODEL)
    kept: list[Row] = []
    answers = []
    for row in rows:
        radiograph = decode((data / row.file).read_bytes())
        findings = [answered(radiograph, network, finder) for network in networks]
        if all(findings):
            kept.append(row)
            answers.append([found.bone.osteoporosis for found in findings if found])
    truth, said = np.array([row.bone == OSTEOPOROSIS for row in kept]), np.array(answers, float).reshape(-1, 2)
    if len(np.unique(truth)) < 2:
        return None
    name, groups = f"{CONTENTS[content]}, kept apart", [row.group for row in kept]
    return HeldOut(name, groups, truth, said[:, 0], said[:, 1], BONE, left_out=len(rows) - len(kept))


def crops(data: Path, seed: int) -> Iterable[tuple[str, Radiograph]]:
    """Knee crops that training never draws, as many as it does draw."""
    table = read_table(data, "knee_kl")
    never = table.drop(table.sample(min(CROPS, len(table)), random_state=0).index)
    for patient, file in never.sample(min(CROPS, len(never)), random_state=seed)[["patient", "file"]].to_numpy(str):
        yield patient, decode((data / file).read_bytes())


def measure(data: Path, a: Path, b: Path, seed: int) -> list[HeldOut]:
    """The gate, and bone where a site keeps radiographs apart."""
    networks = OnnxScorer(a / "imaging.onnx"), OnnxScorer(b / "imaging.onnx")
    apart = [row for row in read_rows(data)[0] if row.held_out]
    drawn = ((kind, Radiograph(pixels, "png", pixels.shape[::-1])) for kind, pixels in held_out())
    sets: list[HeldOut | None] = [gate_on("drawn pictures of kinds never learned from", drawn, networks, read=False)]
    if (data / "knee_kl.csv").is_file():
        sets.append(gate_on("knee crops never learned from", crops(data, seed), networks, read=True))
    others = [row for row in apart if row.content >= OTHER.start]
    if others:
        films = ((row.group, decode((data / row.file).read_bytes())) for row in others)
        sets.append(gate_on("other pictures, kept apart", films, networks, read=False))
    for content in sorted({row.content for row in apart if row.bone is not None}):
        rows = [row for row in apart if row.content == content and row.bone is not None]
        sets.append(bone_on(content, rows, data, networks))
    return [cases for cases in sets if cases is not None]


if __name__ == "__main__":
    main(__doc__ or "", measure)
