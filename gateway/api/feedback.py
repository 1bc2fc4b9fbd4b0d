"""`/v1/assessments/{id}/feedback`: what is known better; `/v1/feedback/agreement`: how often the software was right."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel

from gateway.api.deps import AssessmentReader, PatientWriter
from gateway.assessing.agreement import AgreementView
from gateway.context import Context
from shared.contracts.feedback import Feedback, StoredFeedback
from shared.problem_responses import example_response, problem_responses
from shared.problems import InvalidInput, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(
    prefix="/v1",
    tags=["feedback"],
    responses=problem_responses(NotAuthenticated, NotAuthorised, NotFound, InvalidInput),
)
GIVEN = {"kind": "grade", "side": "left", "kl_grade": 2, "blind": False, "note": None}
STORED = {
    "id": "0199f7a0-9c40-7f1e-a4a2-5f1f7c2b9a10",
    "assessment_id": "0199f7a0-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "at": "2026-11-24T09:30:00Z",
    "by": "account:0199f7a0-7b1c-7c3e-8f00-3a5d9b1e2c4d",
    "feedback": GIVEN,
    "answered": {"model": {"name": "staging", "version": "0.4.0"}, "kl_grade": 3, "osteoporosis": None},
}
AGREED = {"agreed": 41, "of": 50, "share": 0.82, "low": 0.6920, "high": 0.9022}
AGREEMENT = {
    "feedback": 50,
    "questions": [
        {
            "question": "same_grade",
            "overall": [{"month": "", "part": "staging", "agreement": AGREED}],
            "months": [{"month": "2026-11", "part": "staging", "agreement": AGREED}],
        }
    ],
}


class FeedbackList(BaseModel):
    """What was said of an assessment, oldest first."""

    items: list[StoredFeedback]


@router.post(
    "/assessments/{assessment_id}/feedback",
    status_code=HTTPStatus.CREATED,
    summary="Say what is known better",
    responses=example_response(STORED, HTTPStatus.CREATED),
)
async def give_feedback(
    assessment_id: UUID, feedback: Annotated[Feedback, Body(examples=[GIVEN])], who: PatientWriter, ctx: Context
) -> StoredFeedback:
    """Mark a finding right or wrong, or give a knee's grade or the DXA result that came later.

    Needs a clinician's own account. The answer and the record stay as they are; an `amend` changes what others see.
    """
    return await ctx.feedback.give(assessment_id, who, feedback)


@router.get(
    "/assessments/{assessment_id}/feedback",
    summary="What was said of an assessment",
    responses=example_response({"items": [STORED]}),
)
async def feedback_of(assessment_id: UUID, who: AssessmentReader, ctx: Context) -> FeedbackList:
    """All of it, oldest first. The newest of one person about one thing counts."""
    return FeedbackList(items=await ctx.feedback.of_assessment(assessment_id, who))


@router.get("/feedback/agreement", summary="Agreement over time", responses=example_response(AGREEMENT))
async def agreement_over_time(who: AssessmentReader, ctx: Context) -> AgreementView:
    """How far the software agreed with feedback, by the month of the assessment, with 95 % intervals.

    Figures of feedback that was given at will: whoever reports errors alone will see errors alone.
    """
    return await ctx.feedback.agreement(who)
