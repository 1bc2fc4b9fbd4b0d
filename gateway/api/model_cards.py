"""`/v1/models`: the cards of the models and rules behind the answers."""

from fastapi import APIRouter

from gateway.api.deps import ModelReader
from gateway.assessing.model_cards import ModelsInUse, models_in_use
from gateway.context import Context
from shared.problem_responses import example_response, problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, ServiceUnavailable

CARDS = {
    "models": [
        {
            "name": "staging-efficientnet-lite0",
            "version": "0.1.0",
            "service": "staging",
            "summary": "Kellgren-Lawrence grade 0 to 4 of a knee joint crop.",
            "intended_use": "Research",
            "excluded_use": "Diagnosis of osteoporosis",
            "licence": "CC BY 4.0",
            "data": ["knee_kl"],
            "metrics": {"accuracy": {"value": 0.5, "low": 0.4, "high": 0.6}},
            "limits": ["Grade 1 (doubtful) is the weak grade."],
            "trained": "make train-staging DATA=DIR",
        }
    ],
    "unavailable": [],
    "in_use": [
        {
            "service": "staging",
            "serving": None,
            "shadow": "2026.12",
            "share": 0.2,
            "name": "A. Rao",
            "role": "medical physicist",
            "reason": None,
            "at": "2026-11-28T09:00:00Z",
        }
    ],
}
router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get(
    "", responses={**example_response(CARDS), **problem_responses(NotAuthenticated, NotAuthorised, ServiceUnavailable)}
)
async def list_models(_: ModelReader, ctx: Context) -> ModelsInUse:
    """Every model's card: data, measured figures with intervals, limits. A service that is down is named.

    `in_use` says which versions were promoted here or run in the shadow, and who stands by that.
    """
    return await models_in_use(ctx.services, ctx.use)
