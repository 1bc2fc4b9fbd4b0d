"""How fast the whole embedded system is over a real socket, as a clinic runs it.

Start to ready, memory, and the time of one assessment of a 2,400 x 2,000 JPEG (the drawn knee phantom, or a radiograph
of yours) with a record. Timings on a busy machine mislead: CPU time a request is the steadier figure.
"""

import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from bench.server import RECORD, started
from shared.radiograph.phantom import as_jpeg, knee


def assess(client: httpx.Client, image: bytes, count: int) -> list[float]:
    """Milliseconds of each of `count` assessments, one after another."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        answer = client.post("/v1/assessments", files={"image": ("knee.jpg", image)}, data={"clinical": RECORD})
        times.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    return times


def speed(given: Path | None, count: int) -> None:
    """Measure and print."""
    image = given.read_bytes() if given else as_jpeg(knee(size=(2400, 2000)))
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
                times = assess(client, image, count)
                cpu = (server.cpu_s() - cpu) * 1000 / count
            memory = server.memory_mb()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, image {len(image) / 1e6:.2f} MB")
    print(f"start to ready      median {statistics.median(starts):6.2f} s   of {len(starts)} (limit 5 s)")
    print(f"memory              {memory:6.0f} MB after {count + 5} assessments (limit 450 MB)")
    low, high = min(times), sorted(times)[int(len(times) * 0.95)]
    print(
        f"one assessment      median {statistics.median(times):6.1f} ms  (min {low:.1f}, 95 % {high:.1f}; limit 250 ms)"
    )
    print(f"CPU an assessment   {cpu:6.1f} ms")
