"""`/v1/assessments`: the main job."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, Field

from gateway.api.deps import needs
from gateway.api.examples.assessments import ASSESSMENT, RECORD
from gateway.assessing.case import MODELS, Case, read_case
from gateway.assessing.make import make
from gateway.assessing.release import shown_to
from gateway.context import AppContext, get_context
from gateway.platform.identity.scopes import Principal
from gateway.platform.validators import Printable
from shared.contracts.assessment import Assessment, AssessmentPictures, AssessmentWithPictures
from shared.problem_responses import example_response, problem_responses
from shared.problems import (
    Conflict,
    ImageRefused,
    ImageTooLarge,
    InvalidInput,
    InvalidRecord,
    MissingInput,
    NotAuthenticated,
    NotAuthorised,
    NotFound,
    TooBusy,
    UnreadableImage,
    UnsupportedImage,
    UploadStalled,
    UploadTooLarge,
)

router = APIRouter(
    prefix="/v1/assessments", tags=["assessments"], responses=problem_responses(NotAuthenticated, NotAuthorised)
)
Context = Annotated[AppContext, Depends(get_context)]
Reader = Annotated[Principal, Depends(needs("assessments:read"))]
Writer = Annotated[Principal, Depends(needs("assessments:write"))]
RELEASED = {**ASSESSMENT, "released_at": "2026-11-24T09:30:00Z"}
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "image": {"type": "string", "format": "binary", "description": "JPEG, PNG or DICOM radiograph"},
                        "clinical": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "The clinical record as JSON text (see the schema ClinicalRecord)",
                            "example": RECORD,
                        },
                        "patient_id": {"type": "string", "maxLength": 64, "description": "The hospital's own, opaque"},
                        "clinical_model": {"type": "string", "enum": list(MODELS), "default": MODELS[0]},
                    },
                }
            }
        },
    }
}


class AssessmentPage(BaseModel):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""

    items: list[Assessment]
    next: UUID | None = Field(examples=["0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d"])


@router.post(
    "",
    summary="Make an assessment",
    status_code=HTTPStatus.CREATED,
    openapi_extra=FORM,
    responses={
        **example_response(ASSESSMENT, HTTPStatus.CREATED),
        **problem_responses(
            InvalidInput, InvalidRecord, MissingInput, UnreadableImage, UnsupportedImage, ImageTooLarge, ImageRefused,
            UploadTooLarge, UploadStalled, Conflict, TooBusy,
        ),
    },
)  # fmt: skip
async def make_assessment(
    who: Writer,  # before the body is read: strangers upload nothing
    case: Annotated[Case, Depends(read_case)],
    ctx: Context,
    idempotency_key: Annotated[Printable | None, Header(min_length=1, max_length=255)] = None,
    pictures: Annotated[bool, Query(description="Send preview and heat maps along, as base64 PNG")] = False,
) -> Assessment | AssessmentWithPictures:
    """Assess a radiograph, a clinical record, or both.

    The same `Idempotency-Key` with the same request gives the same answer again, so a lost answer can be asked for;
    the pictures come only the first time.
    """
    made = await make(ctx, who, case, idempotency_key, pictures)
    found = made.findings.pictures if pictures and made.findings else {}
    if not found:
        return made.assessment
    return AssessmentWithPictures(**dict(made.assessment), pictures=AssessmentPictures(**found))


@router.get("", summary="List assessments", responses=example_response({"items": [ASSESSMENT], "next": None}))
async def list_assessments(
    who: Reader,
    ctx: Context,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    patient_id: Annotated[Printable | None, Query(max_length=64, description="The hospital's own")] = None,
) -> AssessmentPage:
    """The organisation's assessments, newest first; a patient's own account sees the patient's own, in plain words."""
    patient = await ctx.patients.known(who.organisation_id, patient_id) if patient_id is not None else None
    if patient_id is not None and patient is None:
        return AssessmentPage(items=[], next=None)
    found = await ctx.assessments.page(who, limit + 1, before, patient.id if patient else None)
    items = [shown_to(who, one.assessment, ctx.settings.release_medication) for one in found]
    return AssessmentPage(items=items[:limit], next=items[limit - 1].id if len(items) > limit else None)


@router.get(
    "/{assessment_id}",
    summary="Get an assessment",
    responses={**example_response(ASSESSMENT), **problem_responses(NotFound)},
)
async def get_assessment(assessment_id: UUID, who: Reader, ctx: Context) -> Assessment:
    """One assessment as it was answered."""
    found = await ctx.assessments.get(assessment_id, who)
    return shown_to(who, found.assessment, ctx.settings.release_medication)


@router.post(
    "/{assessment_id}/release",
    summary="Release to the patient",
    responses={**example_response(RELEASED), **problem_responses(NotFound)},
)
async def release_assessment(assessment_id: UUID, who: Writer, ctx: Context) -> Assessment:
    """Show the medication items to the patient's own account from now on, after a clinician has looked at them."""
    if who.patient_id is not None:
        raise NotAuthorised("A clinician releases an assessment, not the patient.")
    return (await ctx.assessments.release(assessment_id, who)).assessment
