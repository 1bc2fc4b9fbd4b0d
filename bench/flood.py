"""How the staff fare beside strangers who never stop: the same work alone, and beside a flood.

Four clients send images and sixteen send records, all of them the clinic's; the strangers are patients who registered
themselves, each sending pictures and records as fast as answers come, whatever these are. Fails (status 1) where an
answer of the staff is not a 201, where one of them cannot be read afterwards, where anybody meets a 5xx other than 503,
or where the staff's 95th percentile beside the flood is more than twice that alone.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.server import RECORD, Server, started
from shared.radiograph.phantom import as_jpeg, knee

PASSWORD = "orbit-lantern-cedar-42"  # noqa: S105 -- of accounts that live as long as the run
MOST = 2.0
# Settings that let so many accounts of one address register and sign in within the minute that this takes.
SETTINGS = {
    "TRABECULA_LOGINS_PER_ADDRESS_PER_MINUTE": "100000",
    "TRABECULA_LOGINS_PER_MINUTE": "100000",
    "TRABECULA_REGISTRATION_CODE": "bench-registration-code",
}


@dataclass
class Load:
    """What a run of the staff's work came to."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    made: list[str] = field(default_factory=list)
    strangers: Counter[int] = field(default_factory=Counter)

    @property
    def p95(self) -> float:
        """Seconds within which 95 of a hundred were answered."""
        return statistics.quantiles(self.seconds, n=20)[-1]


def flood(total: int, strangers: int) -> int:
    """Run, print, and return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        alone, beside, lost = asyncio.run(_trial(Path(folder), total, strangers))
    for name, load in (("alone", alone), (f"beside {strangers} strangers", beside)):
        middle = statistics.median(load.seconds)
        print(f"{name}: {total} assessments, median {middle:.2f} s, p95 {load.p95:.2f} s, {dict(load.statuses)}")
    ratio = beside.p95 / alone.p95
    print(f"the strangers' answers {dict(beside.strangers)}; ratio of p95 {ratio:.2f} (at most {MOST})")
    bad = [status for load in (alone, beside) for status in load.statuses if status != 201]
    bad += [status for status in beside.strangers if status >= 500 and status != 503]
    print(f"{lost} of what the staff made cannot be read afterwards")
    return 1 if bad or lost or ratio > MOST else 0


async def _trial(state: Path, total: int, strangers: int) -> tuple[Load, Load, int]:
    image = as_jpeg(knee(size=(1200, 1000)))
    os.environ.update(SETTINGS)
    with started(state) as server:
        await _staff(server, image, 40, Load())  # warm
        alone = Load()
        await _staff(server, image, total, alone)
        people = await _register(server, strangers)
        beside = Load()
        flooding = [asyncio.create_task(_stranger(server, token, image, beside)) for token in people]
        await asyncio.sleep(5)
        await _staff(server, image, total, beside)
        for task in flooding:
            task.cancel()
        await asyncio.gather(*flooding, return_exceptions=True)
        return alone, beside, await _lost(server, alone.made + beside.made)


async def _staff(server: Server, image: bytes, total: int, load: Load) -> None:
    """Four clients with images and sixteen with records do `total` assessments between them."""
    left = iter(range(total))

    async def work(with_image: bool) -> None:
        files: dict[str, tuple[str | None, str | bytes]] = {"clinical": (None, RECORD)}
        if with_image:
            files["image"] = ("knee.jpg", image)
        async with httpx.AsyncClient(base_url=server.url, headers={"X-API-Key": server.key}, timeout=120) as client:
            for _ in left:
                began = time.perf_counter()
                answer = await client.post("/v1/assessments", files=files)
                load.seconds.append(time.perf_counter() - began)
                load.statuses[answer.status_code] += 1
                if answer.is_success:
                    load.made.append(answer.json()["id"])

    await asyncio.gather(*(work(number < 4) for number in range(20)))


async def _stranger(server: Server, token: str, image: bytes, load: Load) -> None:
    headers, turn = {"Authorization": f"Bearer {token}"}, 0
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=120) as client:
        while True:
            turn += 1
            files: dict[str, tuple[str | None, str | bytes]] = {"clinical": (None, RECORD)}
            if turn % 2:
                files["image"] = ("knee.jpg", image)
            try:
                load.strangers[(await client.post("/v1/assessments", files=files)).status_code] += 1
            except httpx.HTTPError:
                load.strangers[0] += 1
            await asyncio.sleep(0.01)


async def _register(server: Server, count: int) -> list[str]:
    """So many patients with accounts of their own; their access tokens."""
    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
        tokens = []
        for number in range(count):
            email = f"stranger{number}@home.example"
            body = {"email": email, "password": PASSWORD, "registration_code": SETTINGS["TRABECULA_REGISTRATION_CODE"]}
            (await client.post("/v1/accounts", json=body)).raise_for_status()
            answer = await client.post("/v1/tokens", data={"username": email, "password": PASSWORD})
            tokens.append(answer.raise_for_status().json()["access_token"])
    return tokens


async def _lost(server: Server, made: list[str]) -> int:
    async with httpx.AsyncClient(base_url=server.url, headers={"X-API-Key": server.key}, timeout=60) as client:
        found = [await client.get(f"/v1/assessments/{identity}") for identity in made]
    return sum(not answer.is_success for answer in found)
