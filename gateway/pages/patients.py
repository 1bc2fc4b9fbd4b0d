"""Patients: the list, one patient's years, what a clinician adds, an invitation, everything to take away, erasure."""

import json
from http import HTTPStatus
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.api.alerts import list_alerts
from gateway.api.invitations import InvitationRequest, invite
from gateway.api.patients import (
    add_measurement,
    erase_patient,
    export_patient,
    get_patient,
    get_timeline,
    list_patients,
)
from gateway.pages.chart import drawn
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, day, number, text
from gateway.pages.page import Page, older, page
from gateway.pages.questions import DEVICES, SECTIONS
from gateway.records.alerts import AlertState
from gateway.records.measurement import read_measured_json
from shared.problems import Conflict, NotFound

router = APIRouter(include_in_schema=False, route_class=Page)
OPTIONS = {question.name: question.options for section in SECTIONS for question in section.questions}
FORM: dict[str, Any] = {
    "density_sites": OPTIONS["densities"], "fracture_sites": OPTIONS["prior_fractures"], "devices": DEVICES,
}  # fmt: skip


@router.get("/patients")
async def patients_page(
    request: Request,
    user: User,
    ctx: Context,
    search: Annotated[str, Query(max_length=64)] = "",
    before: UUID | None = None,
) -> Response:
    """The organisation's patients, newest first; a patient number leads straight to the patient."""
    who = await allowed(user, "patients:read", ctx)
    missing = False
    if search.strip():
        try:
            found = await get_patient(search.strip(), who, ctx)
        except NotFound:
            missing = True
        else:
            return RedirectResponse(f"/patients/{found.id}", HTTPStatus.SEE_OTHER)
    listed = await list_patients(who, ctx, 50, before)
    following = older(request, "/patients", listed.next)
    return page(
        request, "patients.html", rows=listed.items, search=search, missing=missing, following=following
    )  # fmt: skip


@router.get("/patients/{patient_id}")
async def patient_page(patient_id: UUID, request: Request, user: User, ctx: Context) -> Response:
    """One patient: what is open, how what was measured went, everything in the order of its date."""
    return await _patient(request, user, ctx, patient_id)


@router.post("/patients/{patient_id}/measurements")
async def add_here(patient_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Add a T-score, a bone density or a fracture."""
    who = await allowed(user, "patients:write", ctx)
    measured = read_measured_json(json.dumps(_measured(form), default=str).encode())
    await add_measurement(str(patient_id), measured, who, ctx)
    return RedirectResponse(f"/patients/{patient_id}?done=measurement", HTTPStatus.SEE_OTHER)


@router.post("/patients/{patient_id}/invitation")
async def invite_here(patient_id: UUID, request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Invite the patient to an account of their own; the code is shown this once."""
    who = await allowed(user, "patients:write", ctx)
    patient = await get_patient(str(patient_id), who, ctx)
    if patient.patient_id is None:
        raise Conflict("This patient registered without the clinic and has an account already.")
    wanted = InvitationRequest(email=text(form, "email"), role="patient", patient_reference=patient.patient_id)
    made = await invite(wanted, who, ctx)
    link = f"{request.base_url}invitation#{made.token}"
    return await _patient(request, user, ctx, patient_id, invitation=made, link=link)


@router.get("/patients/{patient_id}/export.json")
async def export_here(patient_id: UUID, user: User, ctx: Context) -> Response:
    """Everything that is stored about the patient, as a file."""
    who = await allowed(user, "patients:read", ctx)
    told = await export_patient(str(patient_id), who, ctx)
    headers = {"Content-Disposition": f'attachment; filename="patient-{patient_id}.json"'}
    return Response(told.model_dump_json(indent=1), media_type="application/json", headers=headers)


@router.post("/patients/{patient_id}/erasure")
async def erase_here(patient_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Erase the patient, after the number was typed once more."""
    who = await allowed(user, "patients:write", ctx)
    patient = await get_patient(str(patient_id), who, ctx)
    if text(form, "again") != (patient.patient_id or str(patient_id)):
        raise Conflict("Nothing was erased: the number that you typed is not this patient's.")
    await erase_patient(str(patient_id), who, ctx)
    return RedirectResponse("/patients?erased=1", HTTPStatus.SEE_OTHER)


async def _patient(request: Request, user: User, ctx: Context, patient_id: UUID, **more: Any) -> Response:
    who = await allowed(user, "patients:read", ctx)
    patient = await get_patient(str(patient_id), who, ctx)
    told = await get_timeline(str(patient_id), who, ctx)
    alerts = await list_alerts(who, ctx, list(get_args(AlertState)), 100, None)
    return page(
        request, "patient.html", patient=patient, entries=list(reversed(told.entries)),
        trends=[(trend, drawn(trend)) for trend in told.trends],
        alerts=[one for one in alerts.items if one.patient == patient.id],
        **{"invitation": None, "link": "", **FORM, **more},
    )  # fmt: skip


def _measured(form: Posted) -> dict[str, Any]:
    kind = text(form, "kind")
    found: dict[str, Any] = {"kind": kind, "date": day(form, "date")}
    if kind == "fracture":
        cause = text(form, "low_trauma")
        return found | {"site": text(form, "fracture_site"), "low_trauma": cause == "yes" if cause else None}
    found |= {"site": text(form, "site")}
    value = number(form, "value")
    if kind == "bone_density":
        return found | {"g_per_cm2": value, "device": text(form, "device") or None}
    return found | {"value": value}
