"""What cannot be computed from the registry of services, but has to agree with it."""

import json
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
import yaml

from gateway.records.rendering_kinds import HeatMap, RenderingKind
from shared.components import COMPONENTS, SERVICE_NAMES, SERVICES
from shared.contracts.assessment import AssessmentRenderings, Component
from shared.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["services"]
URLS = {name: f"http://{name}:8000" for name in SERVICE_NAMES}
HEAT_MAPS = {service.name for service in SERVICES if service.reads_radiographs}


def kubernetes(file):
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "base" / file).read_text()))


def test_every_service_folder_is_registered():
    assert {file.parent.name for file in (ROOT / "services").glob("*/app.py")} == set(SERVICE_NAMES)


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_service_is_found_by_its_name(name):
    assert issubclass(import_module(f"services.{name}.settings").Settings, ServiceSettings)
    assert callable(import_module(f"services.{name}.app").create_app)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_shows_the_cards_that_the_registry_names(service, monkeypatch):
    monkeypatch.setenv("TRABECULA_INTERNAL_SECRET", "0" * 32)
    settings = import_module(f"services.{service.name}.settings").Settings(_env_file=None)
    paths = import_module(f"services.{service.name}.app").create_app(settings).openapi()["paths"]
    assert {path for path in paths if path.startswith("/v1/model")} == set(service.model_cards)


def test_the_contracts_name_every_service():
    assert get_args(Component) == SERVICE_NAMES
    assert set(AssessmentRenderings.model_fields) == {"preview", *HEAT_MAPS}


def test_the_renderings_are_the_preview_and_each_heat_map():
    assert set(get_args(HeatMap)) == HEAT_MAPS
    assert set(get_args(RenderingKind)) == {"preview", *HEAT_MAPS}


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_is_an_extra(name):
    assert name in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_compose_builds_each_service_from_the_one_stage(name):
    build = COMPOSE[name]["build"]
    assert build["target"].removesuffix("${TRABECULA_INFERENCE_TARGET:-}") == "service"
    assert build["args"]["SERVICE"] == name
    assert {"VERSION", "REVISION"} <= build["args"].keys()


def test_compose_and_kubernetes_tell_the_gateway_of_every_service():
    assert json.loads(COMPOSE["gateway"]["environment"]["TRABECULA_SERVICES"]) == URLS
    assert set(SERVICE_NAMES) <= COMPOSE["gateway"]["depends_on"].keys()
    (container,) = kubernetes("gateway.yaml")[0]["spec"]["template"]["spec"]["containers"]
    told = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert json.loads(told["TRABECULA_SERVICES"]) == URLS


def test_kubernetes_runs_every_component_and_lets_the_gateway_reach_each_service():
    (about,) = kubernetes("kustomization.yaml")
    assert {image["name"] for image in about["images"]} == {f"trabecula/{name}" for name in COMPONENTS}
    for name in SERVICE_NAMES:
        labels = kubernetes(f"{name}.yaml")[0]["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/component"] == "service"  # what the network policies ask for


def test_prometheus_asks_every_component_and_misses_each():
    (job,) = yaml.safe_load((DEPLOY / "observability" / "prometheus.yml").read_text())["scrape_configs"]
    assert set(job["dns_sd_configs"][0]["names"]) == set(COMPONENTS)
    alerts = (DEPLOY / "observability" / "alerts.yml").read_text()
    assert set(re.findall(r'absent\(up\{service="(\w+)"', alerts)) == set(COMPONENTS)


def test_the_registry_needs_no_package():
    """An image build and the lock script read it before anything is installed."""
    imported = re.findall(r"^(?:from|import) (\w+)", (ROOT / "shared" / "components.py").read_text(), re.MULTILINE)
    assert set(imported) == {"dataclasses"}
    assert not (ROOT / "shared" / "__init__.py").read_text()
