"""The same networks and the same JPEG behind other ways of serving: mosec, LitServe, BentoML, Flask with Keras.

Each runs in an environment of its own, which this command makes (some minutes, the first time), with two workers, all
of them in turn in every round. Their task is the imaging service's: a film's bytes in, the finding out. Beside them
stand that service alone, and the whole system, which also knows who asks, grades the knee, reads the record,
recommends, and stores the answer encrypted. Timings on a busy machine mislead; CPU time a request is the steadier
figure.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.peers.task import SECRET, WORKERS
from bench.server import RECORD, TRABECULA, cpu_s, environment, free_port
from shared.internal_token import HEADER, issue
from shared.radiograph.phantom import as_jpeg, knee

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "build" / "peers"
NETWORKS = {
    "imaging": "services/imaging/model/imaging.onnx",
    "knee_joints": "shared/radiograph/model/knee_joints.onnx",
}
CLIENTS = (1, 4, 16)
# Seconds that each number of clients asks, and requests before anything counts.
ASKING_S, WARM_UP = 4.0, 6
START_S = 90.0


@dataclass(frozen=True)
class Peer:
    """One way of serving.

    Args:
        name: as the table has it. package: whose version stands beside it. purpose: of its environment; null is ours.
        command: `{python}` and `{port}` are filled in. path: of the request.
        image_field: of the form that holds the image; null where it is the body.
        form, headers: that go with it. finding: where the answer has it.
        env: settings of its own.
    """

    name: str
    package: str
    purpose: str | None
    command: tuple[str, ...]
    path: str
    image_field: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    finding: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Of the package that it is named after, in its environment."""
        if self.purpose is None:
            return distribution(self.package).version
        asked = f"from importlib.metadata import version; print(version({self.package!r}))"
        return subprocess.run([self.python(), "-c", asked], capture_output=True, text=True, check=True).stdout.strip()

    def python(self) -> str:
        """The interpreter of its environment."""
        return str(ROOT / f".venv-{self.purpose}" / "bin" / "python") if self.purpose else sys.executable


