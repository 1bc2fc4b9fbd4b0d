"""The operator's commands, run one after the other on one installation."""

import asyncio
import json
import sqlite3
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.check import check
from gateway.settings import GatewaySettings
from shared.components import SERVICE_NAMES
from shared.problems import InvalidInput, NotFound
from tests.e2e.conftest import trabecula
from tests.qr import read_qr

run = CliRunner()


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("TRABECULA_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def answer(*arguments, code=0):
    done = run.invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return json.loads(done.output)


def checked(state, code=0):
    """The findings by name; in a process of its own, as it sets up the logs for itself."""
    done = trabecula("check", "--json", state=state)
    assert done.returncode == code, done.stdout + done.stderr
    return {load["name"]: load for load in json.loads(done.stdout)}


def test_every_command_has_help_and_json():
    help_ = run.invoke(app, ["--help"]).output
    for command in (
        "serve", "service", "assess", "evaluate", "create-admin", "reset-password", "create-key", "list-keys",
        "rotate-key", "revoke-key", "check", "export-openapi", "backup", "restore", "rules", "audit", "route",
    ):  # fmt: skip
        assert command in help_
        text = run.invoke(app, [command, "--help"]).output
        assert "Usage" in text
        assert "--json" in text or command in ("serve", "service", "rules", "audit", "route")


def test_the_life_of_an_installation(state, tmp_path):
    before = checked(state, code=1)
    assert "first start" in before["state folder"]["detail"]
    assert "first start" in before["database"]["detail"]
    assert not state.exists(), "a check changes nothing"

    admin = answer("create-admin", "--email", "root@clinic.example")
    assert admin["password"]
    assert answer("reset-password", "--email", "root@clinic.example")["password"] != admin["password"]
    key = answer("create-key", "--name", "ward", "--scopes", "models:read", "--organisation", "Second clinic")
    assert key["organisation_id"] != admin["organisation_id"]
    assert answer("rotate-key", key["id"])["key"] != key["key"]
    assert answer("revoke-key", key["key"]) == {"id": key["id"], "revoked": True}
    assert [item["status"] for item in answer("list-keys")] == ["revoked"]

    findings = checked(state)
    assert list(findings) == [
        "state folder", "database", "data secret", "patient numbers", "interop",
        "imaging", "staging", "clinical", "recommender", "decoding",
    ]  # fmt: skip
    assert all(finding["ok"] for finding in findings.values())
    assert ("kernel" in findings["decoding"]["detail"]) == (sys.platform == "linux")

    trail = answer("audit", "verify")
    assert trail["ok"]
    assert trail["length"] == 5
    assert answer("backup", str(tmp_path / "b.zip"))["audit_head"] == trail["head"]
    answer("restore", str(tmp_path / "b.zip"), "--state-dir", str(_elsewhere(state, tmp_path)))
    assert answer("audit", "verify", "--state-dir", str(tmp_path / "new"), "--head", trail["head"])["ok"]

    with sqlite3.connect(state / "trabecula.db") as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE sequence = 2")
    assert answer("audit", "verify", code=1)["fault"] == "row 2 was changed"


def _elsewhere(state, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "data_secret").write_text((state / "data_secret").read_text())
    return tmp_path / "new"


def test_check_names_what_is_wrong(state):
    nowhere = dict.fromkeys(SERVICE_NAMES, "http://127.0.0.1:9")

    def found():
        settings = GatewaySettings(state_dir=state, services=nowhere, _env_file=None)
        return {setting.name: setting for setting in asyncio.run(check(settings))}

    answer("create-key", "--name", "ward", "--scopes", "models:read")
    (state / "data_secret").unlink()
    first = found()
    assert not first["data secret"].ok
    assert first["database"].ok
    assert not first["imaging"].ok
    (state / "data_secret").write_text("x" * 64)
    (state / "data_secret").chmod(0o644)
    assert "chmod" in found()["state folder"].detail
    with sqlite3.connect(state / "trabecula.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "0001" in found()["database"].detail


def test_the_registration_code_is_shown_with_its_link_for_a_camera(state, monkeypatch):
    shown = answer("registration-code", "--site", "https://clinic.example/")
    assert shown["link"] == f"https://clinic.example/register#{shown['registration_code']}"
    text = run.invoke(app, ["registration-code", "--site", "https://clinic.example"], catch_exceptions=False).output
    rows = [line for line in text.splitlines() if line and set(line) <= set(" \u2580\u2584\u2588")]
    halves = {" ": (0, 0), "\u2580": (255, 0), "\u2584": (0, 255), "\u2588": (255, 255)}
    picture = np.array([[halves[block][half] for block in row] for row in rows for half in (0, 1)], np.uint8)
    assert read_qr(np.kron(picture, np.ones((4, 4), np.uint8))) == shown["link"]
    monkeypatch.setenv("TRABECULA_REGISTRATION", "false")
    with pytest.raises(InvalidInput, match="switched off"):
        run.invoke(app, ["registration-code"], catch_exceptions=False)


def test_the_openapi_document_is_the_one_that_is_served(state, tmp_path):
    document = answer("export-openapi")
    assert document["paths"]["/v1/assessments"]["post"]["operationId"] == "make_assessment"
    file = tmp_path / "openapi.json"
    assert run.invoke(app, ["export-openapi", "--output", str(file)]).exit_code == 0
    assert json.loads(file.read_text()) == document
    assert not state.exists()


@pytest.mark.parametrize(
    ("arguments", "error", "word"),
    [
        (["create-admin", "--email", "a@b.example", "--password", "password1234"], InvalidInput, "password"),
        (["create-key", "--name", "", "--scopes", "admin"], InvalidInput, "--name"),
        (["revoke-key", "radiology"], InvalidInput, "id"),
        (["rotate-key", "00ff"], NotFound, "00ff"),
        (["reset-password", "--email", "nobody@clinic.example"], NotFound, "nobody@clinic.example"),
        (["restore", "missing.zip"], InvalidInput, "missing.zip"),
        (["export-openapi", "--output", "/nowhere/at/all"], InvalidInput, "/nowhere/at/all"),
    ],
)
def test_commands_say_what_is_wrong(state, arguments, error, word):
    with pytest.raises(error) as raised:
        run.invoke(app, arguments, catch_exceptions=False)
    assert word in raised.value.detail
