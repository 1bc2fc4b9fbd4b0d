"""Films come in while Orthanc, gateway and router are killed: each is assessed once, and its report is in Orthanc."""

import asyncio
import json
import shutil
import subprocess
import sys

import pytest

from tests.dicom import said

MANY = 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("total", "kill_every_s", "kills"), [(8, 2, 3), pytest.param(MANY, 20, 10, marks=pytest.mark.router)]
)
async def test_no_film_is_lost_or_assessed_twice_whatever_is_killed(total, kill_every_s, kills):
    for name in ("Orthanc", "unshare", "ip"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not on this machine (apt install orthanc orthanc-dicomweb iproute2)")
    if "not" in await asyncio.to_thread(said, "unshare", "-n", "true"):
        # No program that could be installed: a container without the right for it lacks it for good.
        pytest.xfail("NOT RUN: this machine lets nobody make a network of one's own (unshare -n)")
    script = f'ip link set lo up && exec "{sys.executable}" -m tests.integration.router_trial "$@"'
    command = ["unshare", "-n", "sh", "-c", script, "sh", str(total), str(kill_every_s), str(kills)]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, timeout=900 if total < MANY else 5400
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["films"] == {"done": total}
    assert (told["reports"], told["most"], told["dead results"]) == (total, 1, 0)
    assert sum(told["kills"].values()) >= kills
    assert set(told["kills"]) == {"orthanc", "gateway", "router"}
    if total >= MANY:  # a figure is for a machine that does nothing else
        assert min(told["first_s"]) < 5