PEERS = (
    Peer(
        "Trabecula, imaging service",
        "trabecula",
        None,
        ("{python}", "-m", "services.imaging", "--port", "{port}"),
        "/v1/classify",
        image_field="image",
        finding="finding",
        env={"TRABECULA_WORKERS": str(WORKERS)},
    ),
    Peer(
        "mosec",
        "mosec",
        "peer-mosec",
        ("{python}", "-m", "bench.peers.with_mosec", "--address", "127.0.0.1", "--port", "{port}"),
        "/inference",
    ),
    Peer(
        "LitServe",
        "litserve",
        "peer-litserve",
        ("{python}", "-m", "bench.peers.with_litserve", "{port}"),
        "/predict",
        image_field="request",
    ),
    Peer(
        "BentoML",
        "bentoml",
        "peer-bentoml",
        ("{python}", "-m", "bentoml", "serve", "bench.peers.with_bentoml:Reader", "--port", "{port}"),
        "/read",
        image_field="image",
        env={"BENTOML_HOME": str(MODELS / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"},
    ),
    Peer(
        "Flask + Keras",
        "flask",
        "peer-flask",
        (
            *("{python}", "-m", "gunicorn", "--workers", str(WORKERS), "--bind", "127.0.0.1:{port}"),
            "bench.peers.with_flask:app",
        ),
        "/read",
        image_field="image",
        env={"PEER_MODELS": str(MODELS), "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
    ),
    Peer(
        "Trabecula, whole",
        "trabecula",
        None,
        (*TRABECULA, "serve", "--port", "{port}"),
        "/v1/assessments",
        image_field="image",
        form={"clinical": RECORD},
        finding="imaging",
    ),
)


@dataclass
class Measured:
    """What was measured of one peer, a value a round; by the number of clients where it depends on that."""

    start_s: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    cpu_ms: dict[int, list[float]] = field(default_factory=dict)
    a_second: dict[int, list[float]] = field(default_factory=dict)
    times_ms: dict[int, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A peer that answers."""

    pid: int
    url: str
    headers: Mapping[str, str]

    def processes(self) -> list[psutil.Process]:
        """It and what it has started."""
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]

    def cpu_s(self) -> float:
        """Of all of them."""
        return sum(cpu_s(process.pid) for process in self.processes())

    def memory_mb(self) -> float:
        """Of all of them, what is shared counted once."""
        return sum(float(process.memory_full_info().pss) for process in self.processes()) / 1e6


def peers(rounds: int, out: Path | None) -> int:
    """Measure and print; the exit status is 1 where one answers another finding, or is ahead of the imaging service."""
    set_up()
    image = as_jpeg(knee(size=(2400, 2000)))
    measured = {peer.name: Measured() for peer in PEERS}
    findings = {}
    for _ in range(rounds):
        for peer in PEERS:
            findings[peer.name] = measure(peer, image, measured[peer.name])
    versions = {peer.name: peer.version() for peer in PEERS}
    print(table(measured, versions))
    if out:
        out.write_text(json.dumps(as_json(measured, versions), indent=1) + "\n", encoding="utf-8")
    ours, *others = PEERS[:-1]
    unlike = [peer.name for peer in PEERS if not alike(findings[peer.name], findings[ours.name])]
    if unlike:
        print(f"\nAnother finding than the imaging service's: {', '.join(unlike)}")
    ahead = [peer.name for peer in others if cpu_of(measured[peer.name]) < cpu_of(measured[ours.name])]
    print(
        f"\nCPU a request with one client: {'ahead of us: ' + ', '.join(ahead) if ahead else 'nobody is ahead of us'}"
    )
    return 1 if unlike or ahead else 0


def set_up() -> None:
    """Every peer's environment, and the networks as Keras reads them."""
    for peer in PEERS:
        if peer.purpose:
            subprocess.run([sys.executable, str(ROOT / "up.py"), "--setup-only", peer.purpose], check=True)
    if not all((MODELS / name / "1").is_dir() for name in NETWORKS):
        python = str(ROOT / ".venv-peer-flask" / "bin" / "python")
        named = [f"{name}={file}" for name, file in NETWORKS.items()]
        command = [python, "-m", "shared.training.saved_model", "--output", str(MODELS), "--version", "1", *named]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(peer: Peer, image: bytes, measured: Measured) -> dict[str, Any]:
    """One round of one peer; the finding that it answered."""
    with tempfile.TemporaryDirectory() as folder, started(peer, Path(folder), image) as (server, start_s):
        measured.start_s.append(start_s)
        request = request_of(peer, image)
        with httpx.Client(headers=server.headers, timeout=60) as client:
            for _ in range(WARM_UP):
                answer = client.post(server.url + peer.path, **request)
        answer.raise_for_status()
        for clients in CLIENTS:
            before, began = server.cpu_s(), time.perf_counter()
            times = asyncio.run(asked(server, peer, request, clients))
            took = time.perf_counter() - began
            measured.cpu_ms.setdefault(clients, []).append((server.cpu_s() - before) * 1000 / len(times))
            measured.a_second.setdefault(clients, []).append(len(times) / took)
            measured.times_ms.setdefault(clients, []).extend(times)
        measured.memory_mb.append(server.memory_mb())
    body: dict[str, Any] = answer.json()
    return body[peer.finding] if peer.finding else body


async def asked(server: Started, peer: Peer, request: Mapping[str, Any], clients: int) -> list[float]:
    """Milliseconds of each request of so many clients, each of which asks again as soon as it is answered."""
    times: list[float] = []
    end = time.perf_counter() + ASKING_S

    async def ask(client: httpx.AsyncClient) -> None:
        while (began := time.perf_counter()) < end:
            answer = await client.post(server.url + peer.path, **request)
            answer.raise_for_status()
            times.append((time.perf_counter() - began) * 1000)

    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(headers=server.headers, timeout=60, limits=limits) as client:
        await asyncio.gather(*(ask(client) for _ in range(clients)))
    return times


def request_of(peer: Peer, image: bytes) -> dict[str, Any]:
    """How it wants the image."""
    if peer.image_field is None:
        return {"content": image}
    return {"files": {peer.image_field: ("knee.jpg", image, "image/jpeg")}, "data": dict(peer.form)}


@contextmanager
def started(peer: Peer, folder: Path, image: bytes) -> Iterator[tuple[Started, float]]:
    """A peer on a free port, and the seconds until it answered the image for the first time."""
    port = free_port()
    env = environment(folder) | {"PYTHONPATH": str(ROOT), "TRABECULA_INTERNAL_SECRET": SECRET, **peer.env}
    headers = headers_of(peer, env)
    command = [part.format(python=peer.python(), port=port) for part in peer.command]
    began = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        server = Started(process.pid, f"http://127.0.0.1:{port}", headers)
        try:
            wait_for(server, peer, image, folder / "log")
            yield server, time.perf_counter() - began
        finally:
            for one in reversed(server.processes()):
                with suppress(psutil.NoSuchProcess):
                    one.terminate()
            process.wait(timeout=30)


def headers_of(peer: Peer, env: Mapping[str, str]) -> dict[str, str]:
    """How it knows who asks; the peers do not ask."""
    if peer.name == "Trabecula, imaging service":
        return {HEADER: issue(SECRET, "imaging")}
    if peer.name != "Trabecula, whole":
        return {}
    made = [*TRABECULA, "create-key", "--name", "bench", "--scopes", "assessments:write", "--json"]
    key = json.loads(subprocess.run(made, env=env, capture_output=True, text=True, check=True).stdout)["key"]
    return {"X-API-Key": key}


def wait_for(server: Started, peer: Peer, image: bytes, log: Path) -> None:
    """Until it answers the image.

    Raises:
        SystemExit: it does not within a minute and a half.
    """
    end = time.perf_counter() + START_S
    last = "nothing answers"
    while time.perf_counter() < end:
        try:
            answer = httpx.post(server.url + peer.path, headers=server.headers, timeout=20, **request_of(peer, image))
            if answer.is_success:
                return
            last = f"{answer.status_code} {answer.text[:300]}"
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{peer.name} does not answer: {last}\n{log.read_text(errors='replace')[-2000:]}")


def alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two findings are the same, but for the last digit of a probability."""
    same = one["label"] == other["label"] and one["anatomy"] == other["anatomy"]
    return same and all(abs(one["bone"][name] - other["bone"][name]) < 2e-3 for name in other["bone"])


def cpu_of(measured: Measured) -> float:
    """Milliseconds of CPU a request, with one client."""
    return statistics.median(measured.cpu_ms[1])


def table(measured: Mapping[str, Measured], versions: Mapping[str, str]) -> str:
    """A line a peer, in Markdown."""
    asked_by = " | ".join(f"requests/s, {clients}" for clients in CLIENTS)
    late = " | ".join(f"ms, {clients} (95 %)" for clients in CLIENTS)
    lines = [
        f"| | version | CPU ms a request | {asked_by} | {late} | memory MB | start s |",
        "|---|---|" + "---:|" * (3 + 2 * len(CLIENTS)),
    ]
    for name, one in measured.items():
        rates = " | ".join(f"{statistics.median(one.a_second[clients]):.1f}" for clients in CLIENTS)
        times = " | ".join(
            f"{percentile(one.times_ms[clients], 0.5):.0f} ({percentile(one.times_ms[clients], 0.95):.0f})"
            for clients in CLIENTS
        )
        memory, start = statistics.median(one.memory_mb), statistics.median(one.start_s)
        lines.append(
            f"| {name} | {versions[name]} | {cpu_of(one):.1f} | {rates} | {times} | {memory:.0f} | {start:.1f} |"
        )
    return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def as_json(measured: Mapping[str, Measured], versions: Mapping[str, str]) -> dict[str, Any]:
    """Every value of every round."""
    return {
        "cores": os.cpu_count(),
        "peers": {name: {"version": versions[name], **vars(one)} for name, one in measured.items()},
    }
