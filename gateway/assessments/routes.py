"""`/v1/assessments`: the main job of the house."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, Field

from gateway.accounts.credentials import needs
from gateway.accounts.scopes import Principal
from gateway.assessments.case import MODELS, Case, read_case
from gateway.assessments.compose import compose
from gateway.assessments.examples import ASSESSMENT, RECORD
from gateway.assessments.repository import Repeatable
from gateway.rooms import Rooms, rooms
from shared.contracts.assessment import Assessment
from shared.problem_responses import documented, shown
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
    prefix="/v1/assessments", tags=["assessments"], responses=documented(NotAuthenticated, NotAuthorised)
)
House = Annotated[Rooms, Depends(rooms)]
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
    status_code=HTTPStatus.CREATED,
    openapi_extra=FORM,
    responses={
        **shown(ASSESSMENT, HTTPStatus.CREATED),
        **documented(
            InvalidInput, InvalidRecord, MissingInput, UnreadableImage, UnsupportedImage, ImageTooLarge, ImageRefused,
            UploadTooLarge, UploadStalled, Conflict, TooBusy,
        ),
    },
)  # fmt: skip
async def make_assessment(
    who: Annotated[Principal, Depends(needs("assessments:write"))],  # before the body is read: strangers upload nothing
    case: Annotated[Case, Depends(read_case)],
    house: House,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Assessment:
    """Assess a radiograph, a clinical record, or both.

    The same `Idempotency-Key` with the same request gives the same answer again, so a lost answer can be asked for.
    """
    repeatable = Repeatable(idempotency_key, case.digest()) if idempotency_key else None
    if repeatable and (earlier := await house.assessments.repeated(who, repeatable)):
        return earlier
    findings = await house.workflow.assess(case)
    assessment = compose(findings, case.patient_id)
    record = case.risk.model_dump(mode="json", exclude_none=True) if case.risk else None
    return await house.assessments.add(assessment, record, who, repeatable)


@router.get("", responses=shown({"items": [ASSESSMENT], "next": None}))
async def list_assessments(
    who: Annotated[Principal, Depends(needs("assessments:read"))],
    house: House,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    patient_id: Annotated[str | None, Query(max_length=64)] = None,
) -> AssessmentPage:
    """The organisation's assessments, newest first."""
    found = await house.assessments.page(who, limit + 1, before, patient_id)
    following = found[limit - 1].id if len(found) > limit else None
    return AssessmentPage(items=found[:limit], next=following)


@router.get("/{assessment_id}", responses={**shown(ASSESSMENT), **documented(NotFound)})
async def get_assessment(
    assessment_id: UUID, who: Annotated[Principal, Depends(needs("assessments:read"))], house: House
) -> Assessment:
    """One assessment as it was answered."""
    return await house.assessments.get(assessment_id, who)
