"""One patient under two numbers: what is proposed, merging, and taking apart again."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from gateway.context import AppContext
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, required, text
from gateway.pages.page import PageRoute, describe_problem, older, page
from gateway.pages.sessions import CurrentUser
from gateway.records.patient_merges import LONGEST_MERGE_NOTE, MERGE_STATUSES
from shared.problems import TrabeculaError

router = APIRouter(include_in_schema=False, route_class=PageRoute)
HERE, A_PAGE, LONGEST_NUMBER = "/administration/merges", 20, 64


@router.get(HERE)
async def merges_page(request: Request, user: User, ctx: Context, before: UUID | None = None) -> Response:
    """What was proposed and decided, newest first, and a form for one more."""
    return await _show(request, user, ctx, before)


@router.post(HERE)
async def propose(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Propose that two numbers are one patient's."""
    who = await allowed(user, "admin", ctx)
    try:
        retired, surviving = required(form, "retired", LONGEST_NUMBER), required(form, "surviving", LONGEST_NUMBER)
        note = " ".join(required(form, "note", LONGEST_MERGE_NOTE).split())
        await ctx.patient_merges.propose(who, retired, surviving, note)
    except TrabeculaError as error:
        return await _show(request, user, ctx, None, form, error)
    return RedirectResponse(HERE, HTTPStatus.SEE_OTHER)


@router.post(f"{HERE}/{{merge_id}}/confirm")
async def confirm(merge_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Merge them."""
    await ctx.patient_merges.merge(merge_id, await allowed(user, "admin", ctx))
    return RedirectResponse(HERE, HTTPStatus.SEE_OTHER)


@router.post(f"{HERE}/{{merge_id}}/refuse")
async def refuse(merge_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """They are two people."""
    await ctx.patient_merges.refuse(merge_id, await allowed(user, "admin", ctx))
    return RedirectResponse(HERE, HTTPStatus.SEE_OTHER)


@router.post(f"{HERE}/{{merge_id}}/undo")
async def undo(merge_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Take them apart again."""
    await ctx.patient_merges.undo(merge_id, await allowed(user, "admin", ctx))
    return RedirectResponse(HERE, HTTPStatus.SEE_OTHER)


async def _show(
    request: Request,
    user: CurrentUser,
    ctx: AppContext,
    before: UUID | None,
    form: FormData | None = None,
    error: Exception | None = None,
) -> Response:
    who = await allowed(user, "admin", ctx)
    found = await ctx.patient_merges.page(who, A_PAGE, before, MERGE_STATUSES)
    actors = {merge.proposed_by for merge in found.items}
    actors |= {by for merge in found.items for by in (merge.decided_by, merge.undone_by) if by}
    problem = describe_problem(error) if error else None
    context: dict[str, Any] = {
        "rows": found.items,
        "emails": await ctx.accounts.emails(who, actors),
        "longest": LONGEST_MERGE_NOTE,
        "following": older(request, HERE, found.next),
        "given": {name: text(form, name) if form else "" for name in ("retired", "surviving", "note")},
        "problem": problem,
    }
    status = HTTPStatus(problem["status"]) if problem else HTTPStatus.OK
    return page(request, "merges.html", status, **context)
