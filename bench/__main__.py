"""`make bench`: the whole embedded system over a real socket, as a clinic runs it.

Prints start to ready, memory, and the time of one assessment of a 2,400 x 2,000 JPEG (the drawn knee phantom, or a
radiograph of yours) with a record. Timings on a busy machine mislead: CPU time a request is the steadier figure.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from shared.radiograph.phantom import as_jpeg, knee

RECORD = '{"age": 67, "gender": "female", "menopausal_status": "postmenopausal", "weight_kg": 58, "height_cm": 158}'
SCOPES = "assessments:write assessments:read models:read"
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass
class Server:
    """A started embedded system."""

    url: str
    pid: int
    start_s: float
    key: str

    def cpu_s(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def started(state: Path) -> Iterator[Server]:
    """The server on a free port with a state folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TRABECULA_STATE_DIR": str(state), "TRABECULA_PORT": str(port)}
    trabecula = [sys.executable, "-m", "gateway.cli"]
    made = subprocess.run(
        [*trabecula, "create-key", "--name", "bench", "--scopes", SCOPES, "--json"], env=environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen([*trabecula, "serve"], env=environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url)
        yield Server(url, process.pid, time.perf_counter() - began, json.loads(made.stdout)["key"])
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


def assess(client: httpx.Client, image: bytes, count: int) -> list[float]:
    """Milliseconds of each of `count` assessments, one after another."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        answer = client.post("/v1/assessments", files={"image": ("knee.jpg", image)}, data={"clinical": RECORD})
        times.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, help="a radiograph of yours in place of the phantom")
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    image = options.image.read_bytes() if options.image else as_jpeg(knee(size=(2400, 2000)))
    with tempfile.TemporaryDirectory() as folder:
        starts = []
        for _ in range(3):
            with started(Path(folder)) as server:
                starts.append(server.start_s)
        with started(Path(folder)) as server:
            headers = {"X-API-Key": server.key}
            with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
                assess(client, image, 5)
                cpu = server.cpu_s()
                times = assess(client, image, options.count)
                cpu = (server.cpu_s() - cpu) * 1000 / options.count
            memory = server.memory_mb()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, image {len(image) / 1e6:.2f} MB")
    print(f"start to ready      median {statistics.median(starts):6.2f} s   of {len(starts)} (limit 5 s)")
    print(f"memory              {memory:6.0f} MB after {options.count + 5} assessments (limit 450 MB)")
    low, high = min(times), sorted(times)[int(len(times) * 0.95)]
    print(
        f"one assessment      median {statistics.median(times):6.1f} ms  (min {low:.1f}, 95 % {high:.1f}; limit 250 ms)"
    )
    print(f"CPU an assessment   {cpu:6.1f} ms")


if __name__ == "__main__":
    main()
