"""The gateway's own CPU time an assessment with a 500 kB image and a record; the services run in other processes."""

import statistics
import tempfile
from pathlib import Path

import httpx

from bench.fleet import Fleet, fleet_of
from bench.server import RECORD, started
from shared.radiograph.phantom import as_jpeg, knee

LIMIT_MS = 6.0
WANTED_BYTES = 500_000
ROUNDS = 4


def image_of_500_kb() -> bytes:
    """The phantom, with bytes after the end of the picture up to the size that is wanted: decoders ignore them."""
    picture = as_jpeg(knee(size=(1200, 1000)))
    return picture + bytes(WANTED_BYTES - len(picture))


def gateway_cpu(count: int) -> None:
    """Measure and print."""
    image = image_of_500_kb()
    with tempfile.TemporaryDirectory() as folder, fleet_of(Path(folder)) as fleet:
        rounds = _rounds(Path(folder), fleet, image, count // ROUNDS)
    print(
        f"gateway's CPU an assessment, image of {len(image) / 1000:.0f} kB: {statistics.median(rounds):.2f} ms median"
    )
    print(f"of {ROUNDS} rounds, {min(rounds):.2f} to {max(rounds):.2f} ms (limit {LIMIT_MS} ms)")


def _rounds(state: Path, fleet: Fleet, image: bytes, count: int) -> list[float]:
    """Milliseconds an assessment in each round."""
    milliseconds = []
    with (
        started(state, "--services", fleet.option) as server,
        httpx.Client(base_url=server.url, headers={"X-API-Key": server.key}, timeout=60) as client,
    ):
        _assess(client, image, 10)
        for _ in range(ROUNDS):
            before = server.cpu_s()
            _assess(client, image, count)
            milliseconds.append((server.cpu_s() - before) * 1000 / count)
    return milliseconds


def _assess(client: httpx.Client, image: bytes, count: int) -> None:
    for _ in range(count):
        answer = client.post("/v1/assessments", files={"image": ("knee.jpg", image)}, data={"clinical": RECORD})
        answer.raise_for_status()
