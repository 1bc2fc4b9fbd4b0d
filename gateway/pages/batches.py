"""Many films as one job: handing them in, how far it is, and each film's result or what was wrong with it."""

from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from gateway.assessing.batches import MOST_CASES, refuse_patients
from gateway.assessing.case import read_record
from gateway.assessing.film_list import FILE, ListedFilm, read_list
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import LARGEST_FIELD_BYTES, Posted, text
from gateway.pages.page import PageRoute, current_user, describe_problem, older, page
from gateway.pages.sessions import sessions_of
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Window
from gateway.platform.validators import checked_patient_number
from gateway.records.batches import Batch, BatchCase
from shared.problem_responses import joined
from shared.problems import InvalidInput, InvalidRecord, MissingInput

router = APIRouter(include_in_schema=False, route_class=PageRoute)
BATCHES_A_PAGE, CASES_A_PAGE = 20, 100
LARGEST_LIST_BYTES = 2_000_000
# Characters of a film's name that a case keeps.
LONGEST_REFERENCE = 64


async def writer(user: User, ctx: Context) -> Principal:
    """Somebody who may hand in the clinic's cases; asked before the form is read."""
    who = await allowed(user, "assessments:write", ctx)
    refuse_patients(who)
    return who


async def posted_films(request: Request, who: Annotated[Principal, Depends(writer)]) -> AsyncIterator[FormData]:
    """The form with the films, which stay in files until they are read one by one.

    Raises:
        NotAuthorised: its token is not of this session.
    """
    async with request.form(max_files=MOST_CASES + 1, max_fields=4, max_part_size=LARGEST_FIELD_BYTES) as form:
        sessions_of(request).check_form(current_user(request), form.get("csrf"))
        yield form


@router.get("/batches")
async def batches_page(request: Request, user: User, ctx: Context, before: UUID | None = None) -> Response:
    """The clinic's batches, newest first, and the form for another one."""
    return await _batches(request, user, ctx, before)


@router.post("/batches")
async def hand_in(
    request: Request,
    who: Annotated[Principal, Depends(writer)],
    form: Annotated[FormData, Depends(posted_films)],
    user: User,
    ctx: Context,
) -> Response:
    """Take the films as one job; what cannot be used is told on the same page."""
    try:
        batch = Batch(await _cases(form))
    except InvalidInput as error:
        return await _batches(request, user, ctx, None, describe_problem(error))
    state, _ = await ctx.batches.submit(batch, who, text(form, "key") or None)
    return RedirectResponse(f"/batches/{state.id}", HTTPStatus.SEE_OTHER)


@router.get("/batches/{batch_id}")
async def batch_page(
    batch_id: UUID, request: Request, user: User, ctx: Context, after: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """One batch: how far it is, and its films."""
    who = await allowed(user, "assessments:read", ctx)
    batch = await ctx.batches.get(batch_id, who)
    cases = await ctx.batches.cases(batch_id, who, CASES_A_PAGE, after)
    following = f"/batches/{batch_id}?after={cases.next}" if cases.next is not None else None
    return page(request, "batch.html", batch=batch, cases=cases.items, following=following)


@router.post("/batches/{batch_id}/cancel")
async def cancel(batch_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Begin no further film of it."""
    await ctx.batches.cancel(batch_id, await allowed(user, "assessments:write", ctx))
    return RedirectResponse(f"/batches/{batch_id}", HTTPStatus.SEE_OTHER)


async def _batches(
    request: Request, user: User, ctx: Context, before: UUID | None, problem: dict[str, Any] | None = None
) -> Response:
    who = await allowed(user, "assessments:read", ctx)
    batches = await ctx.batches.page(who, BATCHES_A_PAGE, Window(before))
    context = {
        "rows": batches.items,
        "following": older(request, "/batches", batches.next),
        "problem": problem,
        "key": uuid4(),
        "most": MOST_CASES,
        "most_bytes": ctx.settings.max_batch_bytes,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return page(request, "batches.html", status, **context)


async def _cases(form: FormData) -> list[BatchCase]:
    """The films that were chosen, with what the list says of each where there is one.

    Raises:
        MissingInput: no film was chosen.
        InvalidInput: films and list do not fit together, or the list cannot be used; its line is named.
    """
    films = _films(form)
    lines = await _list(form)
    if lines is None:
        return [_case(name, None, film) for name, film in films.items()]
    named = [PurePosixPath(line.file.replace("\\", "/")).name for line in lines]
    for line, name in zip(lines, named, strict=True):
        if name not in films:
            raise InvalidInput(f"Line {line.line} of the list names '{name}', which was not chosen.", field="films")
        if named.count(name) > 1:
            raise InvalidInput(f"The list names '{name}' more than once.", field="list")
    if unnamed := sorted(set(films) - set(named)):
        raise InvalidInput(f"The film '{unnamed[0]}' was chosen, and the list does not name it.", field="list")
    return [_case(name, line, films[name]) for line, name in zip(lines, named, strict=True)]


def _films(form: FormData) -> dict[str, UploadFile]:
    films: dict[str, UploadFile] = {}
    for part in form.getlist("films"):
        if not isinstance(part, UploadFile) or not part.filename:
            continue  # what a browser sends where nothing was chosen
        if part.filename in films:
            raise InvalidInput(f"Two films are called '{part.filename}': rename one.", field="films")
        films[part.filename] = part
    if not films:
        raise MissingInput("Choose at least one film.", field="films")
    if len(films) > MOST_CASES:
        raise InvalidInput(f"{len(films)} films: a batch takes {MOST_CASES}.", field="films")
    return films


async def _list(form: FormData) -> list[ListedFilm] | None:
    part = form.get("list")
    if not isinstance(part, UploadFile) or not part.filename:
        return None
    content = await part.read(LARGEST_LIST_BYTES + 1)
    if len(content) > LARGEST_LIST_BYTES:
        raise InvalidInput(f"The list is larger than {LARGEST_LIST_BYTES / 1e6:g} MB.", field="list")
    try:
        lines = read_list(content.decode("utf-8-sig"), "The list")
    except UnicodeDecodeError as error:
        raise InvalidInput("The list is no text in UTF-8: save it as 'CSV UTF-8'.", field="list") from error
    if not lines:
        raise InvalidInput(f"The list is empty: it needs a heading with `{FILE}`, and a line a film.", field="list")
    return lines


def _case(name: str, line: ListedFilm | None, film: UploadFile) -> BatchCase:
    risk = None
    if line is not None and line.record:
        try:
            risk = read_record(dict(line.record))
        except InvalidRecord as error:
            columns = [
                {**wrong, "field": wrong["field"].removeprefix("clinical.")} for wrong in error.members["errors"]
            ]
            raise InvalidInput(f"Line {line.line} of the list: {joined(columns)}", field="list") from error
    number = checked_patient_number(line.patient_number) if line else None
    return BatchCase(name[-LONGEST_REFERENCE:], number, risk, partial(_read, film))


async def _read(film: UploadFile) -> bytes:
    await film.seek(0)
    return await film.read()
