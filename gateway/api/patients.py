"""`/v1/patients`: what happened to a patient over the years, all of it to take away, and all of it gone.

A patient is named by the hospital's own number, the `patient_number` that cases are sent with, or by the id given here.
"""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, Field

from gateway.api.deps import Administrator, Before, Idempotent, Limit, PatientReader, PatientWriter, note_repeat
from gateway.api.examples.patients import EMERGENCY_ACCESS, EXPORT, MEASUREMENT, PATIENT, TIMELINE
from gateway.assessing.export_views import PatientExportView
from gateway.assessing.patient_views import EmergencyAccessView, MeasurementView, PatientView, TimelineView
from gateway.context import Context
from gateway.platform.paging import Page
from gateway.platform.validators import Printable
from gateway.records.emergency_accesses import LONGEST_NOTE, EmergencyReason
from gateway.records.measurement import Measured
from shared.problem_responses import example_response, problem_responses
from shared.problems import (
    Conflict,
    InvalidInput,
    NotAuthenticated,
    NotAuthorised,
    NotFound,
    PatientRestricted,
    TooManyRequests,
)

router = APIRouter(
    prefix="/v1/patients", tags=["patients"], responses=problem_responses(NotAuthenticated, NotAuthorised)
)


class EmergencyAccessRequest(BaseModel):
    """Why a restricted record has to be opened now."""

    reason: EmergencyReason
    note: Printable = Field(
        min_length=1, max_length=LONGEST_NOTE, description="In your own words", examples=[EMERGENCY_ACCESS["note"]]
    )


# Numbers with a slash in them, such as 2026/0017, are common; `path` takes them in. A route below a patient therefore
# has to stand above `get_patient`, which would take its last part for the number's.
PatientPath = Annotated[str, Path(description="The patient_number or the patient_id", examples=["MRN-1"])]
ONE = "/{patient:path}"


class PatientPage(Page[PatientView, UUID]):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""


@router.get("", summary="List patients", responses=example_response({"items": [PATIENT], "next": None}))
async def list_patients(who: PatientReader, ctx: Context, limit: Limit = 20, before: Before = None) -> PatientPage:
    """The organisation's patients, newest first; a patient's own account sees itself."""
    return (await ctx.patients.page(who, limit, before)).to(PatientPage, PatientView.of)


@router.get(
    f"{ONE}/timeline",
    summary="A patient's timeline",
    responses={**example_response(TIMELINE), **problem_responses(NotFound)},
)
async def get_timeline(patient: PatientPath, who: PatientReader, ctx: Context) -> TimelineView:
    """Assessments, measured bone densities and fractures in the order of their dates, and the trend of each measure.

    A trend says whether a change is more than the measurement's own error (the least significant change).
    """
    return await ctx.patients.timeline(who, patient)


@router.post(
    f"{ONE}/measurements",
    summary="Add a measurement",
    status_code=HTTPStatus.CREATED,
    responses={**example_response(MEASUREMENT, HTTPStatus.CREATED), **problem_responses(NotFound, Conflict)},
)
async def add_measurement(
    patient: PatientPath,
    measured: Annotated[Measured, Body(examples=[MEASUREMENT["measured"]])],
    who: PatientWriter,
    ctx: Context,
    response: Response,
    once: Idempotent,
) -> MeasurementView:
    """Add a T-score, a bone density or a fracture. A loss beyond the measurement's own error raises an alert."""
    measurement, is_repeated = await ctx.patients.add_measurement(who, patient, measured, once)
    note_repeat(response, is_repeated)
    return measurement


@router.get(
    f"{ONE}/export",
    summary="Export a patient",
    responses={**example_response(EXPORT), **problem_responses(NotFound)},
)
async def export_patient(patient: PatientPath, who: PatientReader, ctx: Context) -> PatientExportView:
    """Everything that is stored about one patient, pictures and closed alerts too, with the trail of who read it."""
    return await ctx.patients.export(who, patient)


@router.put(
    f"{ONE}/restriction",
    summary="Restrict a patient",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotFound),
)
async def restrict_patient(patient: PatientPath, who: PatientWriter, ctx: Context) -> None:
    """Close a patient's record to the organisation's people, as of a colleague or a public person.

    They open it by emergency access alone. Hospital systems read it only with the scope `patients:restricted`.
    """
    await ctx.patients.restrict(who, patient)


@router.delete(
    f"{ONE}/restriction",
    summary="Lift a restriction",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotFound, PatientRestricted),
)
async def lift_restriction(patient: PatientPath, who: Administrator, ctx: Context) -> None:
    """Open a patient's record to the organisation again. An administrator does so, and has opened it before."""
    await ctx.patients.lift_restriction(who, patient)


@router.post(
    f"{ONE}/emergency-access",
    summary="Open a restricted record",
    status_code=HTTPStatus.CREATED,
    responses={
        **example_response(EMERGENCY_ACCESS, HTTPStatus.CREATED),
        **problem_responses(InvalidInput, NotFound, Conflict, TooManyRequests),
    },
)
async def begin_emergency_access(
    patient: PatientPath,
    wanted: EmergencyAccessRequest,
    who: PatientReader,
    ctx: Context,
    response: Response,
    once: Idempotent,
) -> EmergencyAccessView:
    """Open a restricted patient's record to yourself for some hours, with a reason. Somebody else reviews it later.

    For members of staff with their own account. All that is read meanwhile is in the audit trail under its id.
    """
    access, is_repeated = await ctx.emergency_access.begin(who, patient, wanted.reason, wanted.note, once)
    note_repeat(response, is_repeated)
    return access


@router.get(ONE, summary="Get a patient", responses={**example_response(PATIENT), **problem_responses(NotFound)})
async def get_patient(patient: PatientPath, who: PatientReader, ctx: Context) -> PatientView:
    """One patient."""
    return await ctx.patients.get(who, patient)


@router.delete(ONE, summary="Erase a patient", status_code=HTTPStatus.NO_CONTENT, responses=problem_responses(NotFound))
async def erase_patient(patient: PatientPath, who: PatientWriter, ctx: Context) -> None:
    """Destroy the patient's key and delete everything stored about them. This cannot be undone.

    The audit trail stays whole: it names the patient by an id that nothing else knows any more. A case that comes later
    under the same number is a new patient's.
    """
    await ctx.patients.erase(who, patient)
