"""The compose files for films, messages and alarms: closed until the site says otherwise, and every setting is one."""

from pathlib import Path

import pytest
import yaml

from gateway.settings import GatewaySettings

DEPLOY = Path(__file__).parents[3] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
OUTGOING = yaml.safe_load((DEPLOY / "outgoing.yml").read_text())
SWARM = (DEPLOY / "swarm" / "docker-compose.swarm.yml").read_text()
SETTINGS = {f"TRABECULA_{name.upper()}" for name in GatewaySettings.model_fields}


@pytest.mark.parametrize(
    "environment", [COMPOSE["services"]["router"]["environment"], OUTGOING["services"]["gateway"]["environment"]]
)
def test_every_setting_that_is_passed_on_there_is(environment):
    assert set(environment) <= SETTINGS


def test_the_router_has_a_disk_of_its_own_and_hears_nobody_until_somebody_is_named():
    router = COMPOSE["services"]["router"]
    assert router["volumes"] == ["router-state:/state"]
    assert router["environment"]["TRABECULA_DICOM_PEERS"] is None  # as deploy/.env has it; else nobody
    assert router["environment"]["TRABECULA_HL7_PEERS"] is None
    assert any(port.startswith("${TRABECULA_HL7_BIND:-127.0.0.1}:") for port in router["ports"])
    assert GatewaySettings(_env_file=None).hl7_peers == GatewaySettings(_env_file=None).dicom_peers == {}
    assert (router["read_only"], router["cap_drop"], router["profiles"]) == (True, ["ALL"], ["pacs"])


def test_the_archive_for_trying_is_no_part_of_a_real_connection():
    orthanc = COMPOSE["services"]["orthanc"]
    assert orthanc["profiles"] == ["orthanc"]  # a site with an archive of its own starts `pacs` alone
    assert [port.split(":")[0] for port in orthanc["ports"]] == ["127.0.0.1"]
    assert COMPOSE["networks"]["archive"] == {"internal": True}
    assert not {"records", "services", "front"} & set(orthanc["networks"])


def test_a_swarm_has_one_router_on_the_node_with_the_disk():
    assert "router:\n    deploy:\n      <<: *disk" in SWARM


def test_no_mail_server_is_none_however_it_is_passed_on(monkeypatch):
    for name in ("HOST", "FROM"):
        monkeypatch.setenv(f"TRABECULA_SMTP_{name}", "")
    for name in ("USER", "PASSWORD"):
        monkeypatch.setenv(f"TRABECULA_SMTP_{name}", "none")
    settings = GatewaySettings(_env_file=None)
    assert (settings.smtp_host, settings.smtp_from, settings.smtp_user, settings.smtp_password) == (None,) * 4
