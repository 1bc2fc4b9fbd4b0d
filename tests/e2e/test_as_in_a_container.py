"""What a container starts: one service by its own entry, its health check, a gateway behind an edge, the migration."""

import subprocess
import sys

import httpx
import pytest

from shared.components import SERVICE_NAMES
from tests.e2e.conftest import environment, free_port, running, trabecula

SECRET = "an internal secret that is long enough"
pytestmark = pytest.mark.long
NOWHERE = ",".join(f"{name}=http://127.0.0.1:9" for name in SERVICE_NAMES)


def python(module, *arguments, state, **more):
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], env=environment(state, **more), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def probe(port, state):
    return python("shared.probe", str(port), state=state).returncode


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_service_alone_and_its_health_check(tmp_path, name):
    with running(
        state=tmp_path, log=tmp_path / "log", module=f"services.{name}", TRABECULA_INTERNAL_SECRET=SECRET
    ) as server:
        assert httpx.get(f"{server.url}/v1/model").status_code == 401
        assert httpx.get(f"{server.url}/metrics").is_success
        assert probe(server.url.rsplit(":", 1)[1], tmp_path) == 0
    assert probe(server.url.rsplit(":", 1)[1], tmp_path) == 1


def test_a_service_without_its_secret_is_one_clear_line(tmp_path):
    ended = python("services.recommender", "--port", "0", state=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.strip() == "TRABECULA_INTERNAL_SECRET: Field required"


def test_broken_rules_are_one_clear_line(tmp_path):
    (tmp_path / "rules").mkdir()
    more = {"TRABECULA_INTERNAL_SECRET": SECRET, "TRABECULA_RULES_DIR": str(tmp_path / "rules")}
    ended = python("services.recommender", "--port", "0", state=tmp_path, **more)
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1


def attempts(server):
    """The answers to two wrong passwords for two people, who call from two addresses as a proxy would tell it."""
    for number in (1, 2):
        form = {"username": f"nobody{number}@clinic.example", "password": "wrong"}
        headers = {"X-Forwarded-For": f"192.0.2.{number}"}
        yield httpx.post(f"{server.url}/v1/tokens", data=form, headers=headers).status_code


@pytest.mark.parametrize(("proxies", "second"), [('["127.0.0.1"]', 401), ('["10.231.77.0/24"]', 429)])
def test_only_the_edge_is_believed_about_the_callers_address(tmp_path, proxies, second):
    """One attempt a minute for an address: the second is refused where both count as the address they came from."""
    settings = {"TRABECULA_TRUSTED_PROXIES": proxies, "TRABECULA_LOGINS_PER_ADDRESS_PER_MINUTE": "1"}
    with running("serve", "--services", NOWHERE, state=tmp_path / "state", log=tmp_path / "log", **settings) as server:
        assert list(attempts(server)) == [401, second]


def test_a_proxy_that_is_no_address_is_one_clear_line(tmp_path):
    ended = trabecula("serve", state=tmp_path, TRABECULA_TRUSTED_PROXIES='["the edge"]')
    assert ended.returncode == 1
    assert "TRABECULA_TRUSTED_PROXIES" in ended.stderr
    assert "10.231.77.0/24" in ended.stderr


def test_a_gateway_that_may_not_migrate_waits_for_the_job_that_does(tmp_path):
    state, settings = tmp_path / "state", {"TRABECULA_MIGRATE": "false"}
    early = trabecula("serve", "--services", NOWHERE, "--port", str(free_port()), state=state, **settings)
    assert early.returncode == 1
    assert "trabecula migrate" in early.stderr
    password = "chosen by the operator"
    migrated = trabecula("migrate", state=state, TRABECULA_FIRST_ADMIN_PASSWORD=password)
    assert "admin@localhost" in migrated.stdout
    assert password not in migrated.stdout
    assert trabecula("migrate", state=state).stdout == ""
    with running("serve", "--services", NOWHERE, state=state, log=tmp_path / "log", **settings) as server:
        form = {"username": "admin@localhost", "password": password}
        assert httpx.post(f"{server.url}/v1/tokens", data=form).is_success
        assert "Password" not in server.printed()
