"""`/v1/patients`: what happened to a patient over the years, all of it to take away, and all of it gone.

A patient is named by the hospital's own reference, the `patient_id` that cases are sent with, or by the id given here.
"""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Query

from gateway.api.deps import needs
from gateway.api.examples.patients import EXPORT, MEASUREMENT, PATIENT, TIMELINE
from gateway.api.patient_views import (
    AlertAnswer,
    AssessmentWithRecord,
    MeasurementAnswer,
    PatientAnswer,
    PatientExport,
    PatientPage,
    Timeline,
    TrailLine,
)
from gateway.assessing.release import shown_to
from gateway.context import AppContext, get_context
from gateway.platform.clock import now
from gateway.platform.identity.scopes import Principal
from gateway.records.alert_rules import NewAlerts, bone_loss
from gateway.records.measurement import Measured
from gateway.records.patient_records import PatientInBrief
from gateway.records.patients import Patient
from gateway.records.timeline import Entry, Measurement, timeline
from gateway.records.trend import trends
from shared.problem_responses import example_response, problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/patients", tags=["patients"], responses=problem_responses(NotAuthenticated, NotAuthorised)
)
Context = Annotated[AppContext, Depends(get_context)]
Reader = Annotated[Principal, Depends(needs("patients:read"))]
Writer = Annotated[Principal, Depends(needs("patients:write"))]
# References with a slash in them, such as 2026/0017, are common; `path` takes them in.
PatientId = Annotated[str, Path(description="The hospital's own reference or the id given here", examples=["MRN-1"])]
ONE = "/{patient_id:path}"


@router.get("", summary="List patients", responses=example_response({"items": [PATIENT], "next": None}))
async def list_patients(
    who: Reader,
    ctx: Context,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
) -> PatientPage:
    """The organisation's patients, newest first; a patient's own account sees itself."""
    found = await ctx.patient_records.page(who, limit + 1, before)
    following = found[limit - 1].id if len(found) > limit else None
    return PatientPage(items=[PatientAnswer.of(one) for one in found[:limit]], next=following)


@router.get(
    f"{ONE}/timeline",
    summary="A patient's timeline",
    responses={**example_response(TIMELINE), **problem_responses(NotFound)},
)
async def get_timeline(patient_id: PatientId, who: Reader, ctx: Context) -> Timeline:
    """Assessments, measured bone densities and fractures in the order of their dates, and the trend of each measure.

    A trend says whether a change is more than the measurement's own error (the least significant change).
    """
    patient = await ctx.patient_records.find(who, patient_id, "timeline read")
    entries = await _entries(ctx, patient)
    found = trends(entries, ctx.settings.least_significant_change_percent)
    return Timeline(patient_id=patient.reference, entries=entries, trends=found)


@router.post(
    f"{ONE}/measurements",
    summary="Add a measurement",
    status_code=HTTPStatus.CREATED,
    responses={**example_response(MEASUREMENT, HTTPStatus.CREATED), **problem_responses(NotFound)},
)
async def add_measurement(
    patient_id: PatientId,
    measured: Annotated[Measured, Body(examples=[MEASUREMENT["measured"]])],
    who: Writer,
    ctx: Context,
) -> MeasurementAnswer:
    """Add a T-score, a bone density or a fracture. A loss beyond the measurement's own error raises an alert."""
    patient = await ctx.patient_records.find(who, patient_id, "patient read")
    assessments = await ctx.assessments.of_patient(patient.id)
    before = await ctx.patient_records.measurements(patient)
    lsc = ctx.settings.least_significant_change_percent
    after = [*before, Measurement(patient.id, measured)]
    loss = bone_loss(timeline(assessments, before), timeline(assessments, after), lsc)
    watch = NewAlerts(list(loss), replaces=False, patient=patient.id, key=patient.data_key)
    made = await ctx.patient_records.add(patient, measured, watch, who)
    return MeasurementAnswer(id=made.id, measured=made.measured)


@router.get(
    f"{ONE}/export", summary="Export a patient", responses={**example_response(EXPORT), **problem_responses(NotFound)}
)
async def export_patient(patient_id: PatientId, who: Reader, ctx: Context) -> PatientExport:
    """Everything that is stored about one patient, with the trail of who read and wrote it."""
    patient = await ctx.patient_records.find(who, patient_id, "patient exported")
    stored = await ctx.assessments.of_patient(patient.id)
    measurements, moment = await ctx.patient_records.measurements(patient), now()
    alerts = await ctx.alerts.of_patient(patient.id, moment.date())
    trail = await ctx.patient_records.trail(patient, [one.assessment.id for one in stored])
    rule = ctx.settings.release_medication
    return PatientExport(
        exported_at=moment,
        id=patient.id,
        patient_id=patient.reference,
        created_at=patient.created_at,
        assessments=[
            AssessmentWithRecord(assessment=shown_to(who, one.assessment, rule), record=one.record) for one in stored
        ],
        measurements=[MeasurementAnswer(id=one.id, measured=one.measured) for one in measurements],
        alerts=[AlertAnswer.of(one, who) for one in alerts],
        trail=[TrailLine.model_validate(line, from_attributes=True) for line in trail],
    )


@router.get(ONE, summary="Get a patient", responses={**example_response(PATIENT), **problem_responses(NotFound)})
async def get_patient(patient_id: PatientId, who: Reader, ctx: Context) -> PatientAnswer:
    """One patient."""
    patient = await ctx.patient_records.find(who, patient_id, "patient read")
    last = await ctx.assessments.of_patient(patient.id, 1)
    return PatientAnswer.of(
        PatientInBrief(
            patient.id, patient.reference, patient.created_at, last[0].assessment.created_at if last else None
        )
    )


@router.delete(ONE, summary="Erase a patient", status_code=HTTPStatus.NO_CONTENT, responses=problem_responses(NotFound))
async def erase_patient(patient_id: PatientId, who: Writer, ctx: Context) -> None:
    """Destroy the patient's key and delete everything stored about them. There is no way back.

    The audit trail stays whole: it names the patient by an id that nothing else knows any more. A case that comes later
    under the same reference is a new patient's.
    """
    await ctx.patient_records.erase(await ctx.patient_records.find(who, patient_id, "patient read"), who)


async def _entries(ctx: AppContext, patient: Patient) -> list[Entry]:
    return timeline(await ctx.assessments.of_patient(patient.id), await ctx.patient_records.measurements(patient))
