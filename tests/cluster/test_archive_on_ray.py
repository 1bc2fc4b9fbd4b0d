"""`trabecula run --engine ray` on a cluster of two nodes, one of which is lost on the way: `make test-cluster`."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from shared.radiograph import phantom
from tests.e2e.conftest import environment, free_port

pytestmark = pytest.mark.cluster
BIN = Path(__file__).parents[2] / ".venv-cluster" / "bin"
FILMS = 24


def ran(env, *command, **more):
    done = subprocess.run(
        [BIN / command[0], *command[1:]], env=env, capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The environment of somebody who works with two nodes of one processor each, on loopback."""
    assert (BIN / "ray").exists(), "python up.py --setup-only cluster makes .venv-cluster"
    # Ray's sockets lie below its folder, and their paths have a longest length.
    folder, port = tmp_path_factory.mktemp("ray"), free_port()
    address = f"127.0.0.1:{port}"
    env = environment(folder / "state", RAY_ADDRESS=address, RAY_USAGE_STATS_ENABLED="0", PATH=os.environ["PATH"])
    node = ("ray", "start", "--num-cpus=1", "--node-ip-address=127.0.0.1", "--disable-usage-stats")
    begun = {name: value for name, value in env.items() if name != "RAY_ADDRESS"}
    ran(begun, *node, "--head", f"--port={port}", "--include-dashboard=false", timeout=120)
    ran(begun, *node, f"--address={address}", timeout=120)
    yield env
    ran(begun, "ray", "stop", "--force", timeout=120)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    for number in range(FILMS):
        picture = phantom.knee(0.6 + 0.02 * number, number, (700, 550))
        (folder / f"{number:02d}.jpg").write_bytes(phantom.as_jpeg(picture))
    (folder / "letter.txt").write_text("Dear colleague")
    return folder


def rows_of(parquet):
    reading = "import sys, pyarrow.parquet as p; print(p.read_table(sys.argv[1]).to_pylist().__len__())"
    return int(ran(os.environ, "python", "-c", reading, str(parquet)))


def is_actor(process):
    with suppress(psutil.Error):
        return "ray::Worker" in " ".join(process.cmdline())
    return False


def test_two_nodes_assess_what_one_machine_does(cluster, archive, tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.parquet"
    ran(cluster, "trabecula", "run", str(archive), "--out", str(one), "--json")
    told = json.loads(
        ran(cluster, "trabecula", "run", str(archive), "--engine", "ray", "--out", str(two), "--json", timeout=300)
    )
    assert (told["read"], told["refused"], told["skipped"]) == (FILMS, 1, 0)
    lines = [sorted(table.read_text().splitlines()) for table in (one, two.with_suffix(".csv"))]
    assert lines[0] == lines[1]
    assert rows_of(two) == FILMS + 1


def test_a_node_that_is_lost_costs_no_film(cluster, archive, tmp_path):
    table = tmp_path / "results.csv"
    command = [BIN / "trabecula", "run", str(archive), "--engine", "ray", "--out", str(table), "--json"]
    with subprocess.Popen(command, env=cluster, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None and (not table.exists() or len(table.read_text().splitlines()) < 4):
            pass
        actors = [
            one for one in psutil.process_iter(["cmdline"]) if "ray::Worker" in " ".join(one.info["cmdline"] or [])
        ]
        actors[0].send_signal(signal.SIGKILL)
        out, error = run.communicate(timeout=300)
    assert run.returncode == 0, error
    assert json.loads(out)["read"] == FILMS
