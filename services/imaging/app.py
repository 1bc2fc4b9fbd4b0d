"""The imaging service: what a radiograph shows and what its bone looks like."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Query, Request, Response, UploadFile

from services.imaging.classification import Ratios, Reading, classify, ratios_of
from services.imaging.open_network import NOTHING_CLOSED, Closed, NoFinder, OpenNetwork, closed_in, needed_outputs
from services.imaging.settings import Settings
from shared.contracts.base import ModelReference
from shared.contracts.findings import WITH_PICTURES, ClassifyAnswer, FilmFigures, Rendering
from shared.contracts.handover import READING_TYPE, reading_bytes
from shared.contracts.models import ModelCard
from shared.encrypted_spool import encrypt_spooled_uploads
from shared.inference import CheckedScorer
from shared.inference.choice import open_scorer, require_outputs
from shared.problem_responses import problem_responses
from shared.problems import ImageRefused, ImageTooLarge, TooBusy, UnreadableImage, UnsupportedImage
from shared.radiograph import Radiograph, joints
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.handover import packed
from shared.radiograph.heatmap import heatmap_png
from shared.radiograph.prepare import NETWORK_SIZE
from shared.radiograph.preview import preview_png
from shared.radiograph.tones import mean_and_spread
from shared.service import Workers, create_service_app, loaded_model, workers
from shared.weights import as_used, closed_joint_finder


@dataclass(frozen=True)
class Imaging:
    """What the service works with."""

    decoder: DecoderPool
    network: CheckedScorer
    finder: CheckedScorer
    card: ModelCard
    ratios: Ratios
    prevalence: float
    closed: Closed

    def classify(self, image: bytes, pictures: bool = False) -> ClassifyAnswer:
        """Decode, gate and classify the bytes of an upload."""
        return self._answer(self._read(image), pictures)

    def hand_on(self, image: bytes, pictures: bool = False) -> bytes:
        """The same, and what staging needs of a knee: `shared.radiograph.handover`."""
        reading = self._read(image)
        for_staging = packed(reading.radiograph, reading.regions.joints) if reading.regions.site == "knee" else b""
        return reading_bytes(self._answer(reading, pictures), for_staging)

    def _read(self, image: bytes) -> Reading:
        model = ModelReference(name=self.card.name, version=self.card.version)
        return classify(
            self.decoder.decode(image), self.network, self.finder, model, self.ratios, self.prevalence, self.closed
        )

    def _answer(self, reading: Reading, pictures: bool) -> ClassifyAnswer:
        radiograph = reading.radiograph
        answer = ClassifyAnswer(
            finding=reading.finding,
            film=film_figures(radiograph),
            warnings=reading.warnings,
            source=radiograph.source,
        )
        if not pictures:
            return answer
        pixels = radiograph.pixels
        return answer.model_copy(
            update={
                "preview": Rendering.of(preview_png(radiograph)),
                "heatmap": Rendering.of(heatmap_png(pixels, reading.regions.boxes, reading.bone.heat)),
            }
        )

    def check(self) -> None:
        """See that both networks can be asked."""
        self.network.check()
        self.finder.check()


def film_figures(radiograph: Radiograph) -> FilmFigures:
    """What a film was like: its device, its size and its tones as they were read."""
    source, (width, height) = radiograph.source, radiograph.original_size
    mean, spread = mean_and_spread(radiograph.pixels)
    named = [source.manufacturer, source.manufacturer_model] if source else []
    return FilmFigures(
        device=" ".join(part for part in named if part) or None,
        format=radiograph.format,
        width=width,
        height=height,
        mean=round(mean, 2),
        spread=round(spread, 2),
    )


def load(settings: Settings, decoder: DecoderPool) -> Imaging:
    """Load the model files, or reach the server that has; begin to warm up the decoder."""
    decoder.start()
    card = as_used(ModelCard.model_validate_json((settings.model / "card.json").read_bytes()), settings.models_open)
    no_finder = closed_joint_finder() if settings.models_open else None
    closed = closed_in(card, no_finder) if settings.models_open else NOTHING_CLOSED
    network = open_scorer(settings, "imaging", settings.model / "imaging.onnx")
    if settings.inference == "onnx":
        require_outputs(network, (NETWORK_SIZE, NETWORK_SIZE, 1), needed_outputs(closed), "imaging")
    if settings.models_open:
        network = OpenNetwork(network, closed)
    finder = NoFinder() if no_finder else open_scorer(settings, "knee_joints", joints.MODEL)
    return Imaging(decoder, network, finder, card, ratios_of(card), settings.osteoporosis_prevalence, closed)


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


@router.post(
    "/readings",
    response_class=Response,
    responses={
        200: {"content": {READING_TYPE: {}}, "description": "`shared.radiograph.handover`"},
        **problem_responses(UnreadableImage, UnsupportedImage, ImageTooLarge, ImageRefused, TooBusy),
    },
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {}}}},
)
async def read_image(
    request: Request,
    imaging: Annotated[Imaging, Depends(loaded_model)],
    pool: Annotated[Workers, Depends(workers)],
    pictures: Annotated[bool, Query(description=WITH_PICTURES)] = False,
) -> Response:
    """Classify one radiograph, the body, and hand on what staging needs of it: it is decoded once for both."""
    content = await pool.run(imaging.hand_on, await request.body(), pictures)
    return Response(content, media_type=READING_TYPE)


def create_app(settings: Settings, decoder: DecoderPool | None = None) -> FastAPI:
    """The imaging service with these settings. `decoder`: shared with another service in this process; else its own."""
    encrypt_spooled_uploads()
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
