"""The shipped models, loaded once."""

from pathlib import Path

import pytest

import services.clinical
from services.clinical.parameters import LifestyleParameters, read_bone_density, read_lifestyle
from services.clinical.risk import BoneDensityModel
from shared.inference.onnx import OnnxScorer

MODEL = Path(services.clinical.__file__).parent / "model"


@pytest.fixture(scope="session")
def model() -> BoneDensityModel:
    return BoneDensityModel(OnnxScorer(MODEL / "bone_density.onnx"), read_bone_density(MODEL))


@pytest.fixture(scope="session")
def lifestyle_model() -> tuple[OnnxScorer, LifestyleParameters]:
    return OnnxScorer(MODEL / "lifestyle.onnx"), read_lifestyle(MODEL)
