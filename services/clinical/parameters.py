"""What the training wrote beside the models: versions, cut-offs, averages, usual values; nothing here is typed in."""

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from services.clinical.variables import OLDEST_AGE
from shared.contracts.base import Contract, ModelReference, Probability
from shared.contracts.findings import RiskCategory
from shared.contracts.record import BoneSite, Sex

Variables = dict[str, float]


class Share(Contract):
    """A share of people with its 95% interval."""

    value: Probability
    low: Probability
    high: Probability


class Accuracy(Contract):
    """How many of the people with osteoporosis an answer finds, and how many of the others it spares."""

    sensitivity: Share
    specificity: Share


class HeldOut(Contract):
    """What the categories do in the survey cycle kept apart: one sex, 50 and over, with survey weights."""

    people: int
    cases: int
    high: Accuracy
    not_low: Accuracy


class CutOffs(Contract):
    """Where the categories lie on the probability of osteoporosis, and by which rule."""

    low_below: Probability
    high_from: Probability
    rule: Annotated[str, Field(description="One sentence for users, with what was measured")]
    held_out: Annotated[HeldOut | None, Field(description="Null where no people were kept apart to measure it")] = None

    def category(self, probability: float) -> RiskCategory:
        """The category of one probability; a value on a boundary belongs to the higher category."""
        if probability < self.low_below:
            return "low"
        return "high" if probability >= self.high_from else "moderate"


class AgeAverage(Contract):
    """The mean probability of osteoporosis of people of about this age."""

    age: float
    probability: Probability


class AgeLine(Contract):
    """The T-score that age alone leads one to expect, and the spread of people about it."""

    intercept: float
    per_year: float
    sd: Annotated[float, Field(gt=0)]


class ExpectedTScore(Contract):
    """The T-score at one site that age and weight lead one to expect, and the spread (SD) of people about it."""

    intercept: float
    per_year: float
    per_kg: float
    sd: Annotated[float, Field(gt=0)]
    without_weight: AgeLine

    def expected(self, age: float, weight_kg: float | None) -> float:
        """The expected T-score; ages count as the oldest of the survey from there on."""
        years = min(age, OLDEST_AGE)
        if weight_kg is None:
            return self.without_weight.intercept + self.without_weight.per_year * years
        return self.intercept + self.per_year * years + self.per_kg * weight_kg

    def sds_above(self, t_score: float, age: float, weight_kg: float | None) -> float:
        """How many standard deviations a T-score lies above what is expected; below zero where it lies under it."""
        sd = self.without_weight.sd if weight_kg is None else self.sd
        return (t_score - self.expected(age, weight_kg)) / sd


class BoneDensityParameters(Contract):
    """The bone-density model's companions."""

    model: ModelReference
    columns: Annotated[list[str], Field(description="Inputs of the ONNX model, in order")]
    reference_age: float
    population: Annotated[str, Field(description="Whom `averages` and `expected_t` were measured in")]
    cut_offs: dict[Sex, CutOffs]
    averages: Annotated[dict[Sex, list[AgeAverage]], Field(description="By rising age")]
    expected_t: dict[Sex, dict[BoneSite, ExpectedTScore]]
    usual: Annotated[
        dict[Sex, dict[str, list[Variables]]],
        Field(description="By sex and field: usual values (10th and 90th percentile, or each answer) of its variables"),
    ]

    def average(self, sex: Sex, age: float) -> float:
        """The mean probability of this sex at this age: straight lines between ages, flat beyond the first and last."""
        points = self.averages[sex]
        return float(np.interp(age, [point.age for point in points], [point.probability for point in points]))


class LifestyleParameters(Contract):
    """The seed system's model's companions."""

    model: ModelReference
    columns: list[str]
    reference: dict[str, float]
    reference_words: str
    cut_offs: CutOffs


def read_bone_density(model_dir: Path) -> BoneDensityParameters:
    """Read `bone_density.json`; a file that does not fit the contract raises pydantic's ValidationError."""
    return BoneDensityParameters.model_validate_json((model_dir / "bone_density.json").read_bytes())


def read_lifestyle(model_dir: Path) -> LifestyleParameters:
    """Read `lifestyle.json`; see `read_bone_density`."""
    return LifestyleParameters.model_validate_json((model_dir / "lifestyle.json").read_bytes())
