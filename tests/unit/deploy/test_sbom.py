"""The lists of what containers carry: every package that is installed there, and no other."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def sbom():
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "deploy" / "sbom.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_other_systems_install_is_left_out(sbom, tmp_path):
    lock = tmp_path / "a.txt"
    windows = ["colorama==0.4 ; sys_platform == 'win32' \\", "    --hash=sha256:aa"]
    here = ["uvloop==1 ; sys_platform != 'win32' \\", "    --hash=sha256:bb \\", "    --hash=sha256:cc"]
    here += [
        "pycparser==3 ; implementation_name != 'PyPy' \\",
        "    --hash=sha256:dd",
        "six==1 \\",
        "    --hash=sha256:ee",
    ]
    lock.write_text("\n".join(["# made", *windows, *here]) + "\n")
    assert sbom.carried(lock) == "\n".join(here) + "\n"


@pytest.mark.parametrize("name", ["gateway", "imaging"])
def test_the_document_names_what_the_lock_installs(sbom, name):
    subprocess.run([sys.executable, ROOT / "deploy" / "sbom.py", name], check=True, capture_output=True)
    document = json.loads((ROOT / "build" / "sbom" / f"{name}.cdx.json").read_text())
    lock = sbom.carried(ROOT / "requirements" / f"{name}.txt")
    wanted = {line.split()[0].split(";")[0] for line in lock.splitlines() if "==" in line}
    assert {f"{part['name']}=={part['version']}" for part in document["components"]} == wanted
    assert "colorama" not in {part["name"] for part in document["components"]}
    assert all(part["externalReferences"][0]["hashes"] for part in document["components"])
