"""The integrators' guide does what it says: its commands and its program run as they are written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import environment, running, trabecula

GUIDE = (Path(__file__).parents[2] / "docs" / "integrators.md").read_text(encoding="utf-8")
SCOPES = "assessments:write assessments:read models:read"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory, knee_jpeg):
    """A folder with a radiograph, a running installation and the environment of somebody who works with it."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "knee.jpg").write_bytes(knee_jpeg)
    with running("serve", state=folder / "state", log=folder / "server.log") as server:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        yield folder, environment(folder / "state", URL=server.url, PATH=path)


def ran(command, place, **more):
    folder, env = place
    done = subprocess.run(
        command, cwd=folder, env={**env, **more}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_commands_run_as_written(place):
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("curl and bash are not on this machine")
    script = "\n".join(["set -euo pipefail", *blocks("sh")])
    assert script.count("curl") >= 8
    ran(["bash", "-c", script], place)
    folder, _ = place
    assert json.loads((folder / "assessment.json").read_text())["patient_number"] == "MRN-1042"
    assert len(json.loads((folder / "page.json").read_text())["items"]) >= 1


def test_its_program_runs_as_written(place):
    made = trabecula("create-key", "--name", "guide", "--scopes", SCOPES, "--json", state=place[0] / "state")
    [program] = blocks("python")
    assert "complete" in ran([sys.executable, "-c", program], place, TRABECULA_KEY=json.loads(made.stdout)["key"])
