"""`/v1/recalls`: which patients were read by a version of a model that turned out to be wrong."""

import datetime as dt
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.deps import Administrator
from gateway.context import Context
from gateway.records.recall import RecallStep
from shared.problem_responses import example_response, problem_responses
from shared.problems import InvalidInput, NotAuthenticated, NotAuthorised

router = APIRouter(
    prefix="/v1/recalls", tags=["recall"], responses=problem_responses(NotAuthenticated, NotAuthorised, InvalidInput)
)
Model = Annotated[str, Field(max_length=120, description="Name and version as answers have them: `staging:0.4.0`")]
ITEM = {
    "patient_id": "0199f7a0-6a10-7d2e-9b00-1a2b3c4d5e6f",
    "patient_number": "MRN-0042",
    "assessment_id": "0199f7a0-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "created_at": "2026-11-24T09:30:00Z",
    "withdrawn": False,
    "restricted": False,
}


class RecalledView(BaseModel):
    """An assessment that the version had a part in."""

    model_config = ConfigDict(from_attributes=True)

    patient_id: UUID | None = Field(description="Null where the assessment was of nobody in particular")
    patient_number: str | None
    assessment_id: UUID | None = Field(description="Null where the record is closed to the caller")
    created_at: dt.datetime | None
    withdrawn: bool | None
    restricted: bool = Field(description="The record is closed to the caller: open it by emergency access")


class RecallView(BaseModel):
    """One part of them, oldest first. It may be empty and yet not the last."""

    items: list[RecalledView]
    next: UUID | None = Field(description="`after` of the next part; null at the end")
    alerts: int = Field(description="How many alerts were made now; of a patient with an open one there is no second")

    @classmethod
    def of(cls, step: RecallStep) -> "RecallView":
        """As it travels."""
        return cls(items=[RecalledView.model_validate(one) for one in step.items], next=step.next, alerts=step.alerts)


class RecallWanted(BaseModel):
    """Which version, and from where on."""

    model_config = ConfigDict(extra="forbid")

    model: Model
    after: UUID | None = None


@router.get(
    "", summary="Who was read by a version", responses=example_response({"items": [ITEM], "next": None, "alerts": 0})
)
async def list_recalled(
    who: Administrator, ctx: Context, model: Annotated[Model, Query()], after: UUID | None = None
) -> RecallView:
    """The assessments that a version of a model, of the rules or of the site's settings had a part in, part by part."""
    return RecallView.of(await ctx.recall.step(who, model, after, alert=False))


@router.post(
    "/alerts",
    summary="Alerts for those who were read by a version",
    responses=example_response({"items": [ITEM], "next": None, "alerts": 1}),
)
async def alert_recalled(wanted: RecallWanted, who: Administrator, ctx: Context) -> RecallView:
    """The same, and an alert for each of these patients, to look at it again within thirty days."""
    return RecallView.of(await ctx.recall.step(who, wanted.model, wanted.after, alert=True))
