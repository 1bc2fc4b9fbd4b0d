"""The real command in a process of its own, on a real socket."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

START_S = 60


@dataclass
class Running:
    """A started server."""

    url: str
    log: Path

    def printed(self) -> str:
        return self.log.read_text()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(state: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRABECULA_")}
    return {**kept, "TRABECULA_STATE_DIR": str(state), **more}


def trabecula(*arguments: str, state: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a `trabecula` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments], env=environment(state, **more), capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


@contextmanager
def running(
    *arguments: str, state: Path, log: Path, module: str = "gateway.cli", source: Path | None = None,
    port: int | None = None, ready: str = "/health/ready", **more: str,
) -> Iterator[Running]:  # fmt: skip
    """A server until the block ends, ready when the block begins.

    Args:
        source: where its code lies, if not here.
        port: a free one if null.
        ready: the path that answers once it is.
    """
    port = port or free_port()
    command = [sys.executable, "-m", module, *arguments, "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=source, env=environment(state, **more), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            server = Running(f"http://127.0.0.1:{port}", log)
            wait_until_ready(server, process, ready)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_until_ready(server: Running, process: subprocess.Popen[bytes], path: str = "/health/ready") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"ended with {process.returncode}:\n{server.printed()}")
        try:
            if httpx.get(f"{server.url}{path}", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"not ready within {START_S} s:\n{server.printed()}")
