"""The gateway under test: the gateway and all services in this process, on a database of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.app import create_app
from gateway.assessing.administration import create_api_key, prepare
from gateway.assessing.services import Services, ServicesSource
from gateway.settings import GatewaySettings
from shared.radiograph.phantom import as_jpeg, knee, lumbar_spine
from tests import new_databases

ALL_SCOPES = "assessments:write assessments:read models:read"


@asynccontextmanager
async def open_gateway(settings: GatewaySettings, services: ServicesSource) -> AsyncIterator[httpx.AsyncClient]:
    """A started gateway, and a client with an API key of all the scopes that hospitals ask for."""
    prepare(settings)
    made = await create_api_key(settings, "tests", ALL_SCOPES, None)
    app = create_app(settings, services)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"X-API-Key": made["key"]}
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield client


class _Shared:
    """The services of this session, once somebody has asked for them."""

    stack = AsyncExitStack()
    services: Services | None = None


def shared_services() -> ServicesSource:
    """The services in this process, started once for all tests: loading the networks is most of a gateway's start.

    For tests that neither change the services nor care about the secret that they share with the gateway.
    """
    from gateway.embedded import in_process

    @asynccontextmanager
    async def source() -> AsyncIterator[Services]:
        if _Shared.services is None:
            _Shared.services = await _Shared.stack.enter_async_context(in_process("0" * 48)())
        yield _Shared.services

    return source


@pytest.fixture(scope="session", autouse=True)
async def _stop_shared_services() -> AsyncIterator[None]:
    yield
    await _Shared.stack.aclose()


@pytest.fixture(scope="session", autouse=True)
def _new_databases_are_copies() -> Iterator[None]:
    with new_databases.copied():
        yield


@pytest.fixture
def settings(tmp_path: Path) -> GatewaySettings:
    return GatewaySettings(state_dir=tmp_path / "state", _env_file=None)


@pytest.fixture(scope="session")
async def shared_api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway with all services, started once; for tests that leave nothing behind that another would trip over."""
    settings = GatewaySettings(
        state_dir=tmp_path_factory.mktemp("state"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )
    async with open_gateway(settings, shared_services()) as client:
        yield client


@pytest.fixture(scope="session")
def knee_jpeg() -> bytes:
    return as_jpeg(knee(bone_density=0.7, size=(1200, 1000)))


@pytest.fixture(scope="session")
def spine_jpeg() -> bytes:
    return as_jpeg(lumbar_spine(bone_density=0.7, size=(1200, 1000)))


@pytest.fixture(scope="session")
def record() -> str:
    return '{"age": 67, "gender": "female", "weight_kg": 58}'
