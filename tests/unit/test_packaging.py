"""What a clone installs: the locks, the components' shares of the dependencies, the commands."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shared.components import COMPONENTS, SERVICE_NAMES

ROOT = Path(__file__).parents[2]
# Environments of their own, which the project's versions do not bind.
UNBOUND = ("oip", "oidc", "peer-bentoml", "peer-flask", "peer-litserve", "peer-mosec")
LOCKS = ("run", "test", "training", "tfserving", "cluster", "build", *UNBOUND, *COMPONENTS)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def wanted(purpose: str) -> list[str]:
    """What requirements/lock.py feeds the resolver for a lock."""
    spec = importlib.util.spec_from_file_location("lock", ROOT / "requirements" / "lock.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    requirements: list[str] = module.wanted(purpose)
    return requirements


def lock_text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock_text(name), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_no_path(name: str) -> None:
    text = lock_text(name)
    assert not re.search(r"://|--(index|extra-index|find-links|trusted)|^(-[fi] )|\s/|[A-Z]:\\", text, re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_pinned_and_hashed(name: str) -> None:
    entries = re.sub(r"\\\n\s*", " ", lock_text(name)).splitlines()
    requirements = [line for line in entries if not line.startswith("#")]
    assert requirements
    for line in requirements:
        assert re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_pyproject_asks_for(name: str) -> None:
    locked = pins(name)
    for requirement in map(Requirement, wanted(name)):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), f"make lock: {requirement}"


@pytest.mark.parametrize("name", [name for name in LOCKS if name not in UNBOUND])
def test_all_locks_agree_with_run_on_versions(name: str) -> None:
    run = pins("run")
    assert {package: version for package, version in pins(name).items() if run.get(package, version) != version} == {}


def test_the_project_installs_without_a_network() -> None:
    """The build backend is in every lock from which `pip install -e .` runs."""
    backend = {Requirement(line).name for line in PROJECT["build-system"]["requires"]}
    assert backend <= pins("run").keys() & pins("test").keys() & pins("training").keys()


@pytest.mark.parametrize("name", ["run", *COMPONENTS])
def test_what_serves_needs_no_training_library(name: str) -> None:
    assert not {"tensorflow", "keras", "scikit-learn", "scipy", "pandas", "torch", "onnx", "docker"} & pins(name).keys()


def test_the_whole_installs_every_component() -> None:
    assert PROJECT["project"]["dependencies"] == [f"trabecula[{','.join(COMPONENTS)}]"]


# What a component's container starts. The embedded form imports every service, so it is no part of the gateway's.
ENTRANCES = {**{name: f"services.{name}.__main__" for name in SERVICE_NAMES}, "gateway": "gateway.cli"}
# Refuses every module that no package of the component's lock brings, then imports what its container starts.
ALONE = """
import sys
from importlib import import_module
refused, entrance = set(sys.argv[2:]), sys.argv[1]
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is not in the component's lock", name=name)
sys.meta_path.insert(0, Absent())
import_module(entrance)
"""


def import_with(lock: str, entrance: str) -> subprocess.CompletedProcess[str]:
    """Import a module where only the packages of one lock exist."""
    locked = pins(lock).keys()
    foreign = {
        module
        for module, brought_by in packages_distributions().items()
        if not locked & {canonicalize_name(package) for package in brought_by} and "trabecula" not in brought_by
    }
    command = [sys.executable, "-c", ALONE, entrance, *sorted(foreign)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_alone_gets_what_it_imports(component: str) -> None:
    """A container installs a component's own lock and nothing else."""
    started = import_with(component, ENTRANCES[component])
    assert started.returncode == 0, started.stderr


def test_what_a_lock_lacks_is_noticed() -> None:
    assert "is not in the component's lock" in import_with("recommender", "services.imaging.app").stderr


@pytest.mark.parametrize(
    "entrance", ["gateway.server", "gateway.interop.dicom.router", "gateway.interop.dicom.objects"]
)
def test_the_gateway_alone_can_serve_and_take_films_in(entrance: str) -> None:
    started = import_with("gateway", entrance)
    assert started.returncode == 0, started.stderr


def imports_of(file: Path) -> set[str]:
    """The foreign modules that a file imports, at its top or later."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names} - {"gateway", "services", "shared"}


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_a_component_imports_late_is_in_its_lock(component: str) -> None:
    """An import inside a function fails only when that function is called, which may be long after the start."""
    folder = ROOT / "gateway" if component == "gateway" else ROOT / "services" / component
    files = [file for file in folder.rglob("*.py") if "/training/" not in file.as_posix()]
    known = packages_distributions()
    modules = {module for file in files for module in imports_of(file)}
    needed = {canonicalize_name(package) for module in modules for package in known.get(module, [])}
    assert needed - pins(component).keys() == set()


def test_every_make_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    assert set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) == targets
    told = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z-]+) +\S", told, re.MULTILINE)) == targets


def test_training_without_data_says_what_is_missing() -> None:
    tried = subprocess.run(["make", "-s", "train-staging"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert tried.returncode != 0
    assert "make train-staging DATA=" in tried.stderr


SKIPPING = "import pytest\n\ndef test_one():\n    pytest.skip('no PostgreSQL here')\n\ndef test_two():\n    pass\n"


@pytest.mark.parametrize(("forbidden", "code"), [("", 0), ("1", 1)])
def test_a_skip_is_loud_and_fails_ci(tmp_path: Path, forbidden: str, code: int) -> None:
    (tmp_path / "test_skipping.py").write_text(SKIPPING, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.plugins.no_skips",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    environment = {**os.environ, "TRABECULA_FAIL_ON_SKIP": forbidden}
    ran = subprocess.run(
        [*command, "-c", os.devnull], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == code, ran.stdout
    assert "NOT RUN" in ran.stdout
    assert "no PostgreSQL here" in ran.stdout


def test_no_secret_lies_in_the_repository() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "README.md" in tracked
    assert [name for name in tracked if name.startswith(("deploy/secrets/", "state/")) or name.endswith("/.env")] == []
