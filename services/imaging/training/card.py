"""The imaging model's card: out-of-fold figures over all labelled radiographs, within each site too."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.imaging.classification import finding
from services.imaging.network import CONTENTS, OTHER, Anatomy
from services.imaging.training.cases import BONE_TABLES, NO_LABEL, Cases, summary
from services.imaging.training.heads import Judged
from shared.contracts.base import ModelReference
from shared.contracts.models import ModelCard
from shared.training.card import write_model_card, write_page
from shared.training.evaluate import accuracy, auc, balanced_accuracy, confusion, recalls, with_interval
from shared.training.run import Run

CLASSES = ("normal", "spine_osteoporosis", "knee_osteoporosis")
OSTEOPENIA, OSTEOPOROSIS = 1, 2
REFUSED = 0.5


@dataclass(frozen=True)
class Radiographs:
    """One row a labelled radiograph: what the whole service would say of it, out of fold."""

    truth: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    bone: npt.NDArray[np.int64]
    osteoporosis: npt.NDArray[np.float64]
    table: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]


def write_card(cases: Cases, judged: Judged, parity: float, run: Run) -> None:
    """Measure and write `card.json` and the manifest."""
    figures = {**measured(cases, judged), "parity_onnx_savedmodel_max_difference": parity}
    card = ModelCard(
        name="imaging-efficientnet-lite0-linear-heads",
        version=run.version,
        service="imaging",
        summary="Anatomy and bone from one frozen EfficientNet-Lite0 with two linear heads; the three classes are "
        "their product.",
        intended_use="Research: a hint that bone density should be measured, from a frontal knee radiograph or a "
        "spine image of the kinds below.",
        excluded_use="Diagnosis, ruling osteoporosis out, uncut spine radiographs (answered 'indeterminate'), "
        "children, implants, any other body part.",
        licence="Weights for research use only: spine_dxa and spine_masked state no licence.",
        data=[f"{table}: {dict(zip(('normal', 'osteopenia', 'osteoporosis'), counts, strict=False))}"
              for table, counts in zip(summary(cases).index, summary(cases).to_numpy().tolist(), strict=True)],
        metrics=figures,
        limits=[
            "Knee labels are T-scores by quantitative ultrasound at the knee, not DXA.",
            "DXA spine images carry burned-in outlines; the effect of these was not measured for this version.",
            "The basis of the spine_masked labels is not stated by their publisher.",
            "A knee is almost never called osteoporotic in this version: see the sensitivity within knees. "
            "That a knee is called normal says little.",
        ],
        trained="make train-imaging DATA=DIR",
    )  # fmt: skip
    write_model_card(card, run.model)
    print(card.model_dump_json(indent=2))
    if not run.is_trial:
        write_page(card, "imaging")


def measured(cases: Cases, judged: Judged) -> dict[str, Any]:
    """Figures with 95 % intervals bootstrapped over patients, each beside what knowing the site alone would give."""
    rows = radiographs(cases, judged)
    certain = rows.bone != OSTEOPENIA
    return {
        "part": f"out of fold, 5 folds by patient, {len(rows.truth)} labelled radiographs",
        "three_class": _three_class(rows, np.full(len(rows.truth), True)),
        "three_class_without_osteopenia": _three_class(rows, certain),
        "within_knees": _within(rows, rows.table == "knee_bone"),
        "within_spine_dxa": _within(rows, rows.table == "spine_dxa"),
        "within_spine_cut_out": _within(rows, rows.table == "spine_masked"),
        "gate": _gate(cases, judged),
    }


def radiographs(cases: Cases, judged: Judged) -> Radiographs:
    """The service's own rule, applied to each labelled radiograph: anatomy of the whole, bone of what shows it best."""
    model = ModelReference(name="", version="")
    found = []
    for row in np.flatnonzero((cases.content != NO_LABEL) & np.isin(cases.table, BONE_TABLES)):
        parts = np.flatnonzero((cases.source == cases.source[row]) & (cases.bone != NO_LABEL))
        if not len(parts):
            continue  # a knee whose joint was not found: the service does not judge its bone by a joint either
        said = finding(Anatomy(judged.anatomy[row]), judged.bone[parts].mean(axis=0), model)
        bone = cases.bone[parts[0]]
        site = "knee_osteoporosis" if cases.table[row] == "knee_bone" else "spine_osteoporosis"
        truth = CLASSES.index(site) if bone == OSTEOPOROSIS else 0
        table, group = cases.table[row], cases.group[row]
        found.append((truth, CLASSES.index(said.label), bone, said.bone.osteoporosis, table, group))
    return Radiographs(*(np.array(column) for column in zip(*found, strict=True)))


def _three_class(rows: Radiographs, chosen: npt.NDArray[np.bool_]) -> dict[str, Any]:
    truth, predicted, group = rows.truth[chosen], rows.predicted[chosen], rows.group[chosen]
    site_only = np.zeros_like(truth)
    for table in BONE_TABLES:
        here = rows.table[chosen] == table
        site_only[here] = np.bincount(truth[here]).argmax() if here.any() else 0
    return {
        "accuracy": with_interval(accuracy, group, truth, predicted),
        "balanced_accuracy": with_interval(balanced_accuracy, group, truth, predicted),
        "recall": dict(zip(CLASSES, recalls(truth, predicted, 3), strict=True)),
        "confusion_rows_truth": confusion(truth, predicted, 3),
        "baseline_commonest_class_of_the_set": {
            "accuracy": round(accuracy(truth, site_only), 4),
            "balanced_accuracy": round(balanced_accuracy(truth, site_only), 4),
        },
    }


def _within(rows: Radiographs, chosen: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Osteoporosis against the rest within one site; chance is an AUC of 0.5."""
    truth, group = rows.bone[chosen] == OSTEOPOROSIS, rows.group[chosen]
    if truth.all() or not truth.any():
        return {"radiographs": len(truth)}
    called = rows.predicted[chosen] != 0
    certain = chosen & (rows.bone != OSTEOPENIA)
    return {
        "radiographs": len(truth),
        "auc_osteoporosis_against_rest": with_interval(auc, group, truth, rows.osteoporosis[chosen]),
        "auc_osteoporosis_against_normal": with_interval(
            auc, rows.group[certain], rows.bone[certain] == OSTEOPOROSIS, rows.osteoporosis[certain]
        ),
        "sensitivity": with_interval(accuracy, group[truth], called[truth], np.full(truth.sum(), True)),
        "specificity": with_interval(accuracy, group[~truth], called[~truth], np.full((~truth).sum(), False)),
    }  # fmt: skip


def _gate(cases: Cases, judged: Judged) -> dict[str, Any]:
    """Shares refused by the anatomy head, out of fold."""
    refused = judged.anatomy[:, OTHER].sum(axis=1) >= REFUSED
    return {
        f"refused_{CONTENTS[content]}": round(float(refused[cases.content == content].mean()), 4)
        for content in np.unique(cases.content[cases.content != NO_LABEL])
    }
