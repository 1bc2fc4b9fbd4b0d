"""Whether an installation that holds much answers as soon as one that holds little.

A new installation is filled by the stores' own rows (a patient for five assessments, lines of the trail, alerts,
observations), the content of one real answer under every id. At each size the routes and pages that people use are
asked in turn, and a backup and a check of the trail are timed with their memory. Fails (status 1) where one takes more
than twice as long at the largest size as at the smallest. `--database-url` names an empty PostgreSQL database in place
of SQLite.
"""

import asyncio
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx

from bench.server import RECORD, TRABECULA, environment, started
from gateway.assessing.administration import open_database
from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Database
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AssessmentRow, PatientRow
from gateway.platform.encryption import KeyEncryptionKey, installation_key
from gateway.records.encrypted import encrypt_assessment
from gateway.records.list_columns import list_columns
from gateway.records.observations import observation_row
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.contracts.assessment import Assessment

MOST = 2.0
SIZES = (1_000, 10_000, 100_000)
# Assessments a transaction, and how many belong to one patient.
AT_ONCE, OF_A_PATIENT = 1_000, 5
# One in so many is an emergency; of those that are older than the newest hundred, all but one in so many are closed.
EMERGENCIES, LEFT_OPEN = 500, 50
ROUNDS = 15
PASSWORD = "orbit-lantern-cedar-42"  # noqa: S105 -- of an installation that is deleted when this ends
ADMIN = "admin@bench.example"
SEEN = {"anatomy": "knee", "sex": "female", "age": "60-69", "device": "one"}


@dataclass
class Asked:
    """Milliseconds of each answer, by route and size; seconds and megabytes of each command."""

    routes: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    commands: dict[str, dict[int, tuple[float, float]]] = field(default_factory=dict)
    bytes_each: dict[int, float] = field(default_factory=dict)

    def median(self, route: str, size: int) -> float:
        """The middle of the rounds."""
        return statistics.median(self.routes[route][size])


