"""What the training wrote beside the models: versions, cut-offs, averages, usual values; nothing here is typed in."""

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from shared.contracts.base import Contract, ModelReference, Probability
from shared.contracts.findings import RiskCategory
from shared.contracts.record import Sex

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


class BoneDensityParameters(Contract):
    """The bone-density model's companions."""

    model: ModelReference
    columns: Annotated[list[str], Field(description="Inputs of the ONNX model, in order")]
    reference_age: float
    population: Annotated[str, Field(description="Whom `averages` were measured in")]
    cut_offs: dict[Sex, CutOffs]
    averages: Annotated[dict[Sex, list[AgeAverage]], Field(description="By rising age")]
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
