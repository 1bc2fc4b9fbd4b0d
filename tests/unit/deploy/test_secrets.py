"""The secrets' script: makes what is missing, keeps what is there, keeps passwords and addresses of one mind."""

import importlib.util
import stat
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"
URLS = {"trabecula_database_url": "gateway", "trabecula_owner_database_url": "owner"}


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


@pytest.mark.parametrize(("url", "role"), URLS.items())
def test_a_renewed_database_password_is_in_the_url_too(make_secrets, tmp_path, url, role):
    make_secrets.make(tmp_path)
    before, password = read(tmp_path), f"database_{role}_password"
    assert make_secrets.make(tmp_path, password) == [password, url]
    after = read(tmp_path)
    assert f"//trabecula_{role}:{after[password]}@database" in after[url]
    assert {name for name in after if after[name] != before[name]} == {password, url}


def test_an_address_of_the_version_before_gets_the_gateways_role(make_secrets, tmp_path):
    make_secrets.make(tmp_path)
    url = tmp_path / "trabecula_database_url"
    make_secrets.write(url, "postgresql+psycopg://trabecula:old@database:5432/trabecula")
    assert make_secrets.make(tmp_path) == [url.name]
    assert "//trabecula_gateway:" in url.read_text()


def test_an_address_of_the_sites_own_server_stays(make_secrets, tmp_path):
    make_secrets.make(tmp_path)
    url = tmp_path / "trabecula_database_url"
    make_secrets.write(url, "postgresql+psycopg://us:secret@db.hospital.example/trabecula?sslmode=verify-full")
    assert make_secrets.make(tmp_path, "database_gateway_password") == ["database_gateway_password"]


def test_a_renewed_data_secret_leaves_the_one_before_until_its_keys_are_wrapped_anew(make_secrets, tmp_path):
    make_secrets.make(tmp_path)
    data, other = (tmp_path / name for name in ("trabecula_data_secret", "trabecula_other_data_secret"))
    before = data.read_text()
    assert other.read_text() == "none"
    assert set(make_secrets.make(tmp_path, data.name)) == {data.name, other.name}
    assert (other.read_text(), data.read_text() == before) == (before, False)
    with pytest.raises(SystemExit, match="not done"):
        make_secrets.make(tmp_path, data.name)
    assert other.read_text() == before
