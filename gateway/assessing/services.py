"""The services as the gateway calls them, wherever they run."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import Self

from shared.client import ServiceClient, service_http
from shared.components import SERVICE_NAMES, SERVICES
from shared.contracts.findings import ClassifyAnswer, ClinicalFinding, StageAnswer
from shared.contracts.handover import RADIOGRAPH_TYPE, read_reading
from shared.contracts.models import ModelCard
from shared.contracts.recommendation import RecommendationRequest, RecommendationSet
from shared.contracts.risk import LifestyleRiskRequest, RiskRequest

# The version of each service's package that answers; those of the services' settings are left out.
InUse = Callable[[], Awaitable[Mapping[str, str]]]


async def as_set() -> Mapping[str, str]:
    """Every service as its settings say."""
    return {}


@dataclass(frozen=True)
class Services:
    """A client for each service of the registry, by name."""

    clients: Mapping[str, ServiceClient]
    in_use: InUse = as_set

    @property
    def imaging(self) -> ServiceClient:
        return self.clients["imaging"]

    @property
    def staging(self) -> ServiceClient:
        return self.clients["staging"]

    @property
    def clinical(self) -> ServiceClient:
        return self.clients["clinical"]

    @property
    def recommender(self) -> ServiceClient:
        return self.clients["recommender"]

    def with_client(self, client: ServiceClient) -> Self:
        """The same services, one of them called through another client."""
        return replace(self, clients={**self.clients, client.name: client})

    def with_versions(self, in_use: InUse) -> Self:
        """The same services, which answer as these versions."""
        same = copy(self)  # whatever else a subclass holds
        object.__setattr__(same, "in_use", in_use)
        return same

    async def classify(self, image: bytes, pictures: bool, version: str | None = None) -> tuple[ClassifyAnswer, bytes]:
        """What the picture shows, and what staging is given of a knee; with `pictures`, preview and heat map too.

        Args:
            version: of imaging, in place of the one in use.
        """
        asked = {"pictures": _flag(pictures), **await self._version("imaging", version)}
        return await self.imaging.post_image("/v1/readings", image, "application/octet-stream", read_reading, asked)

    async def stage(self, handed_on: bytes, pictures: bool, version: str | None = None) -> StageAnswer:
        """Grade the knees of a radiograph as imaging has handed it on.

        Args:
            version: of staging, in place of the one in use.
        """
        asked = {"pictures": _flag(pictures), **await self._version("staging", version)}
        read = StageAnswer.model_validate_json
        return await self.staging.post_image("/v1/stage/handed-on", handed_on, RADIOGRAPH_TYPE, read, asked)

    async def risk(self, request: RiskRequest | LifestyleRiskRequest) -> ClinicalFinding:
        return await self.clinical.post_json("/v1/risk", request, ClinicalFinding)

    async def recommend(self, request: RecommendationRequest) -> RecommendationSet:
        return await self.recommender.post_json("/v1/recommendations", request, RecommendationSet)

    async def cards(self, client: ServiceClient) -> list[ModelCard]:
        """The card of each model that a service has, the default one first."""
        paths = next(service.model_cards for service in SERVICES if service.name == client.name)
        asked = await self._version(client.name, None)
        return [await client.get(path, ModelCard, asked) for path in paths]

    async def card_of(self, service: str, version: str) -> ModelCard:
        """The card of one version of a service's package, which the service verifies and loads if it has to.

        Raises:
            ServiceUnavailable: there is no such package that may be loaded; the detail says why.
        """
        return await self.clients[service].get("/v1/model", ModelCard, {"version": version})

    async def _version(self, service: str, version: str | None) -> dict[str, str]:
        named = (await self.in_use()).get(service) if version is None else version
        return {"version": named} if named else {}

    def all(self) -> tuple[ServiceClient, ...]:
        """Every client, in the order of a request's way through them."""
        return tuple(self.clients[name] for name in SERVICE_NAMES)


def _flag(value: bool) -> str:
    return str(value).lower()


# What `create_app` is given: it enters this when it starts and leaves it when it stops.
ServicesSource = Callable[[], AbstractAsyncContextManager[Services]]


def over_network(urls: dict[str, str], secret: str) -> ServicesSource:
    """The services at these URLs, by name."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Services]:
        clients = {name: ServiceClient(name, service_http(url), secret) for name, url in urls.items()}
        try:
            yield Services(clients)
        finally:
            for client in clients.values():
                await client.close()

    return connect
