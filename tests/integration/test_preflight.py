"""Before a hospital begins: what is not done is named, with the cure, and goes from the list once it is done."""

import json
import socket
import struct
import threading
import time
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from gateway.assessing.administration import create_first_administrator, open_database, prepare, reset_password
from gateway.assessing.noted import noted
from gateway.assessing.preflight import preflight
from gateway.assessing.rule_sign_offs import sign_rules
from gateway.cli.backup import back_up, drill
from gateway.cli.main import app
from gateway.platform.identity.accounts import Accounts
from gateway.platform.ntp import ERA_S, NoTime, clock_offset_s
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput
from tests.conftest import open_gateway, shared_services


async def steps_of(settings, time_server=None):
    async with open_database(settings) as database, shared_services()() as services:
        return {step.name: step for step in await preflight(settings, database, services, time_server)}


@pytest.fixture
async def settings(tmp_path, database_url):
    settings = GatewaySettings(state_dir=tmp_path / "state", database_url=SecretStr(database_url), _env_file=None)
    prepare(settings)
    await create_first_administrator(settings)
    return settings


async def test_a_fresh_installation_is_told_what_is_missing_and_how_to_mend_it(settings, tmp_path):
    steps = await steps_of(settings)
    missing = {name for name, step in steps.items() if step.state == "to do"}
    wanted = {"TLS", "backup", "restore drill", "first administrator", "second factor", "rules", "log server"}
    assert wanted <= missing
    assert all(step.detail for step in steps.values())
    assert "trabecula backup" in steps["backup"].detail
    assert steps["services"].state == "done"
    assert {"emergency number", "alerts", "downtime", "intended use", "data secret", "pictures", "time zone"} <= {
        name for name, step in steps.items() if step.state == "ask"
    }


async def test_what_was_done_is_no_longer_asked_for(settings, tmp_path):
    await reset_password(settings, "admin@localhost")
    async with open_database(settings) as database:
        accounts = Accounts(database.sessions)
        account = await accounts.by_email("admin@localhost")
        await accounts.set_password(account.id, "hash", "operator", must_change=False)
    back_up(settings, tmp_path / "backup.zip", with_secrets=False)
    done = await drill(settings, tmp_path / "backup.zip")
    await sign_rules(settings, shared_services(), "Dr A. Rao", "rheumatologist", None)
    changed = settings.model_copy(
        update={
            "trusted_proxies": ("10.0.0.0/8",),
            "second_factor": "staff",
            "audit_syslog": "tls://siem.example:6514",
            "registration": False,
        }
    )
    steps = await steps_of(changed)
    for name in ("TLS", "backup", "restore drill", "first administrator", "second factor", "rules", "log server"):
        assert steps[name].state == "done", steps[name]
    assert f"{done['seconds']} s" in steps["restore drill"].detail
    assert "Dr A. Rao" in steps["rules"].detail


async def test_a_drill_tries_the_whole_backup_and_leaves_nothing(settings, tmp_path):
    async with open_gateway(settings, shared_services()) as api:
        fields = {"clinical": (None, '{"age": 67, "gender": "female"}'), "patient_number": (None, "MRN-1")}
        made = (await api.post("/v1/assessments", files=fields)).json()["id"]
        back_up(settings, tmp_path / "backup.zip", with_secrets=False)
        before = sorted(file.name for file in settings.state_dir.iterdir())
        done = await drill(settings, tmp_path / "backup.zip")
        assert done["rows"]["assessments"] == 1
        after = sorted(file.name for file in settings.state_dir.iterdir())
        assert set(after) - set(before) == {"last_restore_drill"}
        assert (await api.get(f"/v1/assessments/{made}")).status_code == 200
    assert noted(settings, "last_restore_drill")["rows"] == sum(done["rows"].values())


async def test_a_backup_that_cannot_be_restored_is_no_drill(settings, tmp_path):
    back_up(settings, tmp_path / "backup.zip", with_secrets=False)
    whole = (tmp_path / "backup.zip").read_bytes()
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput):
        await drill(settings, tmp_path / "half.zip")
    other = settings.model_copy(update={"data_secret": SecretStr("o" * 40)})
    with pytest.raises(InvalidInput, match="data secret"):
        await drill(other, tmp_path / "backup.zip")
    assert noted(settings, "last_restore_drill") is None


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"at": "yesterday"}'])
def test_a_note_that_cannot_be_read_is_none(tmp_path, content):
    settings = GatewaySettings(state_dir=tmp_path, _env_file=None)
    (tmp_path / "last_backup").write_text(content)
    assert noted(settings, "last_backup") is None


def test_the_command_says_it_to_people_and_to_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("TRABECULA_STATE_DIR", str(tmp_path / "state"))
    told = CliRunner().invoke(app, ["preflight", "--json"])
    assert told.exit_code == 1
    steps = json.loads(told.stdout)
    assert {step["state"] for step in steps} == {"done", "to do", "ask"}
    assert "to do   TLS" in CliRunner().invoke(app, ["preflight"]).stdout


@contextmanager
def time_server(ahead_s=0.0, answer=None):
    """Answers one question as an NTP server does whose clock is ahead by so much."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve():
            _, asker = server.recvfrom(512)
            moment = time.time() + ahead_s + ERA_S
            stamp = struct.pack(">II", int(moment), int(moment % 1 * 2**32))
            server.sendto(b"\x24\x02" + bytes(30) + stamp * 2 if answer is None else answer, asker)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize("ahead_s", [0.0, 7.5, -3600.0])
def test_the_clock_is_compared_with_a_time_servers(ahead_s):
    with time_server(ahead_s) as port:
        assert abs(clock_offset_s("127.0.0.1", port) - ahead_s) < 0.5


@pytest.mark.parametrize("answer", [b"", b"\x24\x02", b"\x24\x00" + bytes(46), b"\x23\x02" + bytes(46)])
def test_an_answer_that_is_no_time_is_not_believed(answer):
    with time_server(answer=answer) as port, pytest.raises(NoTime, match=r"127\.0\.0\.1"):
        clock_offset_s("127.0.0.1", port)


def test_a_time_server_that_is_not_there_is_named():
    with pytest.raises(NoTime, match=r"nowhere\.invalid"):
        clock_offset_s("nowhere.invalid")
