"""`/v1/drift`: whether cases still are as those were that the site began with."""

from fastapi import APIRouter

from gateway.api.deps import AssessmentReader
from gateway.assessing.drift import DriftView
from gateway.context import Context
from shared.problem_responses import example_response, problem_responses
from shared.problems import NotAuthenticated, NotAuthorised

router = APIRouter(prefix="/v1/drift", tags=["drift"], responses=problem_responses(NotAuthenticated, NotAuthorised))
EXAMPLE = {
    "reference_cases": 300,
    "reference_from": "2026-09-01",
    "reference_to": "2026-09-24",
    "cases_since": 171,
    "features": [
        {
            "feature": "inverted",
            "window": 50,
            "p": 1.2e-9,
            "alarm": True,
            "now": {"false": 0.62, "true": 0.38},
            "reference": {"false": 0.98, "true": 0.02},
        }
    ],
}


@router.get("", summary="Whether cases change", responses=example_response(EXAMPLE))
async def drift(who: AssessmentReader, ctx: Context) -> DriftView:
    """Devices, sizes, tones, ages and answers of the last whole windows of 50 and of 250 cases beside the reference.

    The reference is the site's own first 300 cases. Of windows in which nothing has changed at most one in a hundred
    raises an alarm.
    """
    return await ctx.drift.state(who)
