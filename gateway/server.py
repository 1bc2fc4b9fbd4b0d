"""Starting the installation, and telling the person who started it what they need to know."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
import typer

from gateway.app import create_app
from gateway.assessing.administration import create_first_administrator, prepare
from gateway.assessing.data_secret import require_data_secret
from gateway.assessing.services import Services, ServicesSource, over_network
from gateway.settings import GatewaySettings
from shared.contracts.policy import ClinicPolicy
from shared.logs import configure_logging
from shared.memory import use_few_arenas
from shared.serving import check_port, serve_app

UNENCRYPTED = (
    "WARNING: passwords and patients' data cross the network unencrypted. Put an edge with TLS in front and name it in "
    "TRABECULA_TRUSTED_PROXIES, or listen on 127.0.0.1."
)


def serve(settings: GatewaySettings) -> None:
    """Migrate, make the first administrator, check models and port, serve until stopped.

    Raises:
        CannotStart: with the one line that says what to mend.
    """
    use_few_arenas()
    configure_logging(settings.log_level)
    check_port(settings.host, settings.port)
    if settings.migrate:
        set_up(settings)
    else:
        prepare(settings)
        asyncio.run(require_data_secret(settings))
    source = services_of(settings)
    if settings.services is None:
        source = checked(source, settings.clinic_policy())
    address = f"http://{settings.host}:{settings.port}"
    lines = [f"Trabecula is ready: pages {address}/  API documentation {address}/docs", "Stop it with Ctrl+C."]
    if not settings.is_private():
        structlog.get_logger("trabecula").warning(UNENCRYPTED)
        lines.append(UNENCRYPTED)
    serve_app(create_app(settings, source), settings.host, settings.port, lines, settings.trusted_proxies)


def set_up(settings: GatewaySettings) -> None:
    """Bring the database to the newest schema and make the first administrator; what is new is shown once."""
    prepare(settings)
    asyncio.run(require_data_secret(settings))
    is_new = settings.registration_code is None and not (settings.state_dir / "registration_code").exists()
    if settings.is_registration_open() and is_new:
        code = settings.registration_secret()
        typer.echo(f"Registration code, for patients who may register (also under Administration): {code}")
    if account := asyncio.run(create_first_administrator(settings)):
        given = settings.first_admin_password is not None
        password = "as TRABECULA_FIRST_ADMIN_PASSWORD says" if given else f"(shown this once): {account['password']}"
        typer.echo(f"First administrator: {account['email']}\nPassword {password}")


def serve_service(name: str, host: str, port: int, settings: GatewaySettings) -> None:
    """Run one service alone."""
    from gateway.embedded import service_app

    use_few_arenas()
    configure_logging(settings.log_level)
    check_port(host, port)
    lines = [f"The {name} service is ready: http://{host}:{port}/docs"]
    serve_app(service_app(name, settings.internal_key()), host, port, lines)


def services_of(settings: GatewaySettings) -> ServicesSource:
    """The services of an installation: over the network, or all in this process."""
    if settings.services is not None:
        return over_network(settings.services, settings.internal_key())
    from gateway.embedded import in_process  # a gateway on its own does not carry the services

    return in_process(settings.internal_key())


def checked(source: ServicesSource, policy: ClinicPolicy) -> ServicesSource:
    """The same services, which assess the phantom once before they serve."""
    from gateway.assessing.self_check import self_check  # draws with OpenCV, which a gateway on its own does not carry

    @asynccontextmanager
    async def start() -> AsyncIterator[Services]:
        async with source() as services:
            typer.echo("\n".join(await self_check(services, policy)))
            yield services

    return start
