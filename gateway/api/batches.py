"""`/v1/batches`: many cases as one job, with its progress."""

import datetime as dt
from collections.abc import AsyncIterable
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from gateway.api.deps import needs
from gateway.api.examples.batches import BATCH, CANCELLED, CASES, MANIFEST
from gateway.api.manifest import read_batch
from gateway.context import AppContext, get_context
from gateway.platform.identity.scopes import Principal
from gateway.platform.validators import Printable
from gateway.records.assessments import IdempotentRequest
from gateway.records.batches import BatchState, State
from shared.problem_responses import example_response, problem_responses
from shared.problems import (
    Conflict,
    InvalidInput,
    InvalidRecord,
    MissingInput,
    NotAuthenticated,
    NotAuthorised,
    NotFound,
    TooBusy,
    UploadStalled,
    UploadTooLarge,
)

router = APIRouter(prefix="/v1/batches", tags=["batches"], responses=problem_responses(NotAuthenticated, NotAuthorised))
Context = Annotated[AppContext, Depends(get_context)]
# Seconds between two looks at a batch that somebody follows.
LOOK_EVERY_S = 0.5
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["manifest"],
                    "properties": {
                        "manifest": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "The list of cases as JSON text or as a file (see the schema Manifest)",
                            "example": MANIFEST,
                        },
                        "image": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "The radiographs; the manifest names each by its file name",
                        },
                    },
                }
            }
        },
    }
}


class BatchSummary(BaseModel):
    """A batch and how far it is."""

    id: UUID
    created_at: dt.datetime
    state: Literal["working", "done", "cancelled"] = Field(description="`done` and `cancelled`: nothing goes on")
    total: int
    waiting: int
    working: int
    done: int
    failed: int
    cancelled: int

    @classmethod
    def of(cls, batch: BatchState) -> "BatchSummary":
        """As it travels."""
        open_cases = batch.counts["waiting"] + batch.counts["working"]
        ended = "cancelled" if batch.row.cancelled_at else "done"
        return cls(
            id=batch.row.id, created_at=batch.row.created_at, state="working" if open_cases else ended,
            total=sum(batch.counts.values()), **batch.counts,
        )  # fmt: skip


class BatchPage(BaseModel):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""

    items: list[BatchSummary]
    next: UUID | None


class CaseOfBatch(BaseModel):
    """One case: its assessment once it is `done`, the problem where it is `failed`."""

    position: int
    reference: str
    state: State
    assessment_id: UUID | None
    problem: dict[str, Any] | None


class CasePage(BaseModel):
    """One page in the order of the manifest; `next` is the `after` of the next page, null on the last one."""

    items: list[CaseOfBatch]
    next: int | None


async def clinic_reader(who: Annotated[Principal, Depends(needs("assessments:read"))]) -> Principal:
    """Somebody who may read the organisation's cases: batches are not for patients' own accounts."""
    return _of_the_clinic(who)


async def clinic_writer(who: Annotated[Principal, Depends(needs("assessments:write"))]) -> Principal:
    """Somebody who may hand in the organisation's cases."""
    return _of_the_clinic(who)


def _of_the_clinic(who: Principal) -> Principal:
    if who.patient_id is not None:
        raise NotAuthorised("Batches are for clinics; a patient's account sends one case at a time.")
    return who


Reader = Annotated[Principal, Depends(clinic_reader)]
Writer = Annotated[Principal, Depends(clinic_writer)]


@router.post(
    "",
    summary="Hand in a batch",
    status_code=HTTPStatus.ACCEPTED,
    openapi_extra=FORM,
    responses={
        **example_response(BATCH, HTTPStatus.ACCEPTED),
        **problem_responses(
            InvalidInput, InvalidRecord, MissingInput, UploadTooLarge, UploadStalled, Conflict, TooBusy
        ),
    },
)
async def make_batch(
    who: Writer,
    ctx: Context,
    request: Request,
    response: Response,
    idempotency_key: Annotated[Printable | None, Header(min_length=1, max_length=255)] = None,
) -> BatchSummary:
    """Hand in up to 1,000 cases at once. They are worked on when nobody waits for a single assessment.

    The batch is taken as a whole or not at all, and a restart of the gateway loses none of it. Each case gives one
    assessment or one problem. The same `Idempotency-Key` with the same batch gives the same batch again.
    """
    async with read_batch(request) as batch:
        idempotent = IdempotentRequest(idempotency_key, await batch.digest()) if idempotency_key else None
        made = await ctx.batches.add(batch, who, idempotent)
    ctx.waiting.announce()
    response.headers["Location"] = f"/v1/batches/{made.row.id}"
    return BatchSummary.of(made)


@router.get("", summary="List batches", responses=example_response({"items": [BATCH], "next": None}))
async def list_batches(
    who: Reader,
    ctx: Context,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
) -> BatchPage:
    """The organisation's batches, newest first."""
    found = await ctx.batches.page(who, limit + 1, before)
    following = found[limit - 1].row.id if len(found) > limit else None
    return BatchPage(items=[BatchSummary.of(one) for one in found[:limit]], next=following)


@router.get("/{batch_id}", summary="Get a batch", responses={**example_response(BATCH), **problem_responses(NotFound)})
async def get_batch(batch_id: UUID, who: Reader, ctx: Context) -> BatchSummary:
    """How far a batch is."""
    return BatchSummary.of(await ctx.batches.get(batch_id, who))


@router.get(
    "/{batch_id}/cases",
    summary="List a batch's cases",
    responses={**example_response(CASES), **problem_responses(NotFound)},
)
async def list_cases(
    batch_id: UUID,
    who: Reader,
    ctx: Context,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[int | None, Query(ge=0, le=2**31, description="`next` of the page before")] = None,
) -> CasePage:
    """Each case with its assessment or its problem, in the order of the manifest."""
    await ctx.batches.get(batch_id, who)
    rows = await ctx.batches.cases(batch_id, limit + 1, after)
    items = [CaseOfBatch.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return CasePage(items=items, next=items[-1].position if len(rows) > limit else None)


@router.post(
    "/{batch_id}/cancel",
    summary="Cancel a batch",
    responses={
        **example_response(CANCELLED),
        **problem_responses(NotFound),
    },
)
async def cancel_batch(batch_id: UUID, who: Writer, ctx: Context) -> BatchSummary:
    """Begin no further case. What is being worked on is finished, and what is done stays."""
    return BatchSummary.of(await ctx.batches.cancel(batch_id, who))


async def followed(batch_id: UUID, who: Reader, ctx: Context) -> BatchState:
    """The batch somebody wants to follow; asked before the stream begins, where an error can still be told."""
    return await ctx.batches.get(batch_id, who, "batch followed")


@router.get(
    "/{batch_id}/events",
    summary="Follow a batch",
    response_class=EventSourceResponse,
    responses=problem_responses(NotFound),
)
async def follow_batch(
    batch: Annotated[BatchState, Depends(followed)], ctx: Context
) -> AsyncIterable[ServerSentEvent]:  # fmt: skip
    """The progress as server-sent events: a `progress` whenever it changes, and a last one when the batch has ended.

    The data of an event is what `GET /v1/batches/{batch_id}` answers. A follower who comes back begins with the present
    state, so nothing needs to be resumed.
    """
    told = None
    while True:
        now = BatchSummary.of(await ctx.batches.state(batch.row.id, batch.row.organisation_id))
        if now != told:
            yield ServerSentEvent(event="progress", data=now)
            told = now
        if now.state != "working" or not await ctx.waiting.wait_or_stop(LOOK_EVERY_S):
            return
