"""The imaging model's card: out-of-fold figures over all labelled radiographs, within each site, beside baselines."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.imaging.classification import finding
from services.imaging.network import BONE_CLASSES, OTHER, SITES, Anatomy
from services.imaging.settings import SHIPPED
from services.imaging.training.baselines import CLASSES, OSTEOPOROSIS, Baselines, three_class
from services.imaging.training.cases import Case
from services.imaging.training.evaluate import Judged
from services.imaging.training.evidence import FIGURES, evidence_of
from services.imaging.training.gate_figures import by_table, gate, unknown_figures
from services.imaging.training.orientation import orientation_figures
from services.imaging.training.tried import GATE_OF_0_3_0, TRIED, TRIED_FOR_THE_GATE, TRIED_FOR_THE_TURN
from services.imaging.training.variants import Wholes
from services.imaging.training.with_record import limits_of, with_record
from shared.contracts.base import ModelReference
from shared.contracts.models import ModelCard, WeightsUse
from shared.radiograph.upright import Correction
from shared.training.card import plot_confusion, plot_roc, write_model_card, write_page
from shared.training.evaluate import (
    accuracy,
    auc,
    balanced_accuracy,
    calibration_error,
    confusion,
    recalls,
    with_interval,
)
from shared.training.history import earlier_card, with_version
from shared.training.run import CARDS, Run
from shared.weights import JOINTS, RESEARCH_ONLY, uses_learned_from, uses_of

OSTEOPENIA = 1
CHANGE = "trained anew"
CONFUSION, ROC = "imaging-confusion.png", "imaging-roc.png"
SITE_WORDS = dict(zip(SITES, ("knees", "spine_dxa", "spine_cut_out"), strict=True))
Chosen = npt.NDArray[np.bool_]
ALWAYS = [
    "Probabilities are calibrated for a group in which half have osteoporosis, since the sets' own shares are "
    "an artefact of how they were collected; in a group with fewer, they are too high. `stand_alone` gives what the "
    "film alone says at the prevalence that the site has set (TRABECULA_OSTEOPOROSIS_PREVALENCE).",
    "The frames, features and penalties of the readouts, and the limits for turned pictures, were chosen on the folds "
    "that the figures come from, so these are somewhat too good; no part is large enough to be set aside.",
]
GATE_LIMITS = [
    "Knees from the side, skyline views and open growth plates are refused by what drawings of them look like: no "
    "data set here holds real ones, so how many real ones are refused is not known.",
    "Pictures of other kinds were drawn by code, or lie in packages of the training environment: how many of a kind "
    "that nobody thought of are refused is not known.",
]
LIMITS = {
    "knee_bone": "Knee labels are T-scores by quantitative ultrasound at the knee, not DXA. A third of the knee frames "
    "carry a side marker (R or L), and with the markers painted out the AUC is about 0.03 lower: a little of what the "
    "knee readout has learned is no bone.",
    "spine_dxa": "DXA spine images carry burned-in outlines; what painting them out changes is given below.",
    "spine_masked": "The basis of the spine_masked labels is not stated by their publisher. Many of these cut-outs "
    "hardly tell up from down: turned, they are refused or read wrongly more often than any other kind.",
}
PAPER = (
    "The seed paper's 95 % cannot be compared: its data, its split and its normals for each site are not stated, and "
    "telling spine from knee alone already gives 0.67 there."
)


@dataclass(frozen=True)
class Radiographs:
    """One row a labelled radiograph: what the service would say of it, out of fold, and what the baselines say.

    Args:
        truth: index into `CLASSES`. predicted: the same by the service's rule. scratch: by the seed paper's recipe.
        bone: index into `BONE_CLASSES`. osteoporosis: the probability. site, group: as in `Case`.
    """

    truth: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    indeterminate: npt.NDArray[np.bool_]
    scratch: npt.NDArray[np.int64]
    bone: npt.NDArray[np.int64]
    osteoporosis: npt.NDArray[np.float64]
    shortcut: npt.NDArray[np.float64]
    cleaned: npt.NDArray[np.float64]
    site: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]


def write_card(
    cases: list[Case],
    wholes: Wholes,
    judged: Judged,
    against: Baselines,
    kept_apart: dict[str, Any],
    parity: float,
    run: Run,
) -> None:
    """Measure and write the card, its page and the manifest."""
    rows = radiographs(cases, judged, against)
    figures = measured(cases, wholes, judged, rows)
    joined = with_record(run.data, cases, judged.knees, run.seed) or {}
    figures |= joined
    if kept_apart:
        figures["kept_apart_judged_once"] = kept_apart
    figures |= unknown_figures(run.model / "imaging.onnx")
    if run.ships:
        figures["the_gate_of_0_3_0"] = GATE_OF_0_3_0
        figures["what_was_tried_for_the_gate"] = TRIED_FOR_THE_GATE
        figures["what_was_tried"] = TRIED
        figures["what_was_tried_for_the_turn"] = TRIED_FOR_THE_TURN
    card = ModelCard(
        name="imaging-efficientnet-lite0-readouts",
        version=run.version,
        service="imaging",
        summary="Anatomy, the way the picture lies, and bone by a readout for each kind of picture, on one frozen "
        "EfficientNet-Lite0; the three classes are anatomy times bone.",
        intended_use="Research: a hint that bone density should be measured, from a frontal knee radiograph or a "
        "spine image of the kinds below.",
        excluded_use="Diagnosis, ruling osteoporosis out, uncut spine radiographs (answered 'indeterminate'), "
        "children, implants, any other body part.",
        licence=licence(cases),
        weights=weights_of(cases) + uses_of(JOINTS),
        data=data_lines(cases),
        metrics={**figures, "parity_onnx_savedmodel_max_difference": parity},
        limits=limits_of_the_gate() + limits(cases) + (limits_of(joined) if joined else []),
        trained="make train-imaging DATA=DIR",
    )
    card = with_version(
        card.model_copy(update={"evidence": evidence_of(card.metrics)}), CHANGE, FIGURES, earlier_card(run.model)
    )
    if not run.is_trial:
        _plot(rows, figures, run.pages)
        write_page(card, run.pages / "imaging.md", (CONFUSION, ROC))
    write_model_card(card, run.model)
    print(card.model_dump_json(indent=2))


def renew(card: ModelCard, parts: dict[str, Any], change: str) -> None:
    """Write the shipped card and its page anew with these parts of it, and with its version on top of the others."""
    new = card.model_copy(update=parts)
    new = with_version(new.model_copy(update={"evidence": evidence_of(new.metrics)}), change, FIGURES, card)
    write_page(new, CARDS / "imaging.md", (CONFUSION, ROC))
    write_model_card(new, SHIPPED)


def licence(cases: list[Case]) -> str:
    """What the sets that the weights were learned from allow."""
    unstated = [table for table in RESEARCH_ONLY if any(case.table == table for case in cases)]
    if unstated:
        return f"Weights for research use only: {', '.join(unstated)} state no licence."
    return "As the owners of the data decide that the weights were learned from."


def weights_of(cases: list[Case]) -> list[WeightsUse]:
    """What each head may be used for, by the tables that it was learned from."""
    lies = [case for case in cases if case.content < OTHER.start]
    learned = {"anatomy": cases, "turn": lies, "inverted": lies}
    learned |= {f"bone_{site}": [case for case in cases if case.site == site] for site in SITES}
    return uses_learned_from({part: dict.fromkeys(case.table for case in of) for part, of in learned.items()})


def limits(cases: list[Case]) -> list[str]:
    """What a reader of the figures has to know, for the sets that are in it."""
    tables = {case.table for case in cases}
    return ALWAYS + [words for table, words in LIMITS.items() if table in tables] + [PAPER]


def limits_of_the_gate() -> list[str]:
    """What a reader has to know of what is refused."""
    return GATE_LIMITS


def data_lines(cases: list[Case]) -> list[str]:
    """Each table and what was learned from it: its bone classes, or how many pictures without a bone label."""
    said: dict[str, object] = {
        table: f"{count} pictures, for the anatomy only"
        for table, count in Counter(case.table for case in cases).items()
    }
    return [f"{table}: {words}" for table, words in (said | bone_counts(cases)).items()]


def bone_counts(cases: list[Case]) -> dict[str, dict[str, int]]:
    """Radiographs with a bone label, by table and bone class."""
    labelled = [case for case in cases if case.bone is not None]
    return {
        table: {
            name: sum(case.table == table and case.bone == bone for case in labelled)
            for bone, name in enumerate(BONE_CLASSES)
        }
        for table in dict.fromkeys(case.table for case in labelled)
    }


def radiographs(cases: list[Case], judged: Judged, against: Baselines) -> Radiographs:
    """The service's own rule, applied to each labelled radiograph."""
    model = ModelReference(name="", version="")
    rows = []
    for row, case in enumerate(cases):
        if case.bone is None:
            continue
        said = finding(Anatomy(judged.anatomy[row]), judged.bone[row], None, Correction(), model)
        rows.append(
            (
                three_class(case),
                CLASSES.index(said.label),
                said.indeterminate,
                against.from_scratch[row],
                case.bone,
                judged.bone[row, OSTEOPOROSIS],
                against.shortcut[row],
                against.without_outlines[row],
                case.site,
                case.group,
            )
        )
    return Radiographs(*(np.array(column) for column in zip(*rows, strict=True)))


