"""`/v1/batches`: many cases as one job, with its progress."""

import datetime as dt
import json
from collections.abc import AsyncIterable, Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from gateway.api.batch_form import read_batch
from gateway.api.deps import (
    AssessmentReader,
    AssessmentWriter,
    IdempotencyKey,
    Limit,
    Wanted,
    note_repeat,
    still_valid,
)
from gateway.api.examples.batches import BATCH, CANCELLED, CASES, MANIFEST
from gateway.assessing.batches import refuse_patients
from gateway.context import Context
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page
from gateway.records.batches import BatchState, CaseOfBatch, CaseState
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
                            "description": "The list of cases as JSON, as text or as a file",
                            "allOf": [{"$ref": "#/components/schemas/Manifest"}],
                            "examples": [json.loads(MANIFEST)],
                        },
                        "image": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "The radiographs; the manifest names each by its file name",
                        },
                    },
                },
                "encoding": {"manifest": {"contentType": "application/json"}},
            }
        },
    }
}


class BatchView(BaseModel):
    """A batch and how far it is."""

    id: UUID
    created_at: dt.datetime
    status: Literal["working", "done", "cancelled"] = Field(description="`done` and `cancelled`: nothing goes on")
    total: int
    waiting: int
    working: int
    done: int
    failed: int
    cancelled: int

    @classmethod
    def of(cls, batch: BatchState) -> "BatchView":
        """As it travels."""
        ended = "cancelled" if batch.cancelled_at else "done"
        return cls(
            id=batch.id,
            created_at=batch.created_at,
            status="working" if batch.is_open else ended,
            total=sum(batch.counts.values()),
            **batch.counts,
        )


class BatchPage(Page[BatchView, UUID]):
    """One page; `next` is the `before` of the next one, or the `after` where that was sent; null on the last."""


class BatchCaseView(BaseModel):
    """One case: its assessment once it is `done`, the problem where it is `failed` and the record is not restricted."""

    position: int
    reference: str
    status: CaseState
    assessment_id: UUID | None
    problem: dict[str, Any] | None

    @classmethod
    def of(cls, case: CaseOfBatch) -> "BatchCaseView":
        """As it travels."""
        return cls(
            position=case.position,
            reference=case.reference,
            status=case.state,
            assessment_id=case.assessment_id,
            problem=case.problem,
        )


class BatchCasePage(Page[BatchCaseView, int]):
    """One page in the order of the manifest; `next` is the `after` of the next page, null on the last one."""


async def clinic_writer(who: AssessmentWriter) -> Principal:
    """Somebody who may hand in the organisation's cases; asked before the body is read."""
    refuse_patients(who)
    return who


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
    who: Annotated[Principal, Depends(clinic_writer)],
    ctx: Context,
    request: Request,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> BatchView:
    """Hand in up to 1,000 cases at once. They are worked on when nobody waits for a single assessment.

    The batch is taken as a whole or not at all, and a restart of the gateway loses none of it. Each case gives one
    assessment or one problem. The same `Idempotency-Key` with the same batch gives the same batch again.
    """
    async with read_batch(request) as batch:
        state, is_repeated = await ctx.batches.submit(batch, who, idempotency_key)
    note_repeat(response, is_repeated)
    response.headers["Location"] = f"/v1/batches/{state.id}"
    return BatchView.of(state)


@router.get("", summary="List batches", responses=example_response({"items": [BATCH], "next": None}))
async def list_batches(who: AssessmentReader, ctx: Context, window: Wanted, limit: Limit = 20) -> BatchPage:
    """The organisation's batches, newest first; with `after` oldest first."""
    return (await ctx.batches.page(who, limit, window)).to(BatchPage, BatchView.of)


@router.get("/{batch_id}", summary="Get a batch", responses={**example_response(BATCH), **problem_responses(NotFound)})
async def get_batch(batch_id: UUID, who: AssessmentReader, ctx: Context) -> BatchView:
    """How far a batch is."""
    return BatchView.of(await ctx.batches.get(batch_id, who))


@router.get(
    "/{batch_id}/cases",
    summary="List a batch's cases",
    responses={**example_response(CASES), **problem_responses(NotFound)},
)
async def list_cases(
    batch_id: UUID,
    who: AssessmentReader,
    ctx: Context,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[int | None, Query(ge=0, le=2**31, description="`next` of the page before")] = None,
) -> BatchCasePage:
    """Each case with its assessment or its problem, in the order of the manifest."""
    return (await ctx.batches.cases(batch_id, who, limit, after)).to(BatchCasePage, BatchCaseView.of)


@router.post(
    "/{batch_id}/cancel",
    summary="Cancel a batch",
    responses={**example_response(CANCELLED), **problem_responses(NotFound)},
)
async def cancel_batch(batch_id: UUID, who: AssessmentWriter, ctx: Context) -> BatchView:
    """Begin no further case. What is being worked on is finished, and what is done stays."""
    return BatchView.of(await ctx.batches.cancel(batch_id, who))


async def followed(batch_id: UUID, who: AssessmentReader, ctx: Context) -> BatchState:
    """The batch somebody wants to follow; asked before the stream begins, where an error can still be answered."""
    return await ctx.batches.followed(batch_id, who)


@router.get(
    "/{batch_id}/events",
    summary="Follow a batch",
    response_class=EventSourceResponse,
    responses=problem_responses(NotFound),
)
async def follow_batch(
    batch: Annotated[BatchState, Depends(followed)],
    still: Annotated[Callable[[], Awaitable[bool]], Depends(still_valid)],
    ctx: Context,
) -> AsyncIterable[ServerSentEvent]:
    """The progress as server-sent events: a `progress` whenever it changes, and a last one when the batch has ended.

    The data of an event is what `GET /v1/batches/{batch_id}` answers. The stream ends with the credential. A follower
    who comes back begins with the present state, so nothing needs to be resumed.
    """
    async for state in ctx.batches.follow(batch, still):
        yield ServerSentEvent(event="progress", data=BatchView.of(state))
