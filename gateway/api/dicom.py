"""`/v1/assessments/{id}/dicom`: a result as DICOM objects in the source's own study."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.deps import AssessmentReader, AssessmentWriter, Idempotent, note_repeat
from gateway.context import Context
from gateway.interop.dicom.absent import why_absent
from gateway.interop.dicom.installed import require_installed
from gateway.interop.dicom.objects import ObjectKind, objects_of
from gateway.platform.validators import Printable
from gateway.records.outbox import DeliveryState
from shared.problem_responses import example_response, problem_responses
from shared.problems import (
    Conflict,
    InvalidInput,
    NoDicomSource,
    NotAuthenticated,
    NotAuthorised,
    NotFound,
    NotInstalled,
)

router = APIRouter(
    prefix="/v1/assessments/{assessment_id}/dicom",
    tags=["assessments"],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound, Conflict, NoDicomSource, NotInstalled),
)
DICOM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A DICOM file (PS3.10)",
        "content": {"application/dicom": {"schema": {"type": "string", "contentMediaType": "application/dicom"}}},
    }
}


SENDING = {"delivery_id": "01a21a13-be85-7930-9fec-a4d4676d0273", "destination": "archive", "status": "waiting"}


class Sending(BaseModel):
    """Where the objects of a result are to be sent."""

    model_config = ConfigDict(extra="forbid")

    destination: Annotated[Printable, Field(min_length=1, max_length=100, description="Its name: trabecula route list")]


class SendingAnswer(BaseModel):
    """What waits to be sent now."""

    delivery_id: UUID
    destination: str
    status: DeliveryState


@router.get(
    "/{kind}.dcm", summary="DICOM object", response_class=Response, responses=DICOM, operation_id="get_dicom_object"
)
async def get_dicom_object(assessment_id: UUID, kind: ObjectKind, who: AssessmentReader, ctx: Context) -> Response:
    """The result as one DICOM object, as it stands: preliminary until a clinician signs or amends it.

    `sr` structured report (TID 1500), `sc` picture with boxes and grades, `heatmap`, `pr` presentation state, `pdf`
    clinician's report, `ko` rejection note of a withdrawn result. It names patient and study as the source does. Not
    for patients' accounts.
    """
    content = await ctx.dicom.content(assessment_id, who)
    made = await anyio.to_thread.run_sync(objects_of, content, [kind])
    if not made:
        raise why_absent(content, kind)
    headers = {"Content-Disposition": f'attachment; filename="{kind}-{assessment_id}.dcm"'}
    return Response(made[0].file, media_type="application/dicom", headers=headers)


@router.post(
    "/send",
    summary="Send to an archive",
    status_code=HTTPStatus.ACCEPTED,
    responses={**example_response(SENDING, HTTPStatus.ACCEPTED), **problem_responses(InvalidInput)},
)
async def send_dicom_objects(
    assessment_id: UUID, sending: Sending, who: AssessmentWriter, ctx: Context, response: Response, once: Idempotent
) -> SendingAnswer:
    """Send the result's objects to a destination of the organisation, soon and until it has them.

    What is sent is how the result stands then. Sending again sends the same objects, which an archive has once.
    """
    require_installed()
    delivery, is_repeated = await ctx.dicom.send(assessment_id, who, sending.destination, once)
    note_repeat(response, is_repeated)
    return SendingAnswer(delivery_id=delivery.id, destination=sending.destination, status=delivery.state)
