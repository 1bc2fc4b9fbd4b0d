"""Prometheus' own tool on the alert rules and on their tests."""

import shutil
import subprocess
from pathlib import Path

import pytest

OBSERVABILITY = Path(__file__).parents[3] / "deploy" / "observability"


@pytest.mark.parametrize("arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")])
def test_promtool_is_content(arguments):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on this machine: it comes with Prometheus (Debian: prometheus)")
    done = subprocess.run([promtool, *arguments], cwd=OBSERVABILITY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
