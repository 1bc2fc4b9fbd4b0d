"""The cards of the models and rules behind the answers, from each service."""

import datetime as dt

import anyio
from pydantic import Field

from gateway.assessing.model_use import UseInForce
from gateway.assessing.services import Services
from gateway.records.model_use import ModelUse
from gateway.records.model_versions import ModelVersions
from shared.client import ServiceClient
from shared.contracts.base import Contract
from shared.contracts.models import ModelCard, ModelCards
from shared.problems import TrabeculaError


class ModelUseView(Contract):
    """What somebody at this installation decided about a service's network, last."""

    service: str
    serving: str | None = Field(description="The version that was promoted; null: that of the service's settings")
    shadow: str | None = Field(description="The version that reads a share of the cases, shown to nobody")
    share: float | None = Field(description="Of the cases that it reads")
    name: str
    role: str
    reason: str | None
    at: dt.datetime

    @classmethod
    def of(cls, use: ModelUse) -> "ModelUseView":
        """As it travels."""
        return cls.model_validate({name: getattr(use, name) for name in cls.model_fields})


class ModelsInUse(ModelCards):
    """The cards, and what was decided about the versions."""

    in_use: list[ModelUseView] = Field(description="Empty for services whose version nobody has decided about")


async def models_in_use(services: Services, use: UseInForce) -> ModelsInUse:
    """Every model's card, and which versions were promoted or put into the shadow, and by whom.

    Raises:
        ServiceUnavailable: the database does not answer, so nobody knows which serve.
    """
    await use.serving()
    decided = [ModelUseView.of(one) for one in use.last.values() if one.at is not None]
    return ModelsInUse(**dict(await model_cards(services)), in_use=decided)


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
