"""The secrets' script: makes what is missing, keeps what is there, keeps the password and the URL of one mind."""

import importlib.util
import stat
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"


@pytest.fixture(scope="module")
def make_secrets():
    spec = importlib.util.spec_from_file_location("make_secrets", DEPLOY / "make_secrets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(folder):
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_every_secret_of_the_compose_file_is_made_once(make_secrets, tmp_path):
    folder = tmp_path / "secrets"
    wanted = set(yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["secrets"])
    assert set(make_secrets.make(folder)) == wanted == set(read(folder))
    before = read(folder)
    assert make_secrets.make(folder) == []
    assert read(folder) == before
    assert len(set(before.values())) == len(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_renewed_database_password_is_in_the_url_too(make_secrets, tmp_path):
    make_secrets.make(tmp_path)
    before = read(tmp_path)
    assert make_secrets.make(tmp_path, "postgres_password") == ["postgres_password", "trabecula_database_url"]
    after = read(tmp_path)
    assert after["postgres_password"] != before["postgres_password"]
    assert f":{after['postgres_password']}@database" in after["trabecula_database_url"]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"postgres_password", "trabecula_database_url"}