def measured(cases: list[Case], wholes: Wholes, judged: Judged, rows: Radiographs) -> dict[str, Any]:
    """Figures with 95 % intervals bootstrapped over patients."""
    certain, film = rows.bone != OSTEOPENIA, rows.site != "spine_dxa"
    everything = np.full(len(rows.truth), True)
    return {
        "part": f"out of fold, 5 folds by patient, {len(rows.truth)} labelled radiographs",
        "three_class": three_class_figures(rows, everything),
        "three_class_without_osteopenia": three_class_figures(rows, certain),
        "three_class_without_spine_dxa": three_class_figures(rows, film),
        "three_class_without_osteopenia_and_spine_dxa": three_class_figures(rows, certain & film),
        **{f"within_{SITE_WORDS[site]}": within(rows, rows.site == site) for site in SITES},
        "anatomy_and_gate": gate(cases, judged.anatomy),
        "read_and_refused_by_table": by_table(cases, judged.anatomy),
        "the_way_a_picture_lies": orientation_figures(cases, wholes.lying, judged),
    }


def three_class_figures(rows: Radiographs, chosen: Chosen) -> dict[str, Any]:
    """The seed paper's figure, beside its own recipe and beside knowing nothing but the set."""
    truth, predicted, group = rows.truth[chosen], rows.predicted[chosen], rows.group[chosen]
    site_only = np.zeros_like(truth)
    for site in SITES:
        here = rows.site[chosen] == site
        site_only[here] = np.bincount(truth[here]).argmax() if here.any() else 0
    return {
        "radiographs": len(truth),
        "accuracy": with_interval(accuracy, group, truth, predicted),
        "balanced_accuracy": with_interval(balanced_accuracy, group, truth, predicted),
        "recall": dict(zip(CLASSES, recalls(truth, predicted, 3), strict=True)),
        "confusion_rows_truth": confusion(truth, predicted, 3),
        "indeterminate": round(float(rows.indeterminate[chosen].mean()), 4),
        "seed_papers_recipe_accuracy": with_interval(accuracy, group, truth, rows.scratch[chosen]),
        "seed_papers_recipe_balanced_accuracy": with_interval(balanced_accuracy, group, truth, rows.scratch[chosen]),
        "seed_papers_recipe_confusion_rows_truth": confusion(truth, rows.scratch[chosen], 3),
        "commonest_class_of_the_set": {
            "accuracy": round(accuracy(truth, site_only), 4),
            "balanced_accuracy": round(balanced_accuracy(truth, site_only), 4),
        },
    }


