"""All five apps in one process: the four services behind httpx's ASGITransport, with no socket between the rooms.

The only module of the gateway that imports the services.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from gateway.assessing.services import Services, ServicesSource
from gateway.settings import SERVICES
from services.clinical import app as clinical
from services.clinical.settings import ClinicalSettings
from services.imaging import app as imaging
from services.imaging.settings import ImagingSettings
from services.recommender import Explanation, RulesReport, explain, load_rules, rules_check
from services.recommender import app as recommender
from services.recommender.settings import RecommenderSettings
from services.staging import app as staging
from services.staging.settings import StagingSettings
from shared.client import ServiceClient, service_http
from shared.contracts.recommendation import RecommendationRequest
from shared.service import CannotStart
from shared.settings import ServiceSettings

SETTINGS: dict[str, type[ServiceSettings]] = {
    "imaging": ImagingSettings,
    "staging": StagingSettings,
    "clinical": ClinicalSettings,
    "recommender": RecommenderSettings,
}
CREATE_APP: dict[str, Callable[[Any], FastAPI]] = {
    "imaging": imaging.create_app,
    "staging": staging.create_app,
    "clinical": clinical.create_app,
    "recommender": recommender.create_app,
}


# Settings need a secret of this length; reading a folder's name from them needs none.
UNUSED_SECRET = "0" * 32


def service_settings(name: str, secret: str) -> ServiceSettings:
    """One service's settings from the environment, with the installation's internal secret."""
    return SETTINGS[name](internal_secret=SecretStr(secret))


def service_app(name: str, secret: str) -> FastAPI:
    """One service's app.

    Raises:
        CannotStart: the clinic's own rules or links cannot be used; the detail names file, rule and field.
    """
    settings = service_settings(name, secret)
    try:
        return CREATE_APP[name](settings)
    except ValueError as error:
        raise CannotStart(str(error)) from error


def rules_report(directory: Path | None) -> RulesReport:
    """The state of a rules directory, for the operator; the site's own by default."""
    return rules_check(directory or site_rules())


def rules_explanation(request: RecommendationRequest) -> list[Explanation]:
    """Why each rule did or did not fire for one case, for the clinician who reads the rules."""
    return explain(request, load_rules(site_rules()))


def site_rules() -> Path:
    """The rules directory of this site: the shipped one unless a setting names another."""
    settings = service_settings("recommender", UNUSED_SECRET)
    assert isinstance(settings, RecommenderSettings)  # noqa: S101 -- the table above says so
    return settings.rules_dir


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
