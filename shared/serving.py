"""One app on one port, until it is stopped: what the gateway and each service start with."""

import argparse
import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import Callable
from typing import TypeVar

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from shared.connections import BoundedConnection
from shared.logs import configure_logging
from shared.memory import give_back, give_back_regularly, use_few_arenas
from shared.problems import TrabeculaError
from shared.service import CannotStart
from shared.settings import ServiceSettings, wrong_settings

Settings = TypeVar("Settings", bound=ServiceSettings)
# Seconds that requests in work may take when the server is stopped; a stream of events would go on without end.
GRACE_S = 20
# Seconds that an idle connection stays open: longer than Caddy (120) and httpx (5) keep theirs. The side that sends the
# request has to give up first, else a request can meet a connection that is just being closed.
KEEP_ALIVE_S = 150


def start_service(name: str, settings: type[Settings], create_app: Callable[[Settings], FastAPI]) -> None:
    """`python -m services.NAME --port N [--host H]`: one service alone, with nothing of the gateway.

    What goes wrong at the start is one line on standard error and status 1.
    """
    parser = argparse.ArgumentParser(f"python -m services.{name}", description=f"The {name} service alone.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on [127.0.0.1]")
    options = parser.parse_args()
    use_few_arenas()
    try:
        read = settings()
        configure_logging(read.log_level)
        serve_app(
            create_app(read), options.host, options.port, [f"The {name} service is ready on port {options.port}."]
        )
    except TrabeculaError as error:
        sys.exit(error.detail)
    except ValidationError as error:
        sys.exit(wrong_settings(error))
    except ValueError as error:  # the recommender's rules, which name file, rule and field
        sys.exit(str(error))


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


class _Server(uvicorn.Server):
    """Says when it is ready, after it listens, and calls `on_stop` before it waits for the requests in work."""

    def __init__(self, config: uvicorn.Config, lines: list[str], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._lines, self._on_stop = lines, on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            say(*self._lines)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)


def _nothing() -> None:
    """What a service does that has no streams to end."""


def say(*lines: str) -> None:
    """Write lines to standard output at once, for the person who started this."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def serve_app(app: FastAPI, host: str, port: int, lines: list[str], proxies: tuple[str, ...] = ()) -> None:
    """Serve one app until stopped.

    The app's lifespan is entered here and not by uvicorn, which would turn an error at the start, such as a damaged
    model file, into a page of traceback.

    Args:
        lines: printed when it listens.
        proxies: addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed; nobody's by default.

    Raises:
        CannotStart: another program has the port.
    """
    check_port(host, port)
    config = uvicorn.Config(
        app,
        host,
        port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        http=BoundedConnection,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    server = _Server(config, lines, getattr(app.state, "on_stop", _nothing))

    async def serve_within_lifespan() -> None:
        async with app.router.lifespan_context(app):
            # What was made at the start stays: looking through all of it for garbage would hold everybody up, time and
            # again, for a tenth of a second.
            gc.collect()
            gc.freeze()
            give_back()
            keeps_small = asyncio.create_task(give_back_regularly())
            await server.serve()
            keeps_small.cancel()

    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve_within_lifespan())
