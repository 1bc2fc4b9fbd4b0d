"""`/v1/audit`: the organisation's own lines of the trail, for those who may read it."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from gateway.api.deps import AuditReader, one_direction
from gateway.context import Context
from gateway.platform.audit import AuditLine, Outcome, Selection
from gateway.platform.paging import Page
from gateway.platform.validators import Printable
from shared.problem_responses import example_response, problem_responses
from shared.problems import NotAuthenticated, NotAuthorised

router = APIRouter(prefix="/v1/audit", tags=["audit"])

LINE = {
    "sequence": 1042,
    "id": "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "at": "2026-11-24T09:30:00.123456Z",
    "actor": "key:5f0c1f5e8c9a4b21",
    "action": "assessment read",
    "subject": "0199f7a2-3c4d-7c3e-8f00-3a5d9b1e2c4d",
    "outcome": "done",
    "address": "10.1.2.3",
    "request_id": "3f1d7c0a9b2e4c5d8e6f7a8b9c0d1e2f",
    "hash": "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab",
}


class AuditLineView(BaseModel):
    """Who did what to which thing, from where, and how it ended."""

    sequence: int = Field(description="Position in the installation's chain")
    id: UUID
    at: dt.datetime
    actor: str
    action: str
    subject: str | None
    outcome: Outcome
    address: str | None
    request_id: str | None
    hash: str = Field(description="Of this line and the one before, SHA-256")

    @classmethod
    def of(cls, line: AuditLine) -> "AuditLineView":
        """As it travels."""
        return cls.model_validate(line, from_attributes=True)


class AuditPage(Page[AuditLineView, int]):
    """One page; `next` is the `before` of the next one, or the `after` where that was sent; null on the last."""


@router.get(
    "",
    responses={
        **example_response({"items": [LINE], "next": None}),
        **problem_responses(NotAuthenticated, NotAuthorised),
    },
)
async def list_audit_trail(
    who: AuditReader,
    ctx: Context,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page before")] = None,
    after: Annotated[int | None, Query(ge=0, le=2**62, description="From old to new, after this line")] = None,
    actor: Annotated[Printable | None, Query(max_length=100, description="`account:<id>`, `key:<id>`, ...")] = None,
    subject: Annotated[Printable | None, Query(max_length=100, description="Such as a patient_id")] = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> AuditPage:
    """The organisation's lines of the audit trail, newest first; with `after` oldest first. Reading them is a line too.

    `trabecula audit verify`, on the installation's machine, checks the whole chain.
    """
    one_direction(before, after)
    page = await ctx.audit_trail.page(who, limit, Selection(before, actor, subject, since, until, after))
    return page.to(AuditPage, AuditLineView.of)
