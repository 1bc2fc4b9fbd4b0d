"""Many clients while a service is killed every few seconds: what was acknowledged must be there afterwards.

Every request carries an Idempotency-Key and every fifth is sent again. Fails (status 1) where an answer was a 500,
where a 201 cannot be read afterwards as it was given, or where a repeated key made a second assessment.
"""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.fleet import fleet_of, killer
from bench.server import RECORD, Server, started
from shared.radiograph.phantom import as_jpeg, knee

EXPECTED = (201, 503)
REPEAT_EVERY = 5
PAGE = 100
# Patience of one client with a 503, which says by Retry-After when to come again.
MOST_ATTEMPTS = 100


@dataclass
class Outcome:
    """What the clients saw, and what was found afterwards."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    stored: int = 0
    broken: int = 0
    kills: int = 0
    seconds: float = 0

    @property
    def duplicates(self) -> int:
        """Assessments beyond one a key."""
        return self.stored - len(self.answers)

    @property
    def partial(self) -> int:
        """Assessments that lack the part of a service that was down."""
        return sum(answer["status"] == "partial" for answer in self.answers.values())

    @property
    def faults(self) -> list[str]:
        """Everything that should not be."""
        strange = {status: count for status, count in self.statuses.items() if status not in EXPECTED}
        faults = [f"{count} answers with status {status}" for status, count in strange.items()]
        faults += [f"{key} was never accepted" for key in self.refused]
        faults += [f"{key}: another answer the second time" for key in self.changed]
        faults += [f"{identity} cannot be read as it was given" for identity in self.unreadable]
        return faults + ([f"{self.duplicates} duplicates"] if self.duplicates else [])


def resilience(total: int, clients: int, kill_every_s: float) -> int:
    """Run, print, and return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = trial(Path(folder), total, clients, kill_every_s)
    print(f"{len(outcome.answers)} assessments by {clients} clients in {outcome.seconds:.0f} s, {outcome.kills} kills")
    print(f"answers by status {dict(outcome.statuses)}; {outcome.partial} partial; {outcome.broken} connections broke")
    print(f"read afterwards {len(outcome.answers) - len(outcome.unreadable)}, stored {outcome.stored}")
    print("\n".join(outcome.faults) or "nothing that was acknowledged was lost, changed or made twice")
    return 1 if outcome.faults else 0


def trial(state: Path, total: int, clients: int, kill_every_s: float) -> Outcome:
    """The system under load while its services die, and the look at it afterwards."""
    image, outcome = as_jpeg(knee(size=(1200, 1000))), Outcome()
    keys = iter([f"bench-{number}" for number in range(total)])
    with fleet_of(state) as fleet, started(state, "--services", fleet.option) as server:
        began = time.perf_counter()
        work = (server, image, keys, outcome, threading.Lock())
        with killer(fleet, kill_every_s):
            threads = [threading.Thread(target=_client, args=work) for _ in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        outcome.seconds, outcome.kills = time.perf_counter() - began, fleet.kills
        _look_again(server, outcome)
    return outcome


def _client(server: Server, image: bytes, keys: Iterator[str], outcome: Outcome, lock: threading.Lock) -> None:
    with httpx.Client(base_url=server.url, headers={"X-API-Key": server.key}, timeout=120) as http:
        while True:
            with lock:
                key = next(keys, None)
            if key is None:
                return
            answers = [_assess(http, image, key, outcome, lock)]
            if int(key.rpartition("-")[2]) % REPEAT_EVERY == 0:
                answers.append(_assess(http, image, key, outcome, lock))
            with lock:
                _note(outcome, key, answers)


def _note(outcome: Outcome, key: str, answers: list[dict[str, Any] | None]) -> None:
    if answers[0] is None or None in answers:
        outcome.refused.append(key)
        return
    outcome.answers[key] = answers[0]
    if any(answer != answers[0] for answer in answers):
        outcome.changed.append(key)


def _assess(
    http: httpx.Client, image: bytes, key: str, outcome: Outcome, lock: threading.Lock
) -> dict[str, Any] | None:
    """The answer, after as many attempts as a client makes that is asked to come again."""
    for _ in range(MOST_ATTEMPTS):
        files = {"image": ("knee.jpg", image), "clinical": (None, RECORD)}
        try:
            answer = http.post("/v1/assessments", files=files, headers={"Idempotency-Key": key})
        except httpx.TransportError:  # the same key asks for the answer that was lost
            with lock:
                outcome.broken += 1
            continue
        with lock:
            outcome.statuses[answer.status_code] += 1
        if answer.status_code != 503:
            return dict(answer.json()) if answer.status_code == 201 else None
        time.sleep(float(answer.headers["Retry-After"]))
    return None


def _look_again(server: Server, outcome: Outcome) -> None:
    with httpx.Client(base_url=server.url, headers={"X-API-Key": server.key}, timeout=120) as http:
        for answer in outcome.answers.values():
            again = http.get(f"/v1/assessments/{answer['id']}")
            if again.status_code != 200 or again.json() != answer:
                outcome.unreadable.append(str(answer["id"]))
        before = None
        while True:
            query = {"limit": PAGE, **({"before": before} if before else {})}
            page = http.get("/v1/assessments", params=query).json()
            outcome.stored += len(page["items"])
            if (before := page["next"]) is None:
                return
