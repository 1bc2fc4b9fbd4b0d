"""The alerts and the dashboard speak of what the services measure, and every alert has its answer."""

import json
import re
from pathlib import Path

import httpx
import pytest
import yaml
from fastapi import FastAPI

from shared.service import install_metrics

ROOT = Path(__file__).parents[3]
OBSERVABILITY = ROOT / "deploy" / "observability"
ALERTS = [
    rule for group in yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD = json.loads((OBSERVABILITY / "grafana" / "dashboards" / "trabecula.json").read_text())
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]


@pytest.fixture
async def measured():
    app = FastAPI()
    install_metrics(app)

    @app.get("/a")
    def a() -> None: ...

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
        await client.get("/a")
        return (await client.get("/metrics")).text


async def test_every_expression_speaks_of_what_is_measured(measured):
    names = {name for expression in EXPRESSIONS for name in re.findall(r"\b((?:http|process)_[a-z_]+)", expression)}
    assert len(names) >= 5
    assert {name for name in names if not re.search(rf"^{name}[ {{]", measured, re.MULTILINE)} == set()


async def test_statuses_are_measured_by_class_as_the_alerts_ask_for_them(measured):
    assert 'status="2xx"' in measured


def test_prometheus_has_the_token_that_the_gateway_wants():
    [job] = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())["scrape_configs"]
    compose = yaml.safe_load((ROOT / "deploy" / "docker-compose.yml").read_text())["services"]
    secret = Path(job["authorization"]["credentials_file"]).name
    assert all(secret in compose[name]["secrets"] for name in ("prometheus", "gateway"))


def test_grafana_which_is_reached_from_outside_reaches_prometheus_and_nobody_else():
    compose = yaml.safe_load((ROOT / "deploy" / "docker-compose.yml").read_text())
    beside = {
        name
        for name, service in compose["services"].items()
        for network in service.get("networks", ())
        if network in compose["services"]["grafana"]["networks"]
    }
    assert beside == {"grafana", "prometheus"}
    reachable = [name for name, about in compose["networks"].items() if not (about or {}).get("internal")]
    assert reachable == ["outside", "dashboard", "orthanc"]  # the last one is of the archive to try things with


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_its_answer_and_its_test(rule):
    assert f"### {rule['alert']}\n" in (ROOT / "docs" / "operations.md").read_text()
    assert f"alertname: {rule['alert']}\n" in (OBSERVABILITY / "alerts.test.yml").read_text()
