"""What the training wrote beside the model: version, reference, cut-offs and usual values; nothing here is typed in."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.contracts.base import Contract, ModelReference, Probability
from shared.contracts.findings import RiskCategory
from shared.contracts.record import Gender

Variables = dict[str, float]


class CutOffs(Contract):
    """Where the categories lie on the probability of osteoporosis, and by which rule."""

    low_below: Probability
    high_from: Probability
    rule: str

    def category(self, probability: float) -> RiskCategory:
        """The category of one probability; a value on a boundary belongs to the higher category."""
        if probability < self.low_below:
            return "low"
        return "high" if probability >= self.high_from else "moderate"


class BoneDensityParameters(Contract):
    """The bone-density model's companions."""

    model: ModelReference
    columns: Annotated[list[str], Field(description="Inputs of the ONNX model, in order")]
    reference_age: float
    cut_offs: CutOffs
    usual: Annotated[
        dict[Gender, dict[str, list[Variables]]],
        Field(description="By sex and field: usual values (10th and 90th percentile, or each answer) of its variables"),
    ]


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
