"""`/v1/models`: the cards of the models and rules behind the answers."""

from typing import Annotated

import anyio
from fastapi import APIRouter, Depends

from gateway.api.deps import needs
from gateway.context import AppContext, get_context
from gateway.platform.identity.scopes import Principal
from shared.client import ServiceClient
from shared.contracts.models import ModelCard, ModelCards
from shared.problem_responses import example_response, problem_responses
from shared.problems import NotAuthenticated, NotAuthorised, TrabeculaError

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
}
router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", responses={**example_response(CARDS), **problem_responses(NotAuthenticated, NotAuthorised)})
async def list_models(
    _: Annotated[Principal, Depends(needs("models:read"))], ctx: Annotated[AppContext, Depends(get_context)]
) -> ModelCards:
    """Every model's card: data, measured figures with intervals, limits. A service that is down is named."""
    cards: dict[str, list[ModelCard]] = {}
    clients = ctx.services.all()

    async def ask(client: ServiceClient) -> None:
        try:
            cards[client.name] = await ctx.services.cards(client)
        except TrabeculaError:
            return

    async with anyio.create_task_group() as group:
        for client in clients:
            group.start_soon(ask, client)
    names = [client.name for client in clients]
    return ModelCards(
        models=[card for name in names for card in cards.get(name, [])],
        unavailable=[name for name in names if name not in cards],
    )
