"""A started system with a key, and what it costs: what the benchmarks have in common."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

RECORD = '{"age": 67, "gender": "female", "menopausal_status": "postmenopausal", "weight_kg": 58, "height_cm": 158}'
SCOPES = "assessments:write assessments:read models:read"
TRABECULA = [sys.executable, "-m", "gateway.cli"]


@dataclass
class Server:
    """A started gateway, with the services in the same process or apart."""

    url: str
    pid: int
    start_s: float
    key: str

    def cpu_s(self) -> float:
        """User and system time of the process so far."""
        return cpu_s(self.pid)

    def whole_cpu_s(self) -> float:
        """The same with the processes that it has started and that still run."""
        root = psutil.Process(self.pid)
        return sum(cpu_s(process.pid) for process in (root, *root.children(recursive=True)))

    def memory_mb(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu_s(pid: int) -> float:
    """User and system time of a process, to the microsecond: Linux has a clock of it, named by the number (see
    clock_getcpuclockid(3)); /proc/PID/stat counts in hundredths of a second."""
    return time.clock_gettime(~pid << 3 | 2)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment(state: Path) -> dict[str, str]:
    """The environment of one installation."""
    return {**os.environ, "TRABECULA_STATE_DIR": str(state)}


@contextmanager
def started(state: Path, *options: str) -> Iterator[Server]:
    """The gateway on a free port with a state folder of its own; `options` are those of `trabecula serve`."""
    port = free_port()
    made = subprocess.run(
        [*TRABECULA, "create-key", "--name", "bench", "--scopes", SCOPES, "--json"],
        env=environment(state),
        capture_output=True,
        text=True,
        check=True,
    )
    began = time.perf_counter()
    with running(["serve", "--port", str(port), *options], state) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url)
        yield Server(url, process.pid, time.perf_counter() - began, json.loads(made.stdout)["key"])


@contextmanager
def running(command: Sequence[str], state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `trabecula` command until the block ends."""
    process = subprocess.Popen([*TRABECULA, *command], env=environment(state), stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(url: str) -> None:
    """Until the server answers, at most a minute."""
    end = time.perf_counter() + 60
    while time.perf_counter() < end:
        try:
            if httpx.get(f"{url}/health/ready", timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.02)
    raise TimeoutError("the server did not become ready within a minute")