@dataclass(frozen=True)
class Filler:
    """Stores assessments as the gateway does, without asking the services again.

    Args:
        assessment: that is stored again under other ids.
    """

    database: Database
    kek: KeyEncryptionKey
    organisation: UUID
    assessment: Assessment
    chance: random.Random

    async def fill(self, first: int, last: int) -> None:
        """Those with the numbers from first up to, and without, last."""
        for begin in range(first, last, AT_ONCE):
            end = min(begin + AT_ONCE, last)
            async with self.database.sessions.begin() as session:
                patients = Patients(self.database.sessions, self.kek)
                people = [
                    patients.new_row(self.organisation, patient_number=f"G{number // OF_A_PATIENT:07d}")
                    for number in range(begin, end, OF_A_PATIENT)
                ]
                session.add_all(people)
                await session.flush()
                rows = [
                    self._row(people[number // OF_A_PATIENT], last - begin - number) for number in range(end - begin)
                ]
                session.add_all(rows)
                session.add_all(observation_row(self.organisation, SEEN) for _ in rows)
                for row in rows:
                    made = AuditAction.ASSESSMENT_MADE
                    session.add(audit_row(self.organisation, row.created_by, made, str(row.id)))

    def _row(self, patient: PatientRow, from_the_end: int) -> AssessmentRow:
        assert patient.data_key is not None
        assessment = self.assessment.model_copy(
            update={"id": uuid7(), "created_at": now(), "patient_number": patient.patient_number}
        )
        columns = list_columns(assessment)
        if self.chance.randrange(EMERGENCIES) == 0:
            columns["urgency"] = 4
        is_open = from_the_end < 100 or self.chance.randrange(LEFT_OPEN) == 0
        return AssessmentRow(
            id=assessment.id,
            organisation_id=self.organisation,
            created_at=assessment.created_at,
            created_by="key:bench",
            status=assessment.status,
            patient_id=patient.id,
            case_status="new" if is_open else "closed",
            **columns,
            content=encrypt_assessment(self.kek.unwrap(patient.data_key, patient.id), assessment, None),
        )


def growth(sizes: Sequence[int], database_url: str | None) -> int:
    """Measure and print; the exit status is 1 where something is slower than it may be."""
    asked = Asked()
    with tempfile.TemporaryDirectory() as folder, addressed(database_url):
        state = Path(folder)
        run(state, "create-admin", "--email", ADMIN, "--password", PASSWORD)
        with started(state) as server:
            with httpx.Client(base_url=server.url, headers={"X-API-Key": server.key}, timeout=600) as client:
                made = client.post("/v1/assessments", files=form("G0")).raise_for_status()
            template = Assessment.model_validate(made.json())
            there = 1
            for size in sizes:
                began = time.perf_counter()
                asyncio.run(fill(state, template, there, size))
                there = size
                print(f"{size:,} assessments, filled in {time.perf_counter() - began:.0f} s", flush=True)
                ask_all(server.url, server.key, size, asked)
                for command in (("audit", "verify"), ("backup", str(state / f"{size}.zip"))):
                    asked.commands.setdefault(" ".join(command[: 2 if command[0] == "audit" else 1]), {})[size] = run(
                        state, *command
                    )
                asked.bytes_each[size] = held(state) / size
    print(table(asked, sizes))
    slow = [route for route in asked.routes if asked.median(route, sizes[-1]) > MOST * asked.median(route, sizes[0])]
    print(f"\nmore than {MOST:.0f} times as long at {sizes[-1]:,} as at {sizes[0]:,}: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


@contextmanager
def addressed(database_url: str | None) -> Iterator[None]:
    """With the database's address in the environment, where one is given."""
    if database_url:
        os.environ["TRABECULA_DATABASE_URL"] = database_url
    yield


async def fill(state: Path, template: Assessment, first: int, last: int) -> None:
    """Store what is missing up to a number."""
    settings = GatewaySettings(state_dir=state)
    async with open_database(settings) as database:
        kek = installation_key(settings)
        async with database.sessions() as session:
            row = await session.get_one(AssessmentRow, template.id)
        await Filler(database, kek, row.organisation_id, template, random.Random(first)).fill(first, last)


def ask_all(url: str, key: str, size: int, asked: Asked) -> None:
    """Every route and page in turn, some rounds."""
    with (
        httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=600) as program,
        signed_in(url) as browser,
    ):
        newest = program.get("/v1/assessments", params={"limit": 1}).raise_for_status().json()["items"][0]
        number = newest["patient_number"]
        routes: dict[str, Callable[[], httpx.Response]] = {
            "GET /v1/assessments": lambda: program.get("/v1/assessments"),
            "... of a patient": lambda: program.get("/v1/assessments", params={"patient_number": number}),
            "... that are partial": lambda: program.get("/v1/assessments", params={"status": "partial"}),
            "GET /v1/assessments/{id}": lambda: program.get(f"/v1/assessments/{newest['id']}"),
            "POST /v1/assessments, a record": lambda: program.post("/v1/assessments", files=form(number)),
            "GET /v1/patients/{id}/timeline": lambda: browser.get(f"/v1/patients/{number}/timeline"),
            "GET /v1/alerts": lambda: browser.get("/v1/alerts"),
            "GET /v1/audit": lambda: browser.get("/v1/audit"),
            "GET /v1/drift": lambda: browser.get("/v1/drift"),
            "page: work list": lambda: browser.get("/work-list"),
            "page: work list, emergencies": lambda: browser.get("/work-list", params={"show": "emergency"}),
            "page: work list, new": lambda: browser.get("/work-list", params={"status": "new"}),
            "page: work list, part of a number": lambda: browser.get("/work-list", params={"search": number[:7]}),
            "page: patients": lambda: browser.get("/patients"),
            "page: patients, part of a number": lambda: browser.get("/patients", params={"search": number[:7]}),
            "page: a result": lambda: browser.get(f"/assessments/{newest['id']}"),
            "page: alerts": lambda: browser.get("/alerts"),
            "page: audit": lambda: browser.get("/administration/audit"),
        }
        for _ in range(ROUNDS):
            for route, ask in routes.items():
                began = time.perf_counter()
                answer = ask()
                took = (time.perf_counter() - began) * 1000
                if answer.status_code not in (200, 201):
                    raise SystemExit(f"{route}: {answer.status_code} {answer.text[:300]}")
                asked.routes.setdefault(route, {}).setdefault(size, []).append(took)


def form(number: str) -> dict[str, tuple[None, str]]:
    """A record of a patient, as multipart."""
    return {"clinical": (None, RECORD), "patient_number": (None, number)}


@contextmanager
def signed_in(url: str) -> Iterator[httpx.Client]:
    """The administrator, who has the pages by a cookie and the routes by a token."""
    with httpx.Client(base_url=url, timeout=600, headers={"Accept": "text/html, application/json"}) as browser:
        form = {"username": ADMIN, "password": PASSWORD}
        token = browser.post("/v1/tokens", data=form).raise_for_status().json()["access_token"]
        csrf = browser.get("/session").json()["form_token"]
        browser.post("/sign-in", data={"csrf": csrf, "email": ADMIN, "password": PASSWORD})
        browser.headers["Authorization"] = f"Bearer {token}"
        yield browser


def run(state: Path, *command: str) -> tuple[float, float]:
    """Run a command of the installation; its seconds and megabytes."""
    began = time.perf_counter()
    process = subprocess.Popen([*TRABECULA, *command], env=environment(state), stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"trabecula {' '.join(command)} failed.")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def held(state: Path) -> int:
    """Bytes of the SQLite database; 0 of another one."""
    return sum(file.stat().st_size for file in state.glob("trabecula.db*"))


def table(asked: Asked, sizes: Sequence[int]) -> str:
    """A line a route, a column a size, in Markdown."""
    heads = " | ".join(f"{size:,}" for size in sizes)
    lines = [f"| ms, median of {ROUNDS} | {heads} | times |", "|---|" + "---:|" * (len(sizes) + 1)]
    for route in asked.routes:
        values = " | ".join(f"{asked.median(route, size):.0f}" for size in sizes)
        lines.append(f"| {route} | {values} | {asked.median(route, sizes[-1]) / asked.median(route, sizes[0]):.1f} |")
    for command, by_size in asked.commands.items():
        values = " | ".join(f"{by_size[size][0]:.1f} s, {by_size[size][1]:.0f} MB" for size in sizes)
        lines.append(f"| trabecula {command} | {values} | |")
    if any(asked.bytes_each.values()):
        lines.append(f"| bytes an assessment | {' | '.join(f'{asked.bytes_each[size]:,.0f}' for size in sizes)} | |")
    return "\n".join(lines)
