"""Guides whose commands are run as they are written."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import environment, running

DOCS = Path(__file__).parents[2] / "docs"
Place = tuple[Path, dict[str, str]]


def blocks(guide: str, language: str) -> list[str]:
    """The blocks of this language in a guide."""
    text = (DOCS / guide).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@contextmanager
def installation(folder: Path) -> Iterator[Place]:
    """A running installation in a folder, and the environment of somebody who works with it."""
    with running("serve", state=folder / "state", log=folder / "server.log") as server:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        yield folder, environment(folder / "state", URL=server.url, PATH=path)


def ran(command: list[str], place: Place, **more: str) -> str:
    """What a command printed that has to succeed."""
    folder, env = place
    done = subprocess.run(
        command, cwd=folder, env={**env, **more}, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_commands(guide: str, place: Place, instead: Mapping[str, str] | None = None, then: str = "") -> str:
    """Run every shell block of a guide in one shell; the script that was run.

    Args:
        instead: pieces of the guide's commands, each with what is run in its place.
        then: commands that follow the guide's.
    """
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("curl and bash are not on this machine")
    script = "\n".join(["set -euo pipefail", *blocks(guide, "sh")])
    for piece, other in (instead or {}).items():
        assert piece in script, f"the guide has no '{piece}' any more"
        script = script.replace(piece, other)
    script += then
    ran(["bash", "-c", script], place)
    return script
