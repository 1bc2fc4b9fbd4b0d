"""`/v1/assessments/{id}/sign`, `/amend`, `/withdraw`: what a clinician makes of an assessment."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.deps import Releaser
from gateway.api.examples.assessments import ASSESSMENT
from gateway.context import Context
from gateway.platform.validators import Printable
from shared.contracts.assessment import Assessment
from shared.contracts.review import LONGEST_REASON, SHORTEST_REASON, AmendedFindings
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1/assessments",
    tags=["assessments"],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound, Conflict, InvalidInput),
)
BY = "account:0199f7a0-7b1c-7c3e-8f00-3a5d9b1e2c4d"
SIGNED = {"action": "signed", "at": "2026-11-24T09:30:00Z", "by": BY, "reason": None, "findings": None}
AMENDED = {
    "action": "amended",
    "at": "2026-11-24T09:40:00Z",
    "by": BY,
    "reason": "Osteophyte at the left medial tibia",
    "findings": {"knees": [{"side": "left", "kl_grade": 2}], "bone": None, "category": None},
}
WITHDRAWN = {
    "action": "withdrawn",
    "at": "2026-11-24T10:00:00Z",
    "by": BY,
    "reason": "The film is another patient's",
    "findings": None,
}


def _example(status: str, step: dict[str, Any]) -> dict[str, Any]:
    return {**ASSESSMENT, "review": {"status": status, "changed_at": step["at"], "steps": [step]}}


class Withdrawal(BaseModel):
    """Why an assessment is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Printable, Field(min_length=SHORTEST_REASON, max_length=LONGEST_REASON)]


class Amendment(Withdrawal):
    """Why an assessment is amended, and what is right instead as far as it fits in fields."""

    findings: Annotated[AmendedFindings, Field(description="What stands as it is is left out")] = AmendedFindings()


@router.post(
    "/{assessment_id}/sign", summary="Sign an assessment", responses=example_response(_example("signed", SIGNED))
)
async def sign_assessment(assessment_id: UUID, who: Releaser, ctx: Context) -> Assessment:
    """Stand by the answer as it is. Needs a clinician's own account; signing again changes nothing."""
    return await ctx.reviews.sign(assessment_id, who)


@router.post(
    "/{assessment_id}/amend", summary="Amend an assessment", responses=example_response(_example("amended", AMENDED))
)
async def amend_assessment(assessment_id: UUID, amendment: Amendment, who: Releaser, ctx: Context) -> Assessment:
    """Say what is right instead, and sign that. Needs a clinician's own account."""
    return await ctx.reviews.amend(assessment_id, who, amendment.reason, amendment.findings)


@router.post(
    "/{assessment_id}/withdraw",
    summary="Withdraw an assessment",
    responses=example_response(_example("withdrawn", WITHDRAWN)),
)
async def withdraw_assessment(assessment_id: UUID, withdrawal: Withdrawal, who: Releaser, ctx: Context) -> Assessment:
    """Take the answer back, as where it is of another patient. Needs a clinician's own account."""
    return await ctx.reviews.withdraw(assessment_id, who, withdrawal.reason)
