"""Every service in one process, behind httpx's ASGITransport: the gateway calls them without a socket in between.

The only module of the gateway that imports the services.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from gateway.assessing.services import Services, ServicesSource
from services.recommender import REGISTRY, Explanation, Fact, RulesReport, explain, load_rules, rules_check
from services.recommender.settings import Settings as RecommenderSettings
from shared.client import ServiceClient, service_http
from shared.components import SERVICE_NAMES, SERVICES
from shared.contracts.models import ModelCard
from shared.contracts.recommendation import RecommendationRequest
from shared.radiograph.decoder import DecoderPool
from shared.service import CannotStart
from shared.settings import ServiceSettings

# Settings need a secret of this length; reading a folder's name from them needs none.
UNUSED_SECRET = SecretStr("0" * 32)


def service_app(name: str, secret: str, **shares: DecoderPool) -> FastAPI:
    """One service's app, with its settings from the environment and the installation's internal secret.

    Args:
        shares: what it shares with another service in this process.

    Raises:
        CannotStart: the clinic's own rules or links cannot be used; the detail names file, rule and field.
    """
    settings = import_module(f"services.{name}.settings").Settings(internal_secret=SecretStr(secret))
    try:
        app: FastAPI = import_module(f"services.{name}.app").create_app(settings, **shares)
    except ValueError as error:
        raise CannotStart(str(error)) from error
    return app


def rules_report(directory: Path | None) -> RulesReport:
    """The state of a rules directory, for the operator; the site's own by default."""
    return rules_check(directory or site_rules())


def rule_facts() -> list[Fact]:
    """Everything that a rule may ask for, by name."""
    return [REGISTRY[name] for name in sorted(REGISTRY)]


def rules_explanation(request: RecommendationRequest) -> list[Explanation]:
    """Why each rule did or did not fire for one case, for the clinician who reads the rules."""
    return explain(request, load_rules(site_rules()))


def installed_cards(promoted: Mapping[str, str]) -> list[ModelCard]:
    """The cards of the models that read films and records, from their files: no network is loaded.

    Args:
        promoted: by service, the versions in place of the settings' own.
    """
    return [
        ModelCard.model_validate_json((folder / "card.json").read_bytes())
        for name in ("imaging", "staging", "clinical")
        for folder in import_module(f"services.{name}.settings")
        .Settings(internal_secret=UNUSED_SECRET, **_named(name, promoted))
        .model_folders()[:1]
    ]


def model_versions(promoted: Mapping[str, str]) -> str:
    """The versions of these models in one line."""
    return "; ".join(f"{card.name} {card.version}" for card in installed_cards(promoted))


def _named(name: str, promoted: Mapping[str, str]) -> dict[str, str]:
    return {f"{name}_version": promoted[name]} if name in promoted else {}


def decoder_limits() -> str:
    """Decode a drawn picture as an upload is decoded, and say who holds that to its limits.

    Raises:
        TrabeculaError: it cannot be done here.
    """
    with DecoderPool(1) as pool:
        pool.check()
        return pool.limits


def site_rules() -> Path:
    """The rules directory of this site: the shipped one unless a setting names another."""
    return RecommenderSettings(internal_secret=UNUSED_SECRET).rules_dir


def in_process(secret: str, only: Collection[str] = SERVICE_NAMES) -> ServicesSource:
    """The services within this process, all or only these; their own start and stop run with the gateway's."""

    @asynccontextmanager
    async def start() -> AsyncIterator[Services]:
        async with AsyncExitStack() as stack:
            clients = {}
            decoder = DecoderPool(ServiceSettings(internal_secret=SecretStr(secret)).workers)
            for service in (service for service in SERVICES if service.name in only):
                name = service.name
                app = service_app(name, secret, **({"decoder": decoder} if service.reads_radiographs else {}))
                await stack.enter_async_context(app.router.lifespan_context(app))
                transport = httpx.ASGITransport(app, raise_app_exceptions=False)
                clients[name] = ServiceClient(name, service_http(f"http://{name}", transport), secret)
                stack.push_async_callback(clients[name].close)
            yield Services(clients)

    return start
