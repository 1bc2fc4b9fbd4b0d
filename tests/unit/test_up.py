"""The set-up: which Python, when to skip, how to recover, what to say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import up

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX system is needed")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as up.py sees one, with locks that install nothing."""
    (tmp_path / "requirements").mkdir()
    for name in ("run", "test", "training"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"# {name}\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (tmp_path / "backend.py").write_text(BACKEND, encoding="utf-8")
    shutil.copy(up.ROOT / "up.py", tmp_path)
    monkeypatch.setattr(up, "ROOT", tmp_path)
    return tmp_path


PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "little"
version = "1"
"""
# The least that `pip install -e .` accepts, so that these tests install nothing from anywhere.
BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(folder + "/little-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("little-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: little\\nVersion: 1\\n")
        wheel.writestr("little-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("little-1.dist-info/RECORD", "")
    return "little-1-py3-none-any.whl"
"""


def finished(project: Path, purpose: str) -> Path:
    """An environment that looks as a finished set-up leaves it."""
    venv = project / ".venv"
    up.python_in(venv).parent.mkdir(parents=True, exist_ok=True)
    up.python_in(venv).touch()
    up.write_stamp(venv, up.fingerprint(project / "requirements" / f"{purpose}.txt"))
    return venv


def run_up(project: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(project / "up.py"), *arguments]
    return subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)


# --- which Python


@pytest.mark.parametrize(("version", "fits"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_the_range_of_pythons(version: tuple[int, int], fits: bool) -> None:
    assert up.fits(version) is fits


@POSIX_ONLY
def test_another_python_is_found_and_a_stub_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, script in (("python3.12", "exit 127"), ("python3.13", f'exec "{sys.executable}" "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = up.other_python()
    assert found is not None
    assert Path(found).resolve() == Path(sys.executable).resolve()


def test_without_a_fitting_python_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(up, "fits", lambda version: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(up.SetupError, match=r"3\.11, 3\.12 or 3\.13 is needed and this is 3\.\d+: install"):
        up.require_python([])


def test_a_better_python_gets_the_same_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(up, "fits", lambda version: False)
    monkeypatch.setattr(up, "other_python", lambda: "better")
    monkeypatch.setattr(up, "replace", started.append)
    up.require_python(["--port", "8081"])
    assert started == [["better", str(up.ROOT / "up.py"), "--port", "8081"]]


# --- when to skip


def test_a_finished_environment_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(project, "run")
    monkeypatch.setattr(up, "set_up", lambda venv, lock: pytest.fail("nothing changed"))
    assert up.ensure("run") == str(up.python_in(project / ".venv"))


@pytest.mark.parametrize(("have", "want", "anew"), [("test", "run", False), ("run", "test", True)])
def test_the_test_tools_include_what_running_needs(
    project: Path, monkeypatch: pytest.MonkeyPatch, have: str, want: str, anew: bool
) -> None:
    finished(project, have)
    calls: list[str] = []
    monkeypatch.setattr(up, "set_up", lambda venv, lock: calls.append(lock.stem))
    up.ensure(want)
    assert calls == ([want] if anew else [])


@pytest.mark.parametrize("file", ["requirements/run.txt", "pyproject.toml"])
def test_a_changed_description_is_noticed(project: Path, file: str) -> None:
    venv = finished(project, "run")
    (project / file).write_text("# changed\n", encoding="utf-8")
    assert up.read_stamp(venv) != up.fingerprint(project / "requirements" / "run.txt")
    assert up.read_stamp(venv)  # packages are added to it; it is not made anew


def test_a_moved_folder_or_another_python_needs_a_new_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = finished(project, "run")
    monkeypatch.setattr(up, "running", lambda: "3.99")
    assert up.read_stamp(venv) == ""
    monkeypatch.undo()
    assert up.read_stamp(venv) == ""  # up.ROOT is the real one again, so the stamp is another folder's


def test_half_an_environment_counts_as_none(project: Path) -> None:
    venv = finished(project, "run")
    up.write_stamp(venv, up.INSTALLING)
    assert up.read_stamp(venv) == ""
    (venv / up.STAMP).unlink()
    assert up.read_stamp(venv) == ""
    finished(project, "run")
    up.python_in(venv).unlink()
    assert up.read_stamp(venv) == ""


def test_a_failed_renewal_keeps_what_was_there(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv = finished(project, "run")
    before = up.read_stamp(venv)
    (project / "requirements" / "run.txt").write_text("# newer\n", encoding="utf-8")

    def failing(venv: Path, *arguments: str) -> None:
        raise up.SetupError("no network")

    monkeypatch.setattr(up, "pip", failing)
    with pytest.raises(up.SetupError, match="no network"):
        up.ensure("run")
    assert up.read_stamp(venv) == before


# --- what to say


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("WARNING: Retrying (Retry(total=4\nERROR: Could not find a version that satisfies", "no network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "differs from the lock"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: Could not find a version that satisfies the requirement", "does not exist for this system"),
        ("ERROR: something new", "ERROR: something new"),
        ("", "could not be installed"),
    ],
)
def test_a_failed_pip_is_put_in_words(said: str, told: str) -> None:
    assert told in up.cause(said)


def test_without_ensurepip_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(up.SetupError, match=rf"apt install python{up.running()}-venv"):
        up.make_venv(tmp_path / ".venv")


def test_a_folder_that_cannot_be_used_is_one_line(project: Path) -> None:
    (project / ".venv-lock").mkdir()  # stands for a folder without the right to write, which root does not know
    tried = run_up(project, "--setup-only")
    assert tried.returncode == 1
    assert len(tried.stderr.strip().splitlines()) == 1
    assert tried.stderr.startswith("up.py: ")


def test_help_sets_nothing_up(project: Path) -> None:
    assert "python up.py --test" in run_up(project, "--help").stdout
    assert not (project / ".venv").exists()


# --- the real thing, on a project that needs no packages


def test_a_broken_environment_recovers_and_the_next_start_is_quick(project: Path) -> None:
    python = up.python_in(project / ".venv")
    python.parent.mkdir(parents=True)
    python.write_text("not an interpreter", encoding="utf-8")
    first, second = run_up(project, "--setup-only"), run_up(project, "--setup-only")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "Setting up .venv from run.txt" in first.stdout
    assert second.stdout == ""
    asked = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True)
    assert "little" in asked.stdout


def test_without_a_network_the_first_time_one_line_says_so(project: Path) -> None:
    lock = f"little-else==1.0 \\\n    --hash=sha256:{'0' * 64}\n"
    (project / "requirements" / "run.txt").write_text(lock, encoding="utf-8")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull}
    tried = run_up(project, "--setup-only", **nowhere)
    assert tried.returncode == 1
    assert tried.stderr.startswith("up.py: no network: ")
    assert len(tried.stderr.strip().splitlines()) == 1
