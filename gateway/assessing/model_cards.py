"""The cards of the models and rules behind the answers, from each service."""

import anyio

from gateway.assessing.services import Services
from gateway.records.model_versions import ModelVersions
from shared.client import ServiceClient
from shared.contracts.models import ModelCard, ModelCards
from shared.problems import TrabeculaError


async def note_versions(services: Services, versions: ModelVersions) -> None:
    """See whether a model or the rules changed; a service that is down is as it was."""
    cards = await model_cards(services)
    await versions.note({card.name: card.version for card in cards.models})


async def model_cards(services: Services) -> ModelCards:
    """Every model's card: data, measured figures with intervals, limits. A service that is down is named."""
    cards: dict[str, list[ModelCard]] = {}
    clients = services.all()

    async def ask(client: ServiceClient) -> None:
        try:
            cards[client.name] = await services.cards(client)
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
