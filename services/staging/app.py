"""The staging service: the Kellgren-Lawrence grade of each knee."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Form, Query, Request, UploadFile

from services.staging.settings import Settings
from services.staging.staging import stage
from shared.contracts.base import ModelReference
from shared.contracts.findings import WITH_PICTURES, Degrees, Rendering, StageAnswer
from shared.contracts.handover import RADIOGRAPH_TYPE
from shared.contracts.models import ModelCard
from shared.encrypted_spool import encrypt_spooled_uploads
from shared.inference import CheckedScorer
from shared.inference.choice import open_scorer, require_outputs, verified_folder
from shared.problem_responses import problem_responses
from shared.problems import ImageRefused, ImageTooLarge, TooBusy, UnreadableImage, UnsupportedImage
from shared.radiograph import Radiograph, joints
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.handover import unpacked
from shared.radiograph.heatmap import heatmap_png
from shared.radiograph.joints import KneeJoint
from shared.radiograph.prepare import NETWORK_SIZE
from shared.radiograph.upright import Correction, corrected
from shared.service import Workers, create_service_app, loaded_model, loaded_version, workers
from shared.weights import RestrictedWeights, as_used, closed_joint_finder


@dataclass(frozen=True)
class Staging:
    """What the service works with.

    Args:
        closed: why an open installation grades no knee, in a sentence; None where it does.
    """

    decoder: DecoderPool
    network: CheckedScorer
    finder: CheckedScorer
    card: ModelCard
    closed: str | None = None

    def stage(self, image: bytes, lies: Correction, pictures: bool = False) -> StageAnswer:
        """Decode the bytes of an upload, put it the right way and grade its knees."""
        return self._answer(corrected(self.decoder.decode(image), lies), None, pictures)

    def stage_handed_on(self, data: bytes, pictures: bool = False) -> StageAnswer:
        """Grade the knees of a radiograph that imaging has decoded and put the right way.

        Raises:
            UnreadableImage: it is not what imaging hands on.
        """
        try:
            radiograph, joints = unpacked(data)
        except ValueError as error:
            raise UnreadableImage(f"This is no radiograph that imaging has handed on: {error}.") from error
        return self._answer(radiograph, joints, pictures)

    def _answer(self, radiograph: Radiograph, joints: list[KneeJoint] | None, pictures: bool) -> StageAnswer:
        if self.closed:
            raise ImageRefused(f"The knees are not graded. {self.closed}", reason="research_only")
        model = ModelReference(name=self.card.name, version=self.card.version)
        reading = stage(radiograph, self.network, self.finder, model, joints)
        if not pictures:
            return StageAnswer(finding=reading.finding, distances=reading.distances, warnings=reading.warnings)
        return StageAnswer(
            finding=reading.finding,
            distances=reading.distances,
            warnings=reading.warnings,
            heatmap=Rendering.of(heatmap_png(radiograph.pixels, reading.boxes, reading.heat)),
        )

    def check(self) -> None:
        """See that both networks can be asked."""
        self.network.check()
        self.finder.check()


def load(settings: Settings, decoder: DecoderPool) -> Staging:
    """Load the model that the settings name, and begin to warm up the decoder. Raises as `load_package`."""
    decoder.start()
    return load_package(settings, decoder, settings.model)


def load_package(settings: Settings, decoder: DecoderPool, folder: Path) -> Staging:
    """Load the files of a package, or reach the server that has them.

    Raises:
        RestrictedWeights: the installation is to be open, and this package may not be used in it.
    """
    card = as_used(ModelCard.model_validate_json((folder / "card.json").read_bytes()), settings.models_open)
    if "grades" in card.left_unused:
        raise RestrictedWeights(
            f"The grades of staging {card.version} are for research only: choose another TRABECULA_STAGING_VERSION, or "
            "unset TRABECULA_MODELS_OPEN."
        )
    network = open_scorer(settings, "staging", folder / "staging.onnx")
    if settings.inference == "onnx":
        require_outputs(network, (NETWORK_SIZE, NETWORK_SIZE, 1), {"probabilities": (5,)}, "staging")
    finder = open_scorer(settings, "knee_joints", joints.MODEL)
    return Staging(decoder, network, finder, card, closed_joint_finder() if settings.models_open else None)


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


@router.post(
    "/stage/handed-on",
    responses=problem_responses(UnreadableImage, ImageTooLarge, ImageRefused, TooBusy),
    openapi_extra={"requestBody": {"required": True, "content": {RADIOGRAPH_TYPE: {}}}},
)
async def stage_handed_on(
    request: Request,
    staging: Annotated[Staging, Depends(loaded_version)],
    pool: Annotated[Workers, Depends(workers)],
    pictures: Annotated[bool, Query(description=WITH_PICTURES)] = False,
) -> StageAnswer:
    """Grade every knee of a radiograph as imaging hands it on: `shared.radiograph.handover`."""
    return await pool.run(staging.stage_handed_on, await request.body(), pictures)


def create_app(settings: Settings, decoder: DecoderPool | None = None) -> FastAPI:
    """The staging service with these settings. `decoder`: shared with another service in this process; else its own."""
    encrypt_spooled_uploads()
    pool = decoder or DecoderPool(settings.workers)
    return create_service_app(
        "staging",
        title="Trabecula staging",
        settings=settings,
        load=lambda: load(settings, pool),
        load_version=lambda version: load_package(settings, pool, verified_folder(settings, "staging", version)),
        card=lambda staging: staging.card,
        check=lambda staging: staging.check(),
        close=lambda _: pool.close(),
        router=router,
    )
