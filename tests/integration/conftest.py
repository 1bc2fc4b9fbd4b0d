"""What the tests share: a gateway at a module's own `settings`, and a PostgreSQL server of the tests' own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.platform.identity import passwords
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.integration.people import administrator_of, client


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """The same argon2id at its lowest cost: what it costs in earnest is the unit tests' and a real server's affair."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)]))
        yield


@pytest.fixture(scope="module")
async def api(settings: GatewaySettings) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway with all services in this process, at the settings of the test's module, called with every scope."""
    async with open_gateway(settings, shared_services()) as client:
        yield client


@pytest.fixture(scope="module")
async def admin(settings: GatewaySettings, api: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """The first organisation's administrator, signed in."""
    async with await administrator_of(settings, api, "root@clinic.example") as person:
        yield person


@pytest.fixture
async def stranger(api: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a credential."""
    async with client(api) as nobody:
        yield nobody


def program(name: str) -> Path | None:
    """A PostgreSQL program: on the path, or where Debian keeps the server's."""
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return Path(found) if found else (places[-1] if places else None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    initdb, server = program("initdb"), program("postgres")
    if initdb is None or server is None:
        pytest.skip("PostgreSQL's programs initdb and postgres are not on this machine")
    # It refuses to run as root; the package made a user for it.
    user = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="trabecula-pg-") as folder:
        if user:
            shutil.chown(folder, user)
        data = Path(folder) / "data"
        run = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([initdb, "-D", data, "-U", "trabecula", "--auth=trust", "--no-sync"], check=True, **run)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = ["-c", f"unix_socket_directories={folder}", "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
        process = subprocess.Popen([server, "-D", data, "-p", str(port), *options], **run)
        try:
            wait_for(port, process)
            yield f"postgresql+psycopg://trabecula@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            process.wait(timeout=60)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(200):
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=trabecula dbname=postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "the PostgreSQL server ended"
            time.sleep(0.1)
        else:
            return
    pytest.fail("the PostgreSQL server did not start")


@pytest.fixture(scope="session")
def new_postgres_database(postgres_url: str) -> Callable[[], str]:
    """Makes an empty PostgreSQL database and gives its URL."""
    import psycopg

    def make() -> str:
        name = f"t{os.urandom(6).hex()}"
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return postgres_url.rsplit("/", 1)[0] + f"/{name}"

    return make


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("new_postgres_database")()
    return url
