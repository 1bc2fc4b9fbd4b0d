"""A new service is a folder of its own and a few lines elsewhere: added to a copy of the project, it runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import running

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.long

OWN_FOLDER = {
    "__init__.py": '"""A service that echoes."""\n',
    "settings.py": """from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    toy_word: str = "ready to play"
""",
    "app.py": """from fastapi import APIRouter, FastAPI

from services.toy.settings import Settings
from shared.contracts.models import ModelCard
from shared.service import create_service_app

router = APIRouter(prefix="/v1")
CARD = ModelCard(
    name="toy", version="1", service="toy", summary="", intended_use="", excluded_use="", licence="", data=[],
    metrics={}, limits=[], trained="",
)


@router.post("/play")
async def play() -> str:
    return "played"


def create_app(settings: Settings) -> FastAPI:
    return create_service_app(
        "toy", title="Toy", settings=settings, load=lambda: settings.toy_word, card=lambda word: CARD, router=router
    )
""",
    "__main__.py": """from services.toy.app import create_app
from services.toy.settings import Settings
from shared.serving import start_service

if __name__ == "__main__":
    start_service("toy", Settings, create_app)
""",
}
URL = '"recommender": "http://recommender:8000"'
ABSENT = 'label_replace(absent(up{service="recommender"} == 1), "service", "recommender", "", "")'
# Each edit outside that folder: the file, what is found there, and what takes its place.
EDITS = [
    (
        "shared/components.py",
        '    ServiceSpec("recommender", finding=False),\n',
        '    ServiceSpec("recommender", finding=False),\n    ServiceSpec("toy", finding=False),\n',
    ),
    ("shared/contracts/assessment.py", '"clinical", "recommender"]', '"clinical", "recommender", "toy"]'),
    ("pyproject.toml", "recommender,gateway]", "recommender,toy,gateway]"),
    ("pyproject.toml", "gateway = [\n", 'toy = ["trabecula[service]"]\ngateway = [\n'),
    ("deploy/docker-compose.yml", URL, URL + ', "toy": "http://toy:8000"'),
    (
        "deploy/docker-compose.yml",
        "      recommender: {condition: service_started}\n",
        "      recommender: {condition: service_started}\n      toy: {condition: service_started}\n",
    ),
    (
        "deploy/docker-compose.yml",
        "\n  database:\n",
        "\n  toy: {build: {<<: *build, target: service, args: {<<: *build-args, SERVICE: toy}}}\n\n  database:\n",
    ),
    ("deploy/kubernetes/base/gateway.yaml", URL, URL + ', "toy": "http://toy:8000"'),
    (
        "deploy/kubernetes/base/kustomization.yaml",
        "  - {name: trabecula/recommender, newTag: 0.1.0}\n",
        "  - {name: trabecula/recommender, newTag: 0.1.0}\n  - {name: trabecula/toy, newTag: 0.1.0}\n",
    ),
    ("deploy/observability/prometheus.yml", "clinical, recommender]", "clinical, recommender, toy]"),
    ("deploy/observability/alerts.yml", ABSENT, ABSENT + " or\n          " + ABSENT.replace("recommender", "toy")),
]
# What is added beside it: the lock is what `make lock` would write, the manifest is another service's with its name.
ADDED = {
    "requirements/toy.txt": "requirements/recommender.txt",
    "deploy/kubernetes/base/toy.yaml": "deploy/kubernetes/base/recommender.yaml",
}
LOCKED = "import sys; sys.path.insert(0, 'requirements'); import lock; print(*lock.COMPONENTS, *lock.wanted('toy'))"
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a fifth service in it."""
    folder = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "services" / "toy").mkdir()
    for name, text in OWN_FOLDER.items():
        (folder / "services" / "toy" / name).write_text(text)
    for name, old, new in EDITS:
        text = (folder / name).read_text()
        assert text.count(old) == 1, f"{name}: {old}"
        (folder / name).write_text(text.replace(old, new))
    for name, origin in ADDED.items():
        (folder / name).write_text((folder / origin).read_text().replace("recommender", "toy"))
    return folder


def python(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, on the copy's own code."""
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=240, check=False)


def test_fewer_than_ten_files_change_outside_its_folder() -> None:
    """Three to run, five to deploy; two more are added."""
    edited = {name for name, _, _ in EDITS}
    assert len(edited) == 8 < 10
    assert sum(name.startswith("deploy/") for name in edited) == 5


def test_the_gateway_starts_it_and_lists_it(copy: Path, tmp_path: Path) -> None:
    with running("serve", state=tmp_path, log=tmp_path / "log", source=copy, PYTHONPATH=str(copy)) as server:
        health = httpx.get(f"{server.url}/health/ready").json()
    assert health["status"] == "ready"
    assert health["dependencies"]["toy"] == "ready"


def test_it_serves_alone(copy: Path, tmp_path: Path) -> None:
    with running("service", "toy", state=tmp_path, log=tmp_path / "log", source=copy, PYTHONPATH=str(copy)) as server:
        assert httpx.post(f"{server.url}/v1/play").status_code == 401  # the internal token guards it as any service
        assert "/v1/play" in httpx.get(f"{server.url}/openapi.json").json()["paths"]


def test_it_gets_a_lock_of_its_own(copy: Path) -> None:
    listed = python(copy, "-c", LOCKED)
    assert listed.returncode == 0, listed.stderr
    assert "toy" in listed.stdout.split()
    assert "uvicorn>=" in listed.stdout
    assert "pyyaml" not in listed.stdout


def test_images_deployments_and_contracts_agree_with_the_registry(copy: Path) -> None:
    checked = python(copy, "-m", "pytest", "-q", "tests/unit/test_components.py", "-p", "no:cacheprovider")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "toy" in python(copy, "-m", "pytest", "-q", "--collect-only", "tests/unit/test_components.py").stdout


@pytest.mark.parametrize(("imported", "state"), [("shared", "KEPT"), ("services.imaging.gate", "BROKEN")])
def test_its_imports_are_checked_as_any_service_s(copy: Path, imported: str, state: str) -> None:
    (copy / "services" / "toy" / "neighbour.py").write_text(f"import {imported}\n")
    report = python(copy, "-c", LINT, "--no-logo").stdout
    assert re.search(rf"Services never import each other {state}", report), report
