"""`/dicom-web`: archives push films here by STOW-RS; each becomes an assessment by itself."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from gateway.api.deps import AdmittedWriter
from gateway.context import Context
from gateway.interop.dicom.installed import require_installed
from gateway.interop.dicom.multipart import boundary_of, parts_of
from gateway.interop.dicom.stow_in import stow
from shared.problem_responses import problem_responses
from shared.problems import (
    MalformedBody,
    NotAuthenticated,
    NotAuthorised,
    NotInstalled,
    TooManyRequests,
    UnsupportedMediaType,
    UploadStalled,
    UploadTooLarge,
)

router = APIRouter(
    prefix="/dicom-web", tags=["routing"], responses=problem_responses(NotAuthenticated, NotAuthorised, NotInstalled)
)
JSON = "application/dicom+json"
_ANSWER: dict[str, Any] = {"content": {JSON: {"schema": {"type": "object"}}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "All were stored (ReferencedSOPSequence)", **_ANSWER},
    202: {"description": "Some were not: FailedSOPSequence says which, and why", **_ANSWER},
    409: {"description": "None was: FailedSOPSequence says why", **_ANSWER},
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {"multipart/related": {"schema": {"type": "string", "contentMediaType": "application/dicom"}}},
    }
}


@router.post(
    "/studies",
    summary="Push films (STOW-RS)",
    response_class=Response,
    openapi_extra=BODY,
    responses={
        **RESPONSES,
        **problem_responses(MalformedBody, UnsupportedMediaType, UploadTooLarge, UploadStalled, TooManyRequests),
    },
)
async def store_instances(request: Request, who: AdmittedWriter, ctx: Context) -> JSONResponse:
    """Take in DICOM files (PS3.18 10.5). Knees and spines (CR, DX) are assessed soon after; others are ignored.

    A file that came before changes nothing. Results go to the organisation's destinations.
    """
    require_installed()
    ctx.films.refuse_patients(who)
    boundary = boundary_of(request.headers.get("content-type", ""))
    parts = parts_of(request.stream(), boundary, ctx.settings.max_upload_bytes)
    status, answer = await stow(
        parts, ctx.settings.state_dir, lambda film: ctx.films.take_in(film, who), ctx.films.films.turned_away
    )
    return JSONResponse(answer, status, media_type=JSON)
