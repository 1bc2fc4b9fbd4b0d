"""Restricted records: closing one, opening it by emergency access, and looking into who did."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from gateway.context import AppContext
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, one_of, required, text
from gateway.pages.page import PageRoute, describe_problem, older, page
from gateway.pages.sessions import CurrentUser
from gateway.records.emergency_accesses import LONGEST_NOTE, REASONS
from shared.problems import InvalidInput, NotAuthorised

router = APIRouter(include_in_schema=False, route_class=PageRoute)
A_PAGE = 50


@router.get("/patients/{patient_id}/emergency-access")
async def emergency_access_page(patient_id: UUID, request: Request, user: User, ctx: Context) -> Response:
    """The form that opens a restricted record."""
    return await _form(patient_id, request, user, ctx)


@router.post("/patients/{patient_id}/emergency-access")
async def begin(patient_id: UUID, request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Open a restricted record to the user for some hours."""
    who = await allowed(user, "patients:read", ctx)
    try:
        reason, note = one_of(form, "reason", REASONS), _note(form)
    except InvalidInput as error:
        return await _form(patient_id, request, user, ctx, form, error)
    await ctx.emergency_access.begin(who, patient_id, reason, note)
    return RedirectResponse(f"/patients/{patient_id}", HTTPStatus.SEE_OTHER)


@router.post("/patients/{patient_id}/restriction")
async def restrict(patient_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Close the record to everybody but the patient."""
    await ctx.patients.restrict(await allowed(user, "patients:write", ctx), patient_id)
    return RedirectResponse("/patients", HTTPStatus.SEE_OTHER)


@router.post("/patients/{patient_id}/restriction/lift")
async def lift(patient_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Open the record to the organisation again."""
    await ctx.patients.lift_restriction(await allowed(user, "admin", ctx), patient_id)
    return RedirectResponse(f"/patients/{patient_id}", HTTPStatus.SEE_OTHER)


@router.get("/administration/emergency-access")
async def emergency_accesses_page(request: Request, user: User, ctx: Context, before: UUID | None = None) -> Response:
    """Who opened restricted records and why, newest first; those that wait can be reviewed."""
    who = await allowed(user, "admin", ctx)
    found = await ctx.emergency_access.page(who, A_PAGE, before, None)
    actors = {actor for access in found.items for actor in (access.opened_by, access.reviewed_by) if actor}
    context: dict[str, Any] = {
        "rows": found.items,
        "emails": await ctx.accounts.emails(who, actors),
        "longest": LONGEST_NOTE,
        "following": older(request, "/administration/emergency-access", found.next),
    }
    return page(request, "emergency_accesses.html", **context)


@router.post("/administration/emergency-access/{access_id}/review")
async def review(access_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Say what came of looking into one."""
    who = await allowed(user, "admin", ctx)
    await ctx.emergency_access.review(access_id, who, _note(form))
    return RedirectResponse("/administration/emergency-access", HTTPStatus.SEE_OTHER)


async def _form(
    patient_id: UUID,
    request: Request,
    user: CurrentUser,
    ctx: AppContext,
    form: FormData | None = None,
    error: Exception | None = None,
) -> Response:
    who = await allowed(user, "patients:read", ctx)
    if not user.is_staff:
        raise NotAuthorised("Your own record is open to you: see “My history”.")
    number = await ctx.emergency_access.number_of(who, patient_id)
    problem = describe_problem(error) if error else None
    context: dict[str, Any] = {
        "patient_id": patient_id,
        "number": number,
        "hours": ctx.settings.emergency_access_hours,
        "reasons": REASONS,
        "longest": LONGEST_NOTE,
        "chosen": text(form, "reason") if form else "",
        "note": text(form, "note") if form else "",
        "problem": problem,
    }
    return page(
        request, "emergency_access.html", HTTPStatus(problem["status"]) if problem else HTTPStatus.OK, **context
    )


def _note(form: FormData) -> str:
    """What somebody wrote, on one line."""
    note = " ".join(required(form, "note", LONGEST_NOTE).split())
    if not note.isprintable():
        raise InvalidInput("note: use printable characters.", field="note")
    return note
