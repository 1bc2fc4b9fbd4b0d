"""Two hundred files that ask for much: the whole installation stays small, answers, and goes on."""

import json
import sys
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from shared.radiograph import phantom
from tests.e2e.conftest import running, trabecula
from tests.fuzz.hostile import hostile_files

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")]
FILES, MOST_MB, SENDERS = 200, 600, 2


class Watch:
    """The most memory that a process and its children have had together, shared pages counted once."""

    def __init__(self, root: psutil.Process) -> None:
        self._root, self._over = root, threading.Event()
        self.peak_mb = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.01):
            parts = [share_mb(process.pid) for process in (self._root, *self._root.children(recursive=True))]
            self.peak_mb = max(self.peak_mb, sum(parts))

    def end(self) -> float:
        self._over.set()
        self._thread.join()
        return self.peak_mb


def share_mb(pid: int) -> float:
    """Proportional set size: pages of libraries that several processes have count once among them."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(rollup.split("\nPss:")[1].split()[0]) / 1000


def test_two_hundred_hostile_files_cost_less_than_600_mb(tmp_path):
    state, good = tmp_path / "state", phantom.as_jpeg(phantom.knee(size=(1200, 1000)))
    with running("serve", state=state, log=tmp_path / "server.log") as server:
        key = json.loads(
            trabecula("create-key", "--name", "ward", "--scopes", "assessments:write", "--json", state=state).stdout
        )["key"]
        port = int(server.url.rsplit(":", 1)[1])
        root = next(
            psutil.Process(connection.pid)
            for connection in psutil.net_connections("tcp")
            if connection.laddr.port == port and connection.status == "LISTEN" and connection.pid
        )
        statuses: list[int] = []
        files = iter(list(hostile_files(FILES)))
        lock = threading.Lock()

        def send() -> None:
            with httpx.Client(base_url=server.url, headers={"X-API-Key": key}, timeout=60) as client:
                while True:
                    with lock:
                        data = next(files, None)
                    if data is None:
                        return
                    statuses.append(client.post("/v1/assessments", files={"image": ("film", data)}).status_code)

        watch = Watch(root)
        senders = [threading.Thread(target=send) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        peak = watch.end()
        with httpx.Client(base_url=server.url, headers={"X-API-Key": key}, timeout=60) as client:
            after = client.post("/v1/assessments", files={"image": ("film", good)})
    print(f"peak {peak:.0f} MB, answers {dict.fromkeys(statuses)}")
    assert len(statuses) == FILES
    assert set(statuses) <= {201, 413, 422}
    assert after.status_code == 201
    assert peak < MOST_MB
