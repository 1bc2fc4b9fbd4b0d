"""`/v1/assessments`: the main job."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from gateway.api.assessment_form import read_case
from gateway.api.deps import (
    AdmittedWriter,
    AssessmentReader,
    Before,
    IdempotencyKey,
    Limit,
    PatientWriter,
    Releaser,
)
from gateway.api.examples.assessments import ASSESSMENT, RECORD
from gateway.assessing.case import CLINICAL_MODELS, DEFAULT_MODEL, Case
from gateway.context import Context
from gateway.platform.paging import Page
from gateway.platform.validators import Printable
from shared.contracts.assessment import Assessment, AssessmentRenderings, AssessmentWithRenderings
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
    TooManyRequests,
    UnreadableImage,
    UnsupportedImage,
    UnsupportedMediaType,
    UploadStalled,
    UploadTooLarge,
)

router = APIRouter(
    prefix="/v1/assessments", tags=["assessments"], responses=problem_responses(NotAuthenticated, NotAuthorised)
)
RELEASED = {**ASSESSMENT, "released_at": "2026-11-24T09:30:00Z"}
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "image": {
                            "type": "string",
                            "format": "binary",
                            "description": "Radiograph: DICOM, JPEG, PNG, TIFF, WebP or HEIC",
                        },
                        "clinical": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "The clinical record as JSON text (see the schema ClinicalRecord)",
                            "example": RECORD,
                        },
                        "patient_number": {
                            "type": "string",
                            "maxLength": 64,
                            "description": "The hospital's own, opaque",
                        },
                        "clinical_model": {"type": "string", "enum": list(CLINICAL_MODELS), "default": DEFAULT_MODEL},
                    },
                }
            }
        },
    }
}


class AssessmentPage(Page[Assessment, UUID]):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""


@router.post(
    "",
    summary="Make an assessment",
    status_code=HTTPStatus.CREATED,
    openapi_extra=FORM,
    responses={
        **example_response(ASSESSMENT, HTTPStatus.CREATED),
        **problem_responses(
            InvalidInput,
            InvalidRecord,
            MissingInput,
            UnreadableImage,
            UnsupportedImage,
            ImageTooLarge,
            ImageRefused,
            UploadTooLarge,
            UnsupportedMediaType,
            UploadStalled,
            Conflict,
            TooBusy,
            TooManyRequests,
        ),
    },
)
async def make_assessment(
    who: AdmittedWriter,  # before the body is read: strangers upload nothing
    case: Annotated[Case, Depends(read_case)],
    ctx: Context,
    idempotency_key: IdempotencyKey = None,
    pictures: Annotated[bool, Query(description="Send preview and heat maps along, as base64 PNG")] = False,
) -> Assessment | AssessmentWithRenderings:
    """Assess a radiograph, a clinical record, or both.

    The same `Idempotency-Key` with the same request gives the same answer again, so an answer that was lost on its way
    can be asked for once more; the pictures come only the first time.
    """
    result = await ctx.assessments.assess_case(who, case, idempotency_key, pictures)
    assessment = result.visible.assessment
    renderings = result.findings.renderings if pictures and result.findings else {}
    if not renderings:
        return assessment
    return AssessmentWithRenderings(**dict(assessment), pictures=AssessmentRenderings(**renderings))


@router.get("", summary="List assessments", responses=example_response({"items": [ASSESSMENT], "next": None}))
async def list_assessments(
    who: AssessmentReader,
    ctx: Context,
    limit: Limit = 20,
    before: Before = None,
    patient_number: Annotated[Printable | None, Query(max_length=64, description="The hospital's own")] = None,
) -> AssessmentPage:
    """The organisation's assessments, newest first; a patient's own account sees the patient's own, in plain words."""
    page = await ctx.assessments.page(who, limit, before, patient_number)
    return AssessmentPage.model_construct(items=page.items, next=page.next)


@router.get(
    "/{assessment_id}",
    summary="Get an assessment",
    responses={**example_response(ASSESSMENT), **problem_responses(NotFound)},
)
async def get_assessment(assessment_id: UUID, who: AssessmentReader, ctx: Context) -> Assessment:
    """One assessment as it was answered."""
    return (await ctx.assessments.get(assessment_id, who)).assessment


@router.post(
    "/{assessment_id}/release",
    summary="Release to the patient",
    responses={**example_response(RELEASED), **problem_responses(NotFound)},
)
async def release_assessment(assessment_id: UUID, who: Releaser, ctx: Context) -> Assessment:
    """Show the medication items to the patient's own account from now on, after a clinician has looked at them.

    Needs the scopes `patients:write` and `assessments:read`.
    """
    return await ctx.assessments.release(assessment_id, who)


@router.delete(
    "/{assessment_id}",
    summary="Erase an assessment",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotFound),
)
async def erase_assessment(assessment_id: UUID, who: PatientWriter, ctx: Context) -> None:
    """Delete an assessment with its pictures and alerts, as one that names no patient. This cannot be undone."""
    await ctx.assessments.erase(assessment_id, who)
