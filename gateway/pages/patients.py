"""Patients: the list, one patient's years, what a clinician adds, an invitation, everything to take away, erasure."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from gateway.assessing.accounts import InvitationWanted
from gateway.pages.chart import drawings
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, day, email_address, number, text
from gateway.pages.once import sent_on, told_once
from gateway.pages.page import PageRoute, describe_problem, older, page, translator_of
from gateway.pages.questions import DEVICES, SECTIONS
from gateway.records.measurement import read_measured
from gateway.records.windows import MOST_COUNTED
from shared.problems import Conflict, InvalidInput, NotFound

router = APIRouter(include_in_schema=False, route_class=PageRoute)
OPTIONS = {question.name: question.options for section in SECTIONS for question in section.questions}
FORM: dict[str, Any] = {
    "density_sites": OPTIONS["densities"],
    "fracture_sites": OPTIONS["prior_fractures"],
    "devices": DEVICES,
}
A_PAGE = 50
FIELDS = ("date", "site", "value", "device", "fracture_site", "low_trauma")


@router.get("/patients")
async def patients_page(
    request: Request,
    user: User,
    ctx: Context,
    search: Annotated[str, Query(max_length=64)] = "",
    before: UUID | None = None,
) -> Response:
    """The organisation's patients, newest first; a whole number leads straight to the patient, a part to a list."""
    who = await allowed(user, "patients:read", ctx)
    if who.is_patient:
        return RedirectResponse("/history", HTTPStatus.SEE_OTHER)
    number = "".join(filter(str.isprintable, search)).strip()
    if number and before is None:
        try:
            patient = await ctx.patients.get(who, number)
        except NotFound:
            pass  # no whole number: a part of some, or of none
        else:
            return RedirectResponse(f"/patients/{patient.id}", HTTPStatus.SEE_OTHER)
    patients = await ctx.patients.page(who, A_PAGE, before, number)
    context: dict[str, Any] = {
        "rows": patients.items,
        "search": number,
        "total": await ctx.patients.count(who, number),
        "most_counted": MOST_COUNTED,
        "following": older(request, "/patients", patients.next),
    }
    return page(request, "patients.html", **context)


@router.get("/patients/{patient_id}")
async def patient_page(patient_id: UUID, request: Request, user: User, ctx: Context) -> Response:
    """One patient: what is open, how what was measured went, everything in the order of its date."""
    return await _patient(request, user, ctx, patient_id)


@router.post("/patients/{patient_id}/measurements")
async def add_measurement(patient_id: UUID, request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Add a T-score, a bone density or a fracture; what cannot be used is told at its field."""
    who = await allowed(user, "patients:write", ctx)
    try:
        measured = read_measured(_measured(form))
    except (InvalidInput, ValidationError) as error:
        errors = _errors(request, describe_problem(error))
        return await _patient(request, user, ctx, patient_id, errors=errors, typed=_typed(form))
    await ctx.patients.add_measurement(who, patient_id, measured)
    return RedirectResponse(f"/patients/{patient_id}?done=measurement", HTTPStatus.SEE_OTHER)


@router.post("/patients/{patient_id}/invitation")
async def invite(patient_id: UUID, request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Invite the patient to an account of their own; the code is shown this once."""
    who = await allowed(user, "patients:write", ctx)
    patient = await ctx.patients.get(who, patient_id)
    if patient.patient_number is None:
        raise Conflict("This patient registered without the clinic and has an account already.")
    wanted = InvitationWanted(email_address(form, "email"), "patient", patient.patient_number)
    new, _ = await ctx.accounts.invite(wanted, who)
    link = f"{request.base_url}invitation#{new.token}"
    return sent_on(request, user, f"/patients/{patient_id}", email=new.of.email, link=link)


@router.get("/patients/{patient_id}/export.json")
async def export(patient_id: UUID, user: User, ctx: Context) -> Response:
    """Everything that is stored about the patient, as a file."""
    who = await allowed(user, "patients:read", ctx)
    exported = await ctx.patients.export(who, patient_id)
    headers = {"Content-Disposition": f'attachment; filename="patient-{patient_id}.json"'}
    return Response(exported.model_dump_json(indent=1), media_type="application/json", headers=headers)


@router.post("/patients/{patient_id}/erasure")
async def erase(patient_id: UUID, request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Erase the patient, after the number was typed once more."""
    who = await allowed(user, "patients:write", ctx)
    patient = await ctx.patients.get(who, patient_id)
    if text(form, "again") != (patient.patient_number or str(patient_id)):
        errors = {"again": translator_of(request)("erase.again_wrong")}
        return await _patient(request, user, ctx, patient_id, HTTPStatus.CONFLICT, errors=errors, typed=_typed(form))
    await ctx.patients.erase(who, patient_id)
    return RedirectResponse("/patients?erased=1", HTTPStatus.SEE_OTHER)


async def _patient(
    request: Request,
    user: User,
    ctx: Context,
    patient_id: UUID,
    status: HTTPStatus = HTTPStatus.OK,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    who = await allowed(user, "patients:read", ctx)
    patient = await ctx.patients.get(who, patient_id)
    timeline = await ctx.patients.timeline(who, patient_id)
    context = {
        "patient": patient,
        "facts": await ctx.patients.facts(who, patient_id),
        "entries": list(reversed(timeline.entries)),
        "trends": drawings(timeline.trends, timeline.entries, await ctx.patients.treatments(who, patient_id)),
        "alerts": await ctx.patients.open_alerts(who, patient_id),
        "open_until": await ctx.emergency_access.open_until(who, patient_id) if patient.restricted else None,
        "told": told_once(request, user),
        "errors": errors or {},
        "typed": typed or {},
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors and status == HTTPStatus.OK else status
    return page(request, "patient.html", status, **context, **FORM)


def _typed(form: Posted) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str) and name != "csrf"}


def _errors(request: Request, problem: dict[str, Any]) -> dict[str, str]:
    """What is wrong by the form's fields, in the reader's words."""
    t, names = translator_of(request), {"g_per_cm2": "value"}
    told = problem.get("errors") or [{"field": problem.get("field") or "value"}]
    fields = [str(one["field"]).split(".")[-1] for one in told]
    wrong = {name if (name := names.get(field, field)) in FIELDS else "value" for field in fields}
    return {name: t(f"measure.bad_{name}" if name in ("value", "date") else "measure.bad_other") for name in wrong}


def _measured(form: Posted) -> dict[str, Any]:
    kind = text(form, "kind")
    fields: dict[str, Any] = {"kind": kind, "date": day(form, "date")}
    if kind == "fracture":
        cause = text(form, "low_trauma")
        return fields | {"site": text(form, "fracture_site"), "low_trauma": cause == "yes" if cause else None}
    fields |= {"site": text(form, "site")}
    value = number(form, "value")
    if kind == "bone_density":
        return fields | {"g_per_cm2": value, "device": text(form, "device") or None}
    return fields | {"value": value}
