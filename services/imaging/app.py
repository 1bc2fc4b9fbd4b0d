"""The imaging service: what a radiograph shows and what its bone looks like."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, UploadFile

from services.imaging.classification import Ratios, classify, ratios_of
from services.imaging.network import OUTPUTS
from services.imaging.settings import Settings
from shared.contracts.base import ModelReference
from shared.contracts.findings import WITH_PICTURES, ClassifyAnswer, Rendering
from shared.contracts.models import ModelCard
from shared.inference import CheckedScorer
from shared.inference.choice import open_scorer, require_outputs
from shared.problem_responses import problem_responses
from shared.problems import ImageRefused, ImageTooLarge, TooBusy, UnreadableImage, UnsupportedImage
from shared.radiograph import joints
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.heatmap import heatmap_png
from shared.radiograph.prepare import NETWORK_SIZE
from shared.radiograph.preview import preview_png
from shared.service import Workers, create_service_app, loaded_model, workers


@dataclass(frozen=True)
class Imaging:
    """What the service works with."""

    decoder: DecoderPool
    network: CheckedScorer
    finder: CheckedScorer
    card: ModelCard
    ratios: Ratios

    def classify(self, image: bytes, pictures: bool = False) -> ClassifyAnswer:
        """Decode, gate and classify the bytes of an upload."""
        model = ModelReference(name=self.card.name, version=self.card.version)
        reading = classify(self.decoder.decode(image), self.network, self.finder, model, self.ratios)
        if not pictures:
            return ClassifyAnswer(finding=reading.finding, warnings=reading.warnings, source=reading.radiograph.source)
        pixels = reading.radiograph.pixels
        return ClassifyAnswer(
            finding=reading.finding,
            warnings=reading.warnings,
            source=reading.radiograph.source,
            preview=Rendering.of(preview_png(reading.radiograph)),
            heatmap=Rendering.of(heatmap_png(pixels, reading.regions.boxes, reading.bone.heat)),
        )

    def check(self) -> None:
        """See that both networks can be asked."""
        self.network.check()
        self.finder.check()


def load(settings: Settings, decoder: DecoderPool) -> Imaging:
    """Load the model files, or reach the server that has; begin to warm up the decoder."""
    decoder.start()
    network = open_scorer(settings, "imaging", settings.model / "imaging.onnx")
    if settings.inference == "onnx":
        require_outputs(network, (NETWORK_SIZE, NETWORK_SIZE, 1), OUTPUTS, "imaging")
    finder = open_scorer(settings, "knee_joints", joints.MODEL)
    card = ModelCard.model_validate_json((settings.model / "card.json").read_bytes())
    return Imaging(decoder, network, finder, card, ratios_of(card))


router = APIRouter(prefix="/v1", tags=["imaging"])


@router.post(
    "/classify", responses=problem_responses(UnreadableImage, UnsupportedImage, ImageTooLarge, ImageRefused, TooBusy)
)
async def classify_upload(
    image: UploadFile,
    imaging: Annotated[Imaging, Depends(loaded_model)],
    pool: Annotated[Workers, Depends(workers)],
    pictures: Annotated[bool, Form(description=WITH_PICTURES)] = False,
) -> ClassifyAnswer:
    """Classify one radiograph; a picture that is no knee or spine radiograph is refused."""
    return await pool.run(imaging.classify, await image.read(), pictures)


def create_app(settings: Settings, decoder: DecoderPool | None = None) -> FastAPI:
    """The imaging service with these settings. `decoder`: shared with another service in this process; else its own."""
    pool = decoder or DecoderPool(settings.workers)
    return create_service_app(
        "imaging",
        title="Trabecula imaging",
        settings=settings,
        load=lambda: load(settings, pool),
        card=lambda imaging: imaging.card,
        check=lambda imaging: imaging.check(),
        close=lambda _: pool.close(),
        router=router,
    )
