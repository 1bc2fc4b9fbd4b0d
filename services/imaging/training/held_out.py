"""Radiographs that a hospital keeps apart (`part` is `test`): never learned from, judged by the heads that ship."""

from typing import Any

import numpy as np
from scipy.special import softmax

from services.imaging.classification import finding
from services.imaging.network import SITES, Anatomy, classes_of
from services.imaging.training.baselines import CLASSES, OSTEOPOROSIS, three_class
from services.imaging.training.cases import Case, read_regions, wholes
from services.imaging.training.evaluate import Heads, case_scores, of_site
from services.imaging.training.features import SHAPE, Extractor
from shared.contracts.base import ModelReference
from shared.radiograph.upright import Correction
from shared.training.evaluate import accuracy, auc, balanced_accuracy, confusion, with_interval
from shared.training.run import Run


def held_out_figures(cases: list[Case], heads: Heads, extractor: Extractor, run: Run) -> dict[str, Any]:
    """Three-class figures and the AUC within each site; empty where nothing with a bone label was kept apart."""
    cases = [case for case in cases if case.site is not None]
    if not cases:
        return {}
    bone, model = bone_of(cases, heads, extractor, run), ModelReference(name="", version="")
    anatomy = softmax(heads.anatomy.scores(extractor.features(wholes(cases))[:, SHAPE]), axis=1)
    findings = [
        finding(Anatomy(shares), classes, None, Correction(), model)
        for shares, classes in zip(anatomy, bone, strict=True)
    ]
    truth, predicted = (
        np.array([three_class(case) for case in cases]),
        np.array([CLASSES.index(read.label) for read in findings]),
    )
    groups = np.array([case.group for case in cases])
    figures: dict[str, Any] = {
        "radiographs": len(cases),
        "patients": len(set(groups)),
        "accuracy": with_interval(accuracy, groups, truth, predicted),
        "balanced_accuracy": with_interval(balanced_accuracy, groups, truth, predicted),
        "confusion_rows_truth": confusion(truth, predicted, 3),
    }
    for number, site in enumerate(SITES):
        rows = of_site(cases, number)
        ill = np.array([cases[row].bone == OSTEOPOROSIS for row in rows])
        if ill.any() and not ill.all():
            figures[f"{site}_auc_osteoporosis_against_rest"] = with_interval(
                auc, groups[rows], ill, bone[rows, OSTEOPOROSIS]
            )
    return figures


def bone_of(cases: list[Case], heads: Heads, extractor: Extractor, run: Run) -> np.ndarray:
    """(cases, 3) probabilities by the readouts that ship, from the regions as the service finds them."""
    regions, bone = read_regions(cases, run), np.zeros((len(cases), 3))
    features = extractor.features(regions.pixels[0])[np.newaxis]
    for number, _ in enumerate(SITES):
        rows = of_site(cases, number)
        if rows.size:
            scores = case_scores(heads.bone[number], regions, features, rows)
            bone[rows] = classes_of(heads.slopes[number] * scores[:, np.newaxis] + heads.offsets[number])
    return bone
