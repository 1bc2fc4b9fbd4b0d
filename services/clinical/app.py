"""The clinical service: risk from the record, the published scores beside it, and what a DXA says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI

from services.clinical.finding import find
from services.clinical.lifestyle import find_lifestyle, without_lifestyle
from services.clinical.parameters import LifestyleParameters, read_bone_density, read_lifestyle
from services.clinical.risk import BoneDensityModel
from services.clinical.settings import Settings
from shared.contracts.findings import ClinicalFinding
from shared.contracts.models import ModelCard
from shared.contracts.risk import AnyRiskRequest, LifestyleRiskRequest, RiskBatchAnswer, RiskBatchRequest
from shared.inference import Scorer
from shared.inference.onnx import OnnxScorer
from shared.problem_responses import problem_responses
from shared.problems import TooBusy
from shared.service import Workers, create_service_app, loaded_model, workers
from shared.weights import as_used


@dataclass(frozen=True)
class Clinical:
    """What the service works with."""

    bone_density: BoneDensityModel
    lifestyle: Scorer
    lifestyle_parameters: LifestyleParameters
    card: ModelCard
    lifestyle_card: ModelCard

    def risk(self, request: AnyRiskRequest) -> ClinicalFinding:
        """The finding for a request, by the model it names."""
        if isinstance(request, LifestyleRiskRequest):
            if self.lifestyle_card.left_unused:
                return without_lifestyle(self.lifestyle_parameters.model)
            return find_lifestyle(request.record, self.lifestyle, self.lifestyle_parameters)
        return find([request.record], self.bone_density, request.policy, request.as_of)[0]

    def risks(self, request: RiskBatchRequest) -> RiskBatchAnswer:
        """The findings for many records, in their order."""
        return RiskBatchAnswer(findings=find(request.records, self.bone_density, request.policy, request.as_of))


def load(settings: Settings) -> Clinical:
    """Load both models, their parameters and their cards."""
    folder, threads = settings.model, settings.inference_threads
    return Clinical(
        BoneDensityModel(OnnxScorer(folder / "bone_density.onnx", threads), read_bone_density(folder)),
        OnnxScorer(folder / "lifestyle.onnx", threads),
        read_lifestyle(folder),
        read_card(folder / "card.json", settings.models_open),
        read_card(folder / "card-lifestyle.json", settings.models_open),
    )


def read_card(file: Path, models_open: bool) -> ModelCard:
    """A model's card, with what this installation runs without."""
    return as_used(ModelCard.model_validate_json(file.read_bytes()), models_open)


router = APIRouter(prefix="/v1", tags=["risk"])
Loaded = Annotated[Clinical, Depends(loaded_model)]


@router.post("/risk")
async def risk(request: AnyRiskRequest, clinical: Loaded) -> ClinicalFinding:
    """Risk, screening scores, WHO class and reasons for a record; `clinical_model` picks the model."""
    # Two milliseconds of work: not worth a thread.
    return clinical.risk(request)


@router.post("/risk/batch", responses=problem_responses(TooBusy))
async def risk_batch(
    request: RiskBatchRequest, clinical: Loaded, pool: Annotated[Workers, Depends(workers)]
) -> RiskBatchAnswer:
    """The same for up to 10,000 records, by the bone-density model."""
    return await pool.run(clinical.risks, request)


@router.get("/model/lifestyle")
async def lifestyle_model(clinical: Loaded) -> ModelCard:
    """The card of the seed system's questionnaire model."""
    return clinical.lifestyle_card


def create_app(settings: Settings) -> FastAPI:
    """The clinical service with these settings."""
    return create_service_app(
        "clinical",
        title="Trabecula clinical risk",
        settings=settings,
        load=lambda: load(settings),
        card=lambda clinical: clinical.card,
        router=router,
    )
