"""The installation of deploy/docker-compose.yml, built and started on a real Docker engine for one run of the tests."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import httpx
import pytest
from docker.errors import DockerException
from docker.models.containers import Container

from shared.components import SERVICE_NAMES

ROOT = Path(__file__).parents[3]
PROJECT = "trabecula-test"
READY_S = 60
IMAGES = ("database", "edge", "gateway", *SERVICE_NAMES)
SCOPES = "assessments:write assessments:read models:read"


def engine() -> docker.DockerClient:
    """The engine, or a loud skip: nothing here runs without one."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        pytest.skip(f"no Docker engine answers ({error}): set DOCKER_HOST or start Docker")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the Docker Compose plugin is missing")
    return client


@dataclass
class Stack:
    """The running installation, as its operator and its callers see it."""

    docker: docker.DockerClient
    folder: Path
    settings: dict[str, str]
    url: str

    @property
    def project(self) -> str:
        return self.settings["COMPOSE_PROJECT_NAME"]

    def make_secrets(self) -> None:
        """Make those that are missing, as `make deploy` does first."""
        subprocess.run(["python3", str(self.folder / "make_secrets.py")], check=True, capture_output=True)

    def build(self) -> None:
        for name in IMAGES:  # one after the other: a builder that is not BuildKit does the common stages once for each
            self.compose("build", "--quiet", name)

    def up(self, *services: str) -> float:
        """Start what is not running or has changed, and wait until all is healthy; the seconds that it took."""
        began = time.monotonic()
        self.compose("up", "--detach", "--wait", "--wait-timeout", "180", *services)
        return time.monotonic() - began

    def ward(self) -> httpx.Client:
        """A client of a hospital system, with a new key."""
        made = json.loads(self.gateway("create-key", "--name", "ward", "--scopes", SCOPES, "--json"))
        headers = {"X-API-Key": made["key"]}
        return httpx.Client(base_url=self.url, headers=headers, verify=self.trusted(), timeout=60)

    def compose(self, *arguments: str, **more: str) -> str:
        command = ["docker", "compose", "--file", str(self.folder / "docker-compose.yml"), *arguments]
        done = subprocess.run(
            command, env={**os.environ, **self.settings, **more}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def container(self, service: str) -> Container:
        found = self.docker.containers.list(
            all=True,
            filters={"label": [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]},
        )
        assert len(found) == 1, [item.name for item in found]
        return found[0]

    def gateway(self, *command: str) -> str:
        code, output = self.container("gateway").exec_run(["trabecula", *command], demux=True)
        assert code == 0, output
        return output[0].decode()

    def trusted(self) -> ssl.SSLContext:
        """What a workstation has after the operator gave it the installation's own root certificate."""
        code, root = self.container("edge").exec_run(["cat", "/data/caddy/pki/authorities/local/root.crt"])
        assert code == 0, root
        return ssl.create_default_context(cadata=root.decode())


def until(holds: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until something holds; the seconds that it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.2)
    return time.monotonic() - began


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def copy_sources(source: Path, folder: Path) -> None:
    """What the images are built from, in place of what is in a folder; its secrets stay."""
    for old in [*folder.glob("*"), *folder.glob("deploy/*")]:
        if old.is_dir() and old.name not in ("deploy", "secrets"):
            shutil.rmtree(old)
    for part in (
        "gateway", "services", "shared", "requirements", "deploy", "pyproject.toml", "README.md", "LICENSE",
        ".dockerignore",
    ):  # fmt: skip
        if (source / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "secrets", ".env")
            shutil.copytree(source / part, folder / part, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(source / part, folder / part)


@contextmanager
def installed(folder: Path, project: str = PROJECT, subnet: int = 78, sources: Path = ROOT) -> Iterator[Stack]:
    """A copy of deploy/ with secrets of its own beside the sources, built; started by the caller, gone at the end."""
    client = engine()
    https, http = free_ports(2)
    settings = {
        "COMPOSE_PROJECT_NAME": project, "TRABECULA_HTTPS_PORT": str(https), "TRABECULA_HTTP_PORT": str(http),
        "TRABECULA_REGISTRY": project, "TRABECULA_FRONT_SUBNET": f"10.231.{subnet}.0/24",
    }  # fmt: skip
    copy_sources(sources, folder)
    stack = Stack(client, folder / "deploy", settings, f"https://localhost:{https}")
    stack.make_secrets()
    stack.build()
    try:
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with installed(tmp_path_factory.mktemp("installation")) as stack:
        took = stack.up()
        print(f"\ncold start to ready: {took:.1f} s (limit {READY_S} s on a quiet machine)")
        yield stack


@pytest.fixture(scope="session")
def client(stack: Stack) -> Iterator[httpx.Client]:
    with stack.ward() as client:
        yield client
