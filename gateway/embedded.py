"""All five apps in one process: the four services behind httpx's ASGITransport, with no socket between the rooms.

The only module of the gateway that imports the services.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI

import services.clinical.app
import services.imaging.app
import services.recommender.app
import services.staging.app
from gateway.services import Services, ServicesSource
from services.clinical.settings import ClinicalSettings
from services.imaging.settings import ImagingSettings
from services.recommender.settings import RecommenderSettings
from services.staging.settings import StagingSettings
from shared.client import ServiceClient, service_http


def service_app(name: str, secret: str) -> FastAPI:
    """One service's app with its settings from the environment and the installation's internal secret."""
    match name:
        case "imaging":
            return services.imaging.app.create_app(ImagingSettings(internal_secret=secret))
        case "staging":
            return services.staging.app.create_app(StagingSettings(internal_secret=secret))
        case "clinical":
            return services.clinical.app.create_app(ClinicalSettings(internal_secret=secret))
        case "recommender":
            return services.recommender.app.create_app(RecommenderSettings(internal_secret=secret))
    raise ValueError(f"there is no service called {name}")


def verify_models(names: tuple[str, ...] = SERVICES) -> None:
    """Compare the model files of these services with their manifests.

    Raises:
        DamagedModel: a file is missing or differs.
    """
    for name in names:
        for folder in MODEL_FOLDERS[name]:
            verify_manifest(folder)


def in_process(secret: str, names: tuple[str, ...] = SERVICES) -> ServicesSource:
    """The services within this process; their own start and stop run with the gateway's."""

    @asynccontextmanager
    async def start() -> AsyncIterator[Services]:
        async with AsyncExitStack() as stack:
            clients = {}
            for name in names:
                app = service_app(name, secret)
                await stack.enter_async_context(app.router.lifespan_context(app))
                transport = httpx.ASGITransport(app, raise_app_exceptions=False)
                clients[name] = ServiceClient(name, service_http(f"http://{name}", transport), secret)
                stack.push_async_callback(clients[name].close)
            yield Services(**clients)

    return start
