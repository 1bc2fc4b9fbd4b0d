"""The services as the gateway calls them, wherever they run."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self

from shared.client import ServiceClient, service_http
from shared.components import SERVICE_NAMES, SERVICES
from shared.contracts.findings import ClassifyAnswer, ClinicalFinding, ImagingFinding, StageAnswer
from shared.contracts.models import ModelCard
from shared.contracts.recommendation import RecommendationRequest, RecommendationSet
from shared.contracts.risk import LifestyleRiskRequest, RiskRequest


@dataclass(frozen=True)
class Services:
    """A client for each service of the registry, by name."""

    clients: Mapping[str, ServiceClient]

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

    async def classify(self, image: bytes, pictures: bool) -> ClassifyAnswer:
        """What the picture shows; with `pictures`, the preview and the heat map come along."""
        return await self.imaging.post_image("/v1/classify", image, ClassifyAnswer, {"pictures": _flag(pictures)})

    async def stage(self, image: bytes, seen: ImagingFinding, pictures: bool) -> StageAnswer:
        """Grade the knees of a picture that lies as imaging has found it to lie."""
        lies = {"turned_degrees": str(seen.turned_degrees), "inverted": _flag(seen.inverted)}
        return await self.staging.post_image("/v1/stage", image, StageAnswer, {**lies, "pictures": _flag(pictures)})

    async def risk(self, request: RiskRequest | LifestyleRiskRequest) -> ClinicalFinding:
        return await self.clinical.post_json("/v1/risk", request, ClinicalFinding)

    async def recommend(self, request: RecommendationRequest) -> RecommendationSet:
        return await self.recommender.post_json("/v1/recommendations", request, RecommendationSet)

    async def cards(self, client: ServiceClient) -> list[ModelCard]:
        """The card of each model that a service has, the default one first."""
        paths = next(service.model_cards for service in SERVICES if service.name == client.name)
        return [await client.get(path, ModelCard) for path in paths]

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
