"""Osteoporosis from the film alone against the site's own truth, within one anatomy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gateway.evaluation.estimates import Bootstrap, beside_card
from gateway.evaluation.model import BoneEvaluation, Case, Estimate, Outcomes
from gateway.evaluation.pairs import BonePair, patients_of
from gateway.evaluation.probabilities import discrimination
from gateway.evaluation.subgroups import Chosen, subgroups
from shared.contracts.base import ModelReference
from shared.contracts.findings import Anatomy
from shared.figures import auc

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 11))
MOST_CASES = 8
# Where the imaging card has its figures. Of spines it has them by kind of picture, so there is none to stand beside.
CARD_PART: dict[Anatomy, str | None] = {"knee": "within_knees", "spine": None}


def evaluate_bones(
    anatomy: Anatomy,
    pairs: Sequence[BonePair],
    outcomes: Outcomes,
    card: Mapping[str, Any],
    model: ModelReference,
    bootstrap: Bootstrap,
) -> BoneEvaluation:
    """Everything that the report says of osteoporosis.

    Args:
        card: the metrics of the imaging model's card.
    """
    patients = patients_of(pairs)
    truth = np.array([pair.truth for pair in pairs], np.bool_)
    called = np.array([pair.called for pair in pairs], np.bool_)
    score = np.array([pair.finding.bone.osteoporosis for pair in pairs], np.float64)
    probability = np.array([pair.probability for pair in pairs], np.float64)
    published, people = card.get(CARD_PART[anatomy] or "", {}), (len(pairs), "films")

    def main_figures(chosen: Chosen) -> dict[str, Estimate]:
        sick, well = chosen & truth, chosen & ~truth
        return {
            "auc": bootstrap(auc, patients[chosen], truth[chosen], score[chosen]),
            "sensitivity": bootstrap.share(patients[sick], called[sick]),
            "specificity": bootstrap.share(patients[well], ~called[well]),
        }

    whole = main_figures(np.full(len(pairs), True))
    return BoneEvaluation(
        anatomy=anatomy,
        patients=len(set(patients)),
        outcomes=outcomes,
        figures=[
            beside_card("auc_osteoporosis_against_rest", "AUC", whole["auc"], published, people),
            beside_card(
                "sensitivity",
                "Sensitivity",
                whole["sensitivity"],
                published,
                (int(truth.sum()), "films with osteoporosis"),
            ),
            beside_card(
                "specificity",
                "Specificity",
                whole["specificity"],
                published,
                (int((~truth).sum()), "films without osteoporosis"),
            ),
        ],
        probability=discrimination("Is it osteoporosis?", patients, truth, probability, THRESHOLDS, bootstrap),
        assumed_prevalence=_prevalence(pairs),
        subgroups=subgroups([pair.row for pair in pairs], main_figures),
        worst=worst(pairs),
        model=model,
    )


def _prevalence(pairs: Sequence[BonePair]) -> float | None:
    """What the probabilities assume: a setting of the site, so the same for all."""
    return next((pair.finding.stand_alone.prevalence for pair in pairs if pair.finding.stand_alone), None)


def worst(pairs: Sequence[BonePair]) -> list[Case]:
    """The films that were called wrongly, the surest first."""

    def place(pair: BonePair) -> tuple[float, int]:
        share = pair.finding.bone.osteoporosis
        return -(share if pair.called else 1 - share), pair.row.line

    wrong = sorted((pair for pair in pairs if pair.called != pair.truth), key=place)
    return [
        Case(
            line=pair.row.line,
            patient=pair.row.patient,
            truth=_words(pair.truth),
            answer=f"{_words(pair.called)} ({pair.probability:.0%})",
        )
        for pair in wrong[:MOST_CASES]
    ]


def _words(has: bool) -> str:
    return "osteoporosis" if has else "no osteoporosis"
