"""The staging model's card: every figure from the test parts, which are looked at once per version."""

from pathlib import Path
from typing import Any

from services.staging.training.candidates import BEST, REFIT
from services.staging.training.evidence import FIGURES, evidence_of
from services.staging.training.figures import measured
from services.staging.training.fit import Fitted
from services.staging.training.knees import GRADES
from shared.contracts.models import ModelCard
from shared.training.card import plot_calibration, plot_confusion, plot_roc, write_model_card, write_page
from shared.training.history import earlier_card, with_version
from shared.training.run import Run
from shared.weights import JOINTS, STAGING, uses_of

SET_FIGURES = {"knee_kl_india": "indian_knees_test_part"}
CHANGE = (
    "learns from Indian knees too, augmented as other devices and senders differ, mixup, averaged weights; states the "
    "median; says when a knee is unlike the known ones"
)
LIMITS = [
    "Grade 1 (doubtful) is the weak grade here as with human readers (interobserver kappa about 0.5).",
    "The knees come from one US cohort aged 45 to 79 and from a few Indian hospitals, whose devices are not known. Any "
    "other population or device was not measured; a knee that is unlike those is said to be.",
    "Where it fails it is by one grade most of the time: grade 1 is read as 0 or 2, and grade 2 without clear "
    "narrowing of the joint space as 0.",
    "The two readers of the Indian knees agree on 99.4%, so they did not read alone; their patients are unknown, so "
    "that pictures of one patient may lie in two parts unless they look alike.",
    "The grades of the Indian knees may be easier to tell than they should be: a small network from scratch reaches a "
    "kappa of 0.77 there and 0.48 on the crops. What helps it beside the joint is not known.",
    "The data tell neither sex nor age, so there are no results by them.",
    "One reader's grade is the truth; label noise bounds what can be reached.",
    "The weights of version 0.4.0 were fitted by this recipe in PyTorch, in bfloat16, in half of the time. They "
    "were calibrated, judged and exported by `make train-staging`, which itself fits such a network in Keras: alike, "
    "not the same to the last digit.",
    "Tried and not kept, figures of the test part of the crops: cross-entropy for 6 epochs at 160 px and 4 more at "
    "224 px (version 0.2.0): kappa 0.803, accuracy 0.673. The mean of two networks at 160 px, with the mirror images: "
    "0.790 and 0.670; it never served, so the test part was looked at one time more than there are versions. Version "
    "0.3.0, the crops alone and 8 epochs: kappa of the likeliest grade 0.807, of the rounded mean 0.820, accuracy "
    "0.680; on the Indian knees kappa 0.43, grades 0.9 too high.",
]
CONFUSION, ROC, CALIBRATION = "staging-confusion.png", "staging-roc.png", "staging-calibration.png"


def write_card(fitted: Fitted, run: Run) -> None:
    """Measure and write `card.json`, the manifest and, for a whole run, the plots."""
    by_set = {
        knees.name: measured(knees, probabilities, distances)
        for knees, probabilities, distances in zip(fitted.sets, fitted.probabilities, fitted.distances, strict=True)
    }
    main, *others = by_set
    figures = {
        **by_set[main],
        **{SET_FIGURES[name]: by_set[name] for name in others},
        "comparison_on_the_validation_parts": fitted.comparison,
        "parity_onnx_savedmodel_max_difference": fitted.parity,
    }
    card = ModelCard(
        name="staging-efficientnet-lite0",
        version=run.version,
        service="staging",
        summary=f"Kellgren-Lawrence grade 0 to 4 of a knee joint crop: {BEST.description}, then {REFIT.epochs} on "
        "training and validation parts together; soft ordinal labels, mixup, averaged weights, augmented as other "
        "devices and other ways of sending would have made the film; the mean of the picture and its mirror image. "
        "The grade that is stated is the distribution's median.",
        intended_use="Research: a first reading of radiographic knee osteoarthritis on a frontal knee radiograph.",
        excluded_use="Diagnosis of osteoporosis; a stage never drives an osteoporosis drug. Children, knee implants, "
        "lateral views, fractures.",
        licence="Weights CC BY 4.0, after their data (Osteoarthritis Initiative crops, Chen 2018; Indian knees, "
        "Gornale & Patravali 2020).",
        weights=uses_of(STAGING, JOINTS),
        data=[f"{knees.describe()}, split by patient or group of like pictures" for knees in fitted.sets],
        metrics=figures,
        limits=LIMITS,
        trained="make train-staging DATA=DIR",
    )
    card = card.model_copy(update={"evidence": evidence_of(figures)})
    card = with_version(card, CHANGE, FIGURES, earlier_card(run.model))
    if not run.is_trial:
        _plot(fitted, figures, run.pages)
        write_page(card, run.pages / "staging.md", (CONFUSION, ROC, CALIBRATION))
    write_model_card(card, run.model)
    print(card.model_dump_json(indent=2))


def _plot(fitted: Fitted, figures: dict[str, Any], pages: Path) -> None:
    main, probabilities = fitted.sets[0], fitted.probabilities[0]
    truth = main.grades[main.split.test]
    plot_confusion(figures["confusion_rows_truth"], [str(grade) for grade in range(GRADES)], pages / CONFUSION)
    curves = {f"grade {g} or more": (truth >= g, probabilities[:, g:].sum(1)) for g in range(1, GRADES)}
    plot_roc(curves, pages / ROC)
    plot_calibration(probabilities, truth, pages / CALIBRATION)
