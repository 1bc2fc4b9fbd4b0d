"""The integrators' guide does what it says: its commands and its program run as they are written."""

import json
import sys

import pytest

from tests.e2e.conftest import trabecula
from tests.e2e.guides import blocks, installation, ran, run_commands

GUIDE = "integrators.md"
SCOPES = "assessments:write assessments:read models:read"


@pytest.fixture(scope="module")
def place(tmp_path_factory, knee_jpeg):
    """A folder with a radiograph, a running installation and the environment of somebody who works with it."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "knee.jpg").write_bytes(knee_jpeg)
    with installation(folder) as found:
        yield found


def test_its_commands_run_as_written(place):
    assert run_commands(GUIDE, place).count("curl") >= 8
    folder, _ = place
    assert json.loads((folder / "assessment.json").read_text())["patient_number"] == "MRN-1042"
    assert len(json.loads((folder / "page.json").read_text())["items"]) >= 1


def test_its_program_runs_as_written(place):
    made = trabecula("create-key", "--name", "guide", "--scopes", SCOPES, "--json", state=place[0] / "state")
    [program] = blocks(GUIDE, "python")
    assert "complete" in ran([sys.executable, "-c", program], place, TRABECULA_KEY=json.loads(made.stdout)["key"])