def within(rows: Radiographs, chosen: Chosen) -> dict[str, Any]:
    """Osteoporosis within one kind of picture; chance is an AUC of 0.5."""
    truth, group = rows.bone[chosen] == OSTEOPOROSIS, rows.group[chosen]
    if truth.all() or not truth.any():
        return {"radiographs": len(truth)}
    called, certain = rows.predicted[chosen] != 0, chosen & (rows.bone != OSTEOPENIA)

    def against_normal(score: npt.NDArray[np.float64]) -> dict[str, float | None]:
        return with_interval(auc, rows.group[certain], rows.bone[certain] == OSTEOPOROSIS, score[certain])

    pairs = np.stack([1 - rows.osteoporosis[chosen], rows.osteoporosis[chosen]], axis=1)
    figures = {
        "radiographs": len(truth),
        "patients": len(np.unique(group)),
        "auc_osteoporosis_against_normal": against_normal(rows.osteoporosis),
        "auc_osteoporosis_against_rest": with_interval(auc, group, truth, rows.osteoporosis[chosen]),
        "sensitivity": with_interval(accuracy, group[truth], called[truth], np.full(truth.sum(), True)),
        "specificity": with_interval(accuracy, group[~truth], called[~truth], np.full((~truth).sum(), False)),
        "likelihood_ratio_called": with_interval(ratio_called, group, truth, called),
        "likelihood_ratio_not_called": with_interval(ratio_not_called, group, truth, called),
        "shortcut_auc_osteoporosis_against_normal": against_normal(rows.shortcut),
        "calibration_error_at_the_sets_own_shares": round(calibration_error(pairs, truth.astype(int), bins=5), 4),
    }
    if not np.isnan(rows.cleaned[chosen]).any():
        figures["auc_osteoporosis_against_normal_outlines_painted_out"] = against_normal(rows.cleaned)
    return figures


def ratio_called(truth: Chosen, called: Chosen) -> float:
    """How much "osteoporosis" multiplies the odds where nothing else is known: sensitivity over 1 - specificity.

    Raises:
        ValueError: not defined, as in a resample without patients of the one kind or the other.
    """
    if truth.all() or not truth.any() or not called[~truth].any():
        raise ValueError("nobody without osteoporosis is called, or only one kind of patient is there")
    return float(called[truth].mean() / called[~truth].mean())


def ratio_not_called(truth: Chosen, called: Chosen) -> float:
    """How much any other answer multiplies the odds: 1 - sensitivity over specificity. Raises as `ratio_called`."""
    return ratio_called(truth, ~called)


def _plot(rows: Radiographs, figures: dict[str, Any], pages: Path) -> None:
    names = ["normal", "spine", "knee"]
    plot_confusion(figures["three_class_without_osteopenia"]["confusion_rows_truth"], names, pages / CONFUSION)
    certain = rows.bone != OSTEOPENIA
    curves = {}
    for site in SITES:
        here = certain & (rows.site == site)
        if len(np.unique(rows.bone[here])) < 2:
            continue
        curves[SITE_WORDS[site].replace("_", " ")] = (rows.bone[here] == OSTEOPOROSIS, rows.osteoporosis[here])
    plot_roc(curves, pages / ROC)
