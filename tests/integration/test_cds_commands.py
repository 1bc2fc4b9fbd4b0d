"""The operator's commands for systems that sign: keys from files and addresses, record systems, and clear errors."""

import json

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from shared.problems import TrabeculaError
from tests.integration.signing import EC, RSA, public

KEY = ["create-key", "--name", "ehr", "--scopes", "assessments:read", "--json"]
ADD = ["cds", "add", "ehr", "--issuer", "https://ehr.hospital.example", "--json"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command on a state folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        return CliRunner().invoke(app, [*words, "--state-dir", str(tmp_path / "state")])

    return run


@pytest.fixture
def keys(tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(public(RSA, EC)))
    return str(file)


def test_a_key_with_public_keys_has_no_secret(run, keys):
    for given in (["--jwks", keys], ["--jwks-url", "https://ehr.hospital.example/jwks.json"]):
        made = json.loads(run(*KEY, *given).stdout)
        assert made["key"] is None
        assert len(made["id"]) == 16
    assert "client_id: " in run(*KEY[:-1], "--jwks", keys).stdout


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "oct"}]}', "x" * 300_000])
def test_a_file_that_is_no_key_set_is_refused_by_the_options_name(run, tmp_path, content):
    file = tmp_path / "wrong.json"
    file.write_text(content)
    for command in (KEY, ADD):
        answer = run(*command, "--jwks", str(file))
        assert isinstance(answer.exception, TrabeculaError)
        assert "--jwks" in answer.exception.detail
        assert "Traceback" not in answer.output


def test_both_neither_and_nothing_there_are_refused(run, keys, tmp_path):
    for given in (
        ["--jwks", keys, "--jwks-url", "https://x.example/"],
        ["--jwks", str(tmp_path / "missing.json")],
        ["--jwks-url", "http://x.example/"],
    ):
        for command in (KEY, ADD):
            assert isinstance(run(*command, *given).exception, TrabeculaError)
    assert isinstance(run(*ADD).exception, TrabeculaError)


def test_record_systems_are_added_listed_and_removed(run, keys):
    assert run("cds", "list").stdout.strip() == "There is no CDS client."
    servers = ["--fhir-server", "https://fhir.hospital.example/r4/", "--fhir-server", "https://other.example"]
    added = json.loads(run(*ADD, "--jwks", keys, *servers).stdout)
    assert added["fhir_servers"] == ["https://fhir.hospital.example/r4", "https://other.example"]
    assert added["keys"] == ["rsa", "ec"]
    [listed] = json.loads(run("cds", "list", "--json").stdout)
    assert listed == added
    assert isinstance(run(*ADD, "--jwks", keys).exception, TrabeculaError), "twice"
    assert "answered no more" in run("cds", "remove", "ehr").stdout
    assert json.loads(run("cds", "list", "--json").stdout) == []
    assert isinstance(run("cds", "remove", "ehr").exception, TrabeculaError)
