"""The whole answer to one case, made by the real parts without a server: risk, combination, recommendation."""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import services.clinical
from gateway.assessing.combine import combine
from gateway.assessing.film import read_at_age
from services.clinical.finding import find
from services.clinical.parameters import read_bone_density
from services.clinical.risk import BoneDensityModel
from services.recommender import recommend
from shared.clinic import Reading, readings_of
from shared.contracts.assessment import Combined
from shared.contracts.findings import ClinicalFinding, ImagingFinding, StagingFinding
from shared.contracts.policy import ClinicPolicy
from shared.contracts.recommendation import Recommendation, RecommendationRequest, RecommendationSet
from shared.contracts.record import ClinicalRecord
from shared.inference.onnx import OnnxScorer
from tests.unit.services.recommender.cases import RULES, image, stage

TODAY = dt.date(2026, 11, 26)
MODEL_DIR = Path(services.clinical.__file__).parent / "model"


@cache
def model() -> BoneDensityModel:
    return BoneDensityModel(OnnxScorer(MODEL_DIR / "bone_density.onnx"), read_bone_density(MODEL_DIR))


@dataclass(frozen=True)
class Answer:
    """Everything that one assessment says."""

    record: ClinicalRecord
    readings: tuple[Reading, ...]
    imaging: ImagingFinding | None
    staging: StagingFinding | None
    clinical: ClinicalFinding
    combined: Combined
    recommendation: RecommendationSet

    @property
    def items(self) -> list[Recommendation]:
        return self.recommendation.items

    @property
    def ids(self) -> set[str]:
        return {item.id for item in self.items}

    @property
    def prose(self) -> str:
        """Every sentence for clinicians and patients, in lower case."""
        consult = self.recommendation.consult
        parts = [text for item in self.items for text in (item.text, item.patient_text)]
        parts += [consult.reason or "", consult.patient_reason or "", self.clinical.conclusion or ""]
        parts += [*self.combined.basis, self.imaging.summary if self.imaging else ""]
        return " ".join(parts).lower()


def answer_to(
    record: dict[str, Any], looks: str | None = None, grade: int | None = None, policy: ClinicPolicy | None = None
) -> Answer:
    """The answer to a record, with a radiograph that looks so and knees of this grade where given."""
    read, site = ClinicalRecord.model_validate(record), policy or ClinicPolicy()
    seen, graded = read_at_age(image(looks), read.age) if looks else None, stage(grade) if grade is not None else None
    clinical = find([read], model(), site, TODAY)[0]
    request = RecommendationRequest(
        imaging=seen, staging=graded, clinical=clinical, record=read, policy=site, as_of=TODAY
    )
    combined = combine(seen, clinical, read.age)
    return Answer(read, readings_of(read, site, TODAY), seen, graded, clinical, combined, recommend(request, RULES))
