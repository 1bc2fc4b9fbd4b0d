"""The staging service: the Kellgren-Lawrence grade of each knee."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Form, UploadFile

from services.staging.settings import Settings
from services.staging.staging import stage
from shared.contracts.base import ModelReference
from shared.contracts.findings import WITH_PICTURES, Degrees, Rendering, StageAnswer
from shared.contracts.models import ModelCard
from shared.inference import CheckedScorer
from shared.inference.choice import open_scorer, require_outputs
from shared.problem_responses import problem_responses
from shared.problems import ImageRefused, ImageTooLarge, TooBusy, UnreadableImage, UnsupportedImage
from shared.radiograph import joints
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.heatmap import heatmap_png
from shared.radiograph.prepare import NETWORK_SIZE
from shared.radiograph.upright import Correction, corrected
from shared.service import Workers, create_service_app, loaded_model, workers


@dataclass(frozen=True)
class Staging:
    """What the service works with."""

    decoder: DecoderPool
    network: CheckedScorer
    finder: CheckedScorer
    card: ModelCard

    def stage(self, image: bytes, lies: Correction, pictures: bool = False) -> StageAnswer:
        """Decode the bytes of an upload, put it the right way and grade its knees."""
        model = ModelReference(name=self.card.name, version=self.card.version)
        radiograph = corrected(self.decoder.decode(image), lies)
        reading = stage(radiograph, self.network, self.finder, model)
        if not pictures:
            return StageAnswer(finding=reading.finding, warnings=reading.warnings)
        return StageAnswer(
            finding=reading.finding,
            warnings=reading.warnings,
            heatmap=Rendering.of(heatmap_png(radiograph.pixels, reading.boxes, reading.heat)),
        )

    def check(self) -> None:
        """See that both networks can be asked."""
        self.network.check()
        self.finder.check()


def load(settings: Settings, decoder: DecoderPool) -> Staging:
    """Load the model files, or reach the server that has; begin to warm up the decoder."""
    decoder.start()
    network = open_scorer(settings, "staging", settings.model / "staging.onnx")
    if settings.inference == "onnx":
        require_outputs(network, (NETWORK_SIZE, NETWORK_SIZE, 1), {"probabilities": (5,)}, "staging")
    finder = open_scorer(settings, "knee_joints", joints.MODEL)
    card = ModelCard.model_validate_json((settings.model / "card.json").read_bytes())
    return Staging(decoder, network, finder, card)


TURNED = "Clockwise turn of the picture, as the imaging service found it; undone before grading"

router = APIRouter(prefix="/v1", tags=["staging"])


@router.post(
    "/stage", responses=problem_responses(UnreadableImage, UnsupportedImage, ImageTooLarge, ImageRefused, TooBusy)
)
async def stage_upload(
    image: UploadFile,
    staging: Annotated[Staging, Depends(loaded_model)],
    pool: Annotated[Workers, Depends(workers)],
    turned_degrees: Annotated[int, Form(ge=0, le=270, multiple_of=90, description=TURNED)] = 0,
    inverted: Annotated[bool, Form(description="The picture has bone dark, as the imaging service found")] = False,
    pictures: Annotated[bool, Form(description=WITH_PICTURES)] = False,
) -> StageAnswer:
    """Grade every knee of one radiograph."""
    lies = Correction(cast(Degrees, turned_degrees), inverted)
    return await pool.run(staging.stage, await image.read(), lies, pictures)


def create_app(settings: Settings, decoder: DecoderPool | None = None) -> FastAPI:
    """The staging service with these settings. `decoder`: shared with another service in this process; else its own."""
    pool = decoder or DecoderPool(settings.workers)
    return create_service_app(
        "staging",
        title="Trabecula staging",
        settings=settings,
        load=lambda: load(settings, pool),
        card=lambda staging: staging.card,
        check=lambda staging: staging.check(),
        close=lambda _: pool.close(),
        router=router,
    )
