"""A new assessment: the form, and the way of what it sends, told while it is going on."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from gateway.assessing.case import Case, checked_patient_id, read_risk
from gateway.assessing.make import Made, make
from gateway.context import AppContext
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import OpenPage, Page, page, rendered, told, wants_json
from gateway.pages.questions import DENSITY_ROWS, DEVICES, FRACTURE_ROWS, MEASURES, SECTIONS, record_of
from gateway.pages.results import shown
from gateway.pages.sessions import CurrentUser, sessions_of
from gateway.platform.identity.scopes import Principal
from gateway.platform.validators import Printable
from shared.contracts.assessment import Component
from shared.problems import MissingInput

router = APIRouter(include_in_schema=False, route_class=Page)
open_router = APIRouter(include_in_schema=False, route_class=OpenPage)
FORM: dict[str, Any] = {
    "sections": SECTIONS, "fracture_rows": FRACTURE_ROWS, "density_rows": DENSITY_ROWS, "measures": MEASURES,
    "devices": DEVICES,
}  # fmt: skip


@router.get("/new")
async def new_page(request: Request, user: User, ctx: Context) -> Response:
    """The form: a picture, questions, or both."""
    await allowed(user, "assessments:write", ctx)
    return page(request, "new.html", offline=False, **FORM)


@open_router.get("/new/offline")
async def offline_page(request: Request) -> Response:
    """The same form with nothing of anybody in it: what a device keeps for the time without a link."""
    return page(request, "new.html", offline=True, user=CurrentUser(""), **FORM)


@open_router.get("/session")
async def session(request: Request, user: User) -> Response:
    """For a page that was opened without a link, or kept open long: is somebody signed in, and the token of forms."""
    account = user.who.id if user.who else None
    return JSONResponse({"account": account, "form_token": sessions_of(request).form_token(user)})


@router.post("/new")
async def assess_here(
    request: Request,
    form: Posted,
    user: User,
    ctx: Context,
    idempotency_key: Annotated[Printable | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Assess what the form holds. A script gets each part as it is over, as lines of JSON; a browser the result."""
    who = await allowed(user, "assessments:write", ctx)
    case = await case_of(form)
    if wants_json(request):
        lines = _lines(request, ctx, who, case, idempotency_key)
        return StreamingResponse(lines, media_type="application/x-ndjson", headers={"X-Accel-Buffering": "no"})
    made = await make(ctx, who, case, idempotency_key, False)
    return RedirectResponse(f"/assessments/{made.assessment.id}", HTTPStatus.SEE_OTHER)


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
    risk = read_risk(json.dumps(record), "bone_density") if record else None
    return Case(image or None, risk, checked_patient_id(text(form, "patient_id")))


async def _lines(
    request: Request, ctx: AppContext, who: Principal, case: Case, idempotency_key: str | None
) -> AsyncIterator[str]:
    """What a script is told: `{"part": ...}` as each is over, then the result, then its pictures one by one."""
    parts: asyncio.Queue[Component | None] = asyncio.Queue()
    work = asyncio.create_task(make(ctx, who, case, idempotency_key, True, parts.put_nowait))
    work.add_done_callback(lambda _: parts.put_nowait(None))
    try:
        while part := await parts.get():
            yield _line(part=part)
        made = await work
    except Exception as error:
        problem = told(error)
        yield _line(problem=problem | {"title": _title(request, problem["slug"])})
        return
    finally:
        work.cancel()
    for line in _result(request, ctx, made):
        yield line


def _result(request: Request, ctx: AppContext, made: Made) -> list[str]:
    """The result without its pictures, then those: they are in this answer and, unless the site keeps them, nowhere."""
    found = made.findings.pictures if made.findings else {}
    html = rendered(request, "_result.html", **shown(request, ctx, made.assessment, pictures="page" if found else None))
    first = _line(address=f"/assessments/{made.assessment.id}", html=html)
    return [first, *(_line(picture=kind, png=picture.png_base64) for kind, picture in found.items())]


def _line(**members: Any) -> str:
    return json.dumps(members, ensure_ascii=False) + "\n"


def _title(request: Request, slug: str) -> str:
    found: str = request.state.words.term("problem", slug)
    return found
