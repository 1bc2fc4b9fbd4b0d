"""A new assessment: the form, and the progress of what it sends."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import APIRouter, Header, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from gateway.assessing.case import Case, read_record
from gateway.assessing.cases import CaseContext, PatientFacts
from gateway.assessing.patient_views import PatientView
from gateway.context import AppContext
from gateway.pages.deps import Admitted, Context, User, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import (
    OpenPageRoute,
    PageRoute,
    current_user,
    describe_problem,
    page,
    rendered,
    translator_of,
    wants_json,
)
from gateway.pages.questions import DENSITY_ROWS, DEVICES, FRACTURE_ROWS, MEASURES, SECTIONS, record_of
from gateway.pages.results import audience_of, result_context
from gateway.pages.sessions import CurrentUser, sessions_of
from gateway.platform.identity.scopes import Principal
from gateway.platform.validators import Printable, checked_patient_number
from gateway.records.rendering_kinds import png_bytes
from gateway.reports.picture import for_screen
from shared.contracts.assessment import Component
from shared.problems import Conflict, MissingInput, PatientRestricted

router = APIRouter(include_in_schema=False, route_class=PageRoute)
open_router = APIRouter(include_in_schema=False, route_class=OpenPageRoute)
FORM: dict[str, Any] = {
    "sections": SECTIONS,
    "fracture_rows": FRACTURE_ROWS,
    "density_rows": DENSITY_ROWS,
    "measures": MEASURES,
    "devices": DEVICES,
}


@router.get("/new")
async def new_page(request: Request, user: User, ctx: Context, patient: UUID | None = None) -> Response:
    """The form: a picture, questions, or both; for a patient with a fixed number, and age, sex and height filled in."""
    who = await allowed(user, "assessments:write", ctx)
    if patient is None:
        return page(request, "new.html", **_form())
    of = await ctx.patients.get(await allowed(user, "patients:read", ctx), patient)
    if of.patient_number is None:
        raise Conflict("This patient has no number of the clinic's: only their own account sends their assessments.")
    return page(request, "new.html", **_form(patient=of, facts=await ctx.patients.facts(who, patient)))


@open_router.get("/new/offline")
async def offline_page(request: Request) -> Response:
    """The same form with nothing of anybody in it: what a device keeps for the time without a connection."""
    return page(request, "new.html", user=CurrentUser(""), **_form(offline=True))


def _form(
    patient: PatientView | None = None, facts: PatientFacts | None = None, *, offline: bool = False
) -> dict[str, Any]:
    known = {"age": facts.age, "gender": facts.gender, "height_cm": facts.height_cm} if facts else {}
    prefilled = {name: value for name, value in known.items() if value is not None}
    return {**FORM, "patient": patient, "facts": facts, "prefilled": prefilled, "offline": offline}


@open_router.get("/session")
async def session(request: Request, user: User) -> Response:
    """Who is signed in, the token of forms, and what opens forms that were kept: also for a page from the cache."""
    sessions, account = sessions_of(request), user.who.id if user.who else None
    told = {"account": account, "form_token": sessions.form_token(user), "draft_key": sessions.draft_key(user)}
    return JSONResponse(told)


@router.post("/new")
async def assess(
    request: Request,
    who: Admitted,  # before the form is read
    form: Posted,
    ctx: Context,
    idempotency_key: Annotated[Printable | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Assess what the form holds. A script gets each part as it is over, as lines of JSON; a browser the result."""
    case = await case_of(form)
    if wants_json(request):
        lines = _lines(request, ctx, who, case, idempotency_key)
        return StreamingResponse(lines, media_type="application/x-ndjson", headers={"X-Accel-Buffering": "no"})
    result = await ctx.assessments.assess_case(who, case, idempotency_key, with_renderings=False)
    return RedirectResponse(f"/assessments/{result.visible.assessment.id}", HTTPStatus.SEE_OTHER)


async def case_of(form: FormData) -> Case:
    """The case of a form.

    Raises:
        MissingInput: neither a picture nor an answer.
        InvalidRecord: an answer that cannot be used.
    """
    part, record = form.get("image"), record_of(form)
    image = await part.read() if isinstance(part, UploadFile) and part.filename else None
    if not image and not record:
        raise MissingInput("Add a picture, answer the questions, or both.")
    risk = read_record(record) if record else None
    return Case(image or None, risk, checked_patient_number(text(form, "patient_number")))


async def _lines(
    request: Request, ctx: AppContext, who: Principal, case: Case, idempotency_key: str | None
) -> AsyncIterator[str]:
    """What a script gets: `{"part": ...}` as each is over, then the result, then its pictures one by one."""
    parts: asyncio.Queue[Component | None] = asyncio.Queue()
    work = asyncio.create_task(ctx.assessments.assess_case(who, case, idempotency_key, True, parts.put_nowait))
    work.add_done_callback(lambda _: parts.put_nowait(None))
    try:
        while part := await parts.get():
            yield _line(part=part)
        result = await work
    except Exception as error:
        problem = describe_problem(error)
        t = translator_of(request)
        said = t.problem(problem["slug"], problem.get("reason"), problem["detail"])
        yield _line(problem=problem | {"title": t.term("problem", problem["slug"]), "detail": said.text})
        return
    finally:
        work.cancel()
    address = f"/assessments/{result.visible.assessment.id}"
    who_reads = audience_of(current_user(request))
    content = await ctx.assessments.content_of(result.visible, case.risk, who_reads)
    renderings = result.findings.renderings if result.findings else {}
    context = result_context(request, ctx, content, pictures="page" if renderings else None)
    above = await _above(ctx, result.visible.assessment.id, who)
    html = rendered(request, "_result.html", case=above, back=address, **context)
    yield _line(address=address, html=html)
    # They are in this answer and, unless the site keeps them, nowhere.
    for kind, png in png_bytes(renderings).items():
        webp = await anyio.to_thread.run_sync(for_screen, png)
        yield _line(picture=kind, webp=base64.b64encode(webp).decode("ascii"))


async def _above(ctx: AppContext, assessment_id: UUID, who: Principal) -> CaseContext | None:
    """What stands above the result for staff; a sender gets the answer of a restricted patient without it."""
    try:
        return None if who.is_patient else await ctx.cases.context(assessment_id, who)
    except PatientRestricted:
        return None


def _line(**members: Any) -> str:
    return json.dumps(members, ensure_ascii=False) + "\n"
