"""The report of a site's evaluation, as it is written to JSON and shown as HTML and PDF.

Lines are named by their number in the table and patients by its codes. No file name is in it, and nothing of a film's
header.
"""

import datetime as dt
from typing import Literal

from pydantic import Field

from shared.contracts.base import Contract, ModelReference
from shared.contracts.findings import Anatomy

Verdict = Literal["better", "worse", "not_told_apart", "not_measured"]


class Estimate(Contract):
    """A figure with its 95 % interval; null where it is not defined for these people."""

    value: float | None
    low: float | None
    high: float | None

    @property
    def is_known(self) -> bool:
        return self.value is not None


class SiteFigure(Contract):
    """A figure at the site, beside the one on the model's card."""

    name: str
    title: str
    site: Estimate
    card: Estimate | None = Field(description="Null where the card has no such figure")
    verdict: Verdict = Field(description="By the intervals: `worse` where the site's lies wholly beyond the card's")
    resolution: str | None = Field(description="In words: which difference a table of this size can tell")


class CalibrationBin(Contract):
    """People of like probability: the mean that was predicted, and the share in whom it was so."""

    predicted: float
    observed: float
    people: int


class Calibration(Contract):
    """Whether a probability of 30 % means three in ten here."""

    error: Estimate
    intercept: Estimate
    slope: Estimate
    bins: list[CalibrationBin]


class DecisionPoint(Contract):
    """Net benefit a person if those above the threshold are sent on; sending nobody is zero."""

    threshold: float
    network: float
    everybody: float


class Discrimination(Contract):
    """One yes-or-no question that the network answers with a probability."""

    question: str
    with_it: int
    without_it: int
    brier: Estimate
    calibration: Calibration
    decision_curve: list[DecisionPoint]


class CoveragePoint(Contract):
    """How good the answers are if only this share of the knees, the surest, is answered."""

    share_answered: float
    accuracy: float


class Outcomes(Contract):
    """What became of the lines that have a truth."""

    lines: int
    answered: int
    refused: int = Field(description="The film was refused or could not be read")
    not_answered: dict[str, int] = Field(description="Read, but without the answer that was asked for: why")
    uncertain: int = Field(0, description="Answered, and marked as a low-confidence grade")
    refusals: dict[str, int] = Field(description="Why films were refused")


class ReaderAgreement(Contract):
    """Another reader against the first, and the network against the same first reader on the same knees."""

    reader: int
    knees: int
    readers_kappa: Estimate
    network_kappa: Estimate
    difference: Estimate = Field(description="The network's less the reader's; an interval below zero: it agrees less")
    network_with_this_reader: Estimate


class Case(Contract):
    """A line that was read badly."""

    line: int
    patient: str
    truth: str
    answer: str


class Subgroup(Contract):
    """The first figures within one group."""

    column: str
    group: str
    people: int
    figures: dict[str, Estimate]


class KneeEvaluation(Contract):
    """Kellgren-Lawrence grades."""

    patients: int
    outcomes: Outcomes
    figures: list[SiteFigure]
    accuracy_when_certain: Estimate
    mean_difference: Estimate = Field(description="Of the grades: above zero, the network grades higher")
    confusion_rows_truth: list[list[int]]
    top_grade_calibration_error: Estimate
    grade_2_or_more: Discrimination | None
    coverage: list[CoveragePoint]
    readers: list[ReaderAgreement]
    subgroups: list[Subgroup]
    worst: list[Case]
    model: ModelReference


class BoneEvaluation(Contract):
    """Osteoporosis from the film alone, within one anatomy."""

    anatomy: Anatomy
    patients: int
    outcomes: Outcomes
    figures: list[SiteFigure]
    probability: Discrimination | None
    assumed_prevalence: float | None
    subgroups: list[Subgroup]
    worst: list[Case]
    model: ModelReference


class SiteEvaluation(Contract):
    """How good the installation's networks are on one site's own films."""

    made_at: dt.datetime
    table_sha256: str
    seed: int
    resamples: int
    lines: int
    films: int
    patients: int
    knees: KneeEvaluation | None
    bones: list[BoneEvaluation]
    refused_with_bone_label: dict[str, int] = Field(description="Films with a bone label that were refused, by reason")
    site_settings: list[str] = Field(
        [], description="Versions of the site's own settings that films were answered with; none: the networks alone"
    )
    notices: int = Field(description="What was odd in the table; the command prints it, as it may name files")
    disclaimer: str
