"""Starting the installation, and telling the person who started it what they need to know."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import typer
import uvicorn
from fastapi import FastAPI

from gateway.administration import first_administrator, prepare
from gateway.app import create_app
from gateway.services import Services, ServicesSource, over_network
from gateway.settings import GatewaySettings
from shared.logs import configure_logging
from shared.service import CannotStart


def serve(settings: GatewaySettings) -> None:
    """Migrate, make the first administrator, check models and port, serve until stopped.

    Raises:
        CannotStart: with the one line that says what to mend.
    """
    configure_logging(settings.log_level)
    check_port(settings.host, settings.port)
    prepare(settings)
    if made := asyncio.run(first_administrator(settings)):
        typer.echo(f"First administrator: {made['email']}\nPassword (shown this once): {made['password']}")
    if settings.services is None:
        source = checked(embedded(settings))
    else:
        source = over_network(settings.services, settings.internal_key())
    address = f"http://{settings.host}:{settings.port}"
    lines = [f"Trabecula is ready: pages {address}/  API documentation {address}/docs", "Stop it with Ctrl+C."]
    run(create_app(settings, source), settings.host, settings.port, lines)


def serve_service(name: str, host: str, port: int, settings: GatewaySettings) -> None:
    """Run one service alone."""
    from gateway.embedded import service_app

    configure_logging(settings.log_level)
    check_port(host, port)
    run(
        service_app(name, settings.internal_key()),
        host,
        port,
        [f"The {name} service is ready: http://{host}:{port}/docs"],
    )


def embedded(settings: GatewaySettings) -> ServicesSource:
    """All services in this process."""
    from gateway.embedded import in_process  # a gateway on its own does not carry the services

    return in_process(settings.internal_key())


def checked(source: ServicesSource) -> ServicesSource:
    """The same services, which assess the phantom once before they serve."""
    from gateway.self_check import self_check  # draws with OpenCV, which a gateway on its own does not carry

    @asynccontextmanager
    async def start() -> AsyncIterator[Services]:
        async with source() as services:
            typer.echo("\n".join(await self_check(services)))
            yield services

    return start


def check_port(host: str, port: int) -> None:
    """Raise `CannotStart` where another program listens already: uvicorn would say so only after loading it all."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host} cannot be used ({error.strerror}): "
                "stop the program that has it, or choose another with --port or TRABECULA_PORT."
            ) from error


# Seconds that requests in work may take when the server is stopped; a stream of events would go on without end.
GRACE_S = 20


class _Server(uvicorn.Server):
    """Says when it is ready, after it listens, and calls `on_stop` before it waits for the requests in work."""

    def __init__(self, config: uvicorn.Config, lines: list[str], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._lines, self._on_stop = lines, on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            typer.echo("\n".join(self._lines))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)


def _nothing() -> None:
    """What a service does that has no streams to end."""


def run(app: FastAPI, host: str, port: int, lines: list[str]) -> None:
    """Serve one app until stopped; `lines` are printed when it listens.

    The app's lifespan is entered here and not by uvicorn, which would turn an error at the start, such as a damaged
    model file, into a page of traceback.
    """
    config = uvicorn.Config(
        app, host, port, log_config=None, access_log=False, server_header=False, lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
    )  # fmt: skip
    server = _Server(config, lines, getattr(app.state, "on_stop", _nothing))

    async def serve_within_lifespan() -> None:
        async with app.router.lifespan_context(app):
            await server.serve()

    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve_within_lifespan())
