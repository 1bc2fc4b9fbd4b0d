"""`/v1/assessments`: the main job."""

import datetime as dt
import json
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from gateway.api.assessment_form import read_case
from gateway.api.deps import (
    AdmittedWriter,
    AssessmentReader,
    IdempotencyKey,
    Limit,
    PatientWriter,
    Releaser,
    Wanted,
    note_repeat,
)
from gateway.api.examples.assessments import ASSESSMENT, RECORD
from gateway.assessing.case import CASE_PROBLEMS, CLINICAL_MODELS, DEFAULT_MODEL, Case
from gateway.context import Context
from gateway.platform.paging import Page
from gateway.platform.validators import Printable
from shared.contracts.assessment import Assessment, AssessmentRenderings, AssessmentStatus, AssessmentWithRenderings
from shared.contracts.findings import RiskCategory
from shared.contracts.recommendation import Consult
from shared.contracts.review import ReviewStatus
from shared.problem_responses import example_response, problem_responses
from shared.problems import (
    Conflict,
    NotAuthenticated,
    NotAuthorised,
    NotFound,
    TooManyRequests,
    UnsupportedMediaType,
    UploadStalled,
    UploadTooLarge,
)

router = APIRouter(
    prefix="/v1/assessments", tags=["assessments"], responses=problem_responses(NotAuthenticated, NotAuthorised)
)
MADE = example_response(ASSESSMENT, HTTPStatus.CREATED)[HTTPStatus.CREATED.value]
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
                            "description": "The clinical record as JSON; the fields are those of `clinical_model`",
                            "anyOf": [
                                {"$ref": "#/components/schemas/ClinicalRecord"},
                                {"$ref": "#/components/schemas/LifestyleRecord"},
                            ],
                            "examples": [json.loads(RECORD)],
                        },
                        "patient_number": {
                            "type": "string",
                            "maxLength": 64,
                            "description": "The hospital's own, opaque",
                        },
                        "clinical_model": {"type": "string", "enum": list(CLINICAL_MODELS), "default": DEFAULT_MODEL},
                    },
                },
                "encoding": {"clinical": {"contentType": "application/json"}},
            }
        },
    }
}


class BriefAssessment(BaseModel):
    """What a list needs of an assessment; the rest is under its id."""

    id: UUID
    created_at: dt.datetime
    status: AssessmentStatus
    patient_number: str | None
    review: ReviewStatus = Field(description="Where clinicians left it")
    category: RiskCategory | None = Field(description="Of the combined finding")
    consult: Consult | None

    @classmethod
    def of(cls, assessment: Assessment) -> "BriefAssessment":
        """As it travels."""
        combined, recommended = assessment.combined, assessment.recommendation
        return cls(
            id=assessment.id,
            created_at=assessment.created_at,
            status=assessment.status,
            patient_number=assessment.patient_number,
            review=assessment.review.status,
            category=combined.category if combined else None,
            consult=recommended.consult if recommended else None,
        )


class BriefAssessmentPage(Page[BriefAssessment, UUID]):
    """The same page in brief."""


class AssessmentPage(Page[Assessment, UUID]):
    """One page; `next` is the `before` of the next one, or the `after` where that was sent; null on the last."""


@router.post(
    "",
    summary="Make an assessment",
    status_code=HTTPStatus.CREATED,
    response_model=None,
    openapi_extra=FORM,
    responses={
        HTTPStatus.CREATED.value: {"model": AssessmentWithRenderings, **MADE},
        **problem_responses(*CASE_PROBLEMS, UploadTooLarge, UnsupportedMediaType, UploadStalled, TooManyRequests),
    },
)
async def make_assessment(
    who: AdmittedWriter,  # before the body is read: strangers upload nothing
    case: Annotated[Case, Depends(read_case)],
    ctx: Context,
    idempotency_key: IdempotencyKey = None,
    pictures: Annotated[bool, Query(description="Send preview and heat maps along, as base64 PNG")] = False,
) -> Response:
    """Assess a radiograph, a clinical record, or both.

    The same `Idempotency-Key` with the same request gives the same answer again, so an answer that was lost on its way
    can be asked for once more; the pictures come only the first time.
    """
    result = await ctx.assessments.assess_case(who, case, idempotency_key, pictures)
    assessment = result.visible.assessment
    renderings = result.findings.renderings if pictures and result.findings else {}
    if renderings:
        assessment = AssessmentWithRenderings(**dict(assessment), pictures=AssessmentRenderings(**renderings))
    headers = {"Location": f"/v1/assessments/{assessment.id}"}
    # Written here, so that `pictures` is there only where there are some: else the answer is the GET's, to a byte.
    response = Response(assessment.model_dump_json(), HTTPStatus.CREATED, headers, "application/json")
    note_repeat(response, result.is_repeated)
    return response


@router.get("", summary="List assessments", responses=example_response({"items": [ASSESSMENT], "next": None}))
async def list_assessments(
    who: AssessmentReader,
    ctx: Context,
    window: Wanted,
    limit: Limit = 20,
    patient_number: Annotated[Printable | None, Query(max_length=64, description="The hospital's own")] = None,
    status: AssessmentStatus | None = None,
    fields: Annotated[Literal["all", "brief"], Query(description="`brief`: what a list needs")] = "all",
) -> AssessmentPage | BriefAssessmentPage:
    """The organisation's assessments, newest first; with `after` oldest first.

    A patient's own account sees the patient's own, in plain words.
    """
    page = await ctx.assessments.page(who, limit, window, patient_number, status)
    if fields == "brief":
        return page.to(BriefAssessmentPage, BriefAssessment.of)
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
    responses={**example_response(RELEASED), **problem_responses(NotFound, Conflict)},
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
