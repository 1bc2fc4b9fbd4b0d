"""A backup made while the installation runs, restored on either database to the same counts and the same trail."""

import json
import zipfile

import httpx
import pytest
from pydantic import SecretStr

from gateway.assessing.administration import create_api_key
from gateway.cli.backup import back_up, restore
from gateway.settings import GatewaySettings
from shared.problems import Conflict, InvalidInput
from tests.conftest import ALL_SCOPES, open_gateway, shared_services

CASE = {"clinical": (None, '{"age": 67, "gender": "female"}'), "patient_number": (None, "MRN-1")}


def settings_at(folder, url=None):
    return GatewaySettings(state_dir=folder, database_url=SecretStr(url) if url else None, _env_file=None)


@pytest.fixture(scope="module")
async def original(tmp_path_factory):
    """An installation's settings with an assessment in it and a key that reads it, and its backup with the secrets."""
    folder = tmp_path_factory.mktemp("original")
    settings = settings_at(folder / "state")
    async with open_gateway(settings, shared_services()) as client:
        made = await client.post("/v1/assessments", files=CASE)
        assert made.status_code == 201, made.text
        reader = await create_api_key(settings, "reader", ALL_SCOPES, None)
        done = back_up(settings, folder / "with", with_secrets=True)
    return settings, made.json(), reader["key"], folder / "with", done


async def test_a_restore_is_the_same_installation(original, database_url, tmp_path):
    _, assessment, reader, file, done = original
    settings = settings_at(tmp_path / "state", database_url)
    restored = await restore(settings, file)
    assert restored["rows"] == done["rows"]
    assert restored["audit_head"] == done["audit_head"]
    assert done["rows"]["assessments"] == done["rows"]["patients"] == 1
    again = back_up(settings, tmp_path / "again", with_secrets=False)
    assert {name: again[name] for name in ("rows", "audit_head")} == {
        name: done[name] for name in ("rows", "audit_head")
    }
    with zipfile.ZipFile(file) as only, zipfile.ZipFile(tmp_path / "again") as other:
        assert json.loads(only.read("manifest.json"))["digests"] == json.loads(other.read("manifest.json"))["digests"]
    async with open_gateway(settings, shared_services()) as client:
        async with httpx.AsyncClient(
            transport=client._transport, base_url="http://gateway", headers={"X-API-Key": reader}
        ) as theirs:
            assert (await theirs.get(f"/v1/assessments/{assessment['id']}")).json() == assessment
        # It goes on where the original was: the trail grows from the same head.
        assert (await client.post("/v1/assessments", files=CASE)).status_code == 201


async def test_without_the_secrets_it_says_so_and_needs_the_same_one(original, tmp_path):
    settings, _, _, _, _ = original
    done = back_up(settings, tmp_path / "without", with_secrets=False)
    assert "NOT in this backup" in done["warning"]
    assert "data_secret" in done["warning"]
    with zipfile.ZipFile(tmp_path / "without") as archive:
        assert not [name for name in archive.namelist() if "secret" in name]
        text = b"".join(archive.read(name) for name in archive.namelist())
        # What cases looked like, in coarse bins, is of nobody in particular (docs/privacy.md).
        of_people = b"".join(archive.read(name) for name in archive.namelist() if "observations" not in name)
    assert settings.data_key().encode() not in text
    assert b"female" not in of_people
    elsewhere = settings_at(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="data_secret"):
        await restore(elsewhere, tmp_path / "without")
    (tmp_path / "elsewhere" / "data_secret").write_text(settings.data_key())
    assert (await restore(elsewhere, tmp_path / "without"))["rows"] == done["rows"]


async def test_what_is_not_empty_is_not_overwritten(original, tmp_path):
    settings, _, _, file, _ = original
    with pytest.raises(InvalidInput, match="not empty"):
        await restore(settings, file)
    with pytest.raises(Conflict):
        back_up(settings, file, with_secrets=False)


async def test_a_damaged_backup_is_refused_and_leaves_nothing(original, tmp_path):
    _, _, _, file, _ = original
    damaged = tmp_path / "damaged"
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data.replace(b"reader", b"writer") if name.endswith("api_keys.jsonl") else data)
    settings = settings_at(tmp_path / "state")
    with pytest.raises(InvalidInput, match="api_keys"):
        await restore(settings, damaged)
    await restore(settings, file)  # all or nothing: it is still empty


@pytest.mark.parametrize("bytes_", [b"", b"no archive", None])
async def test_files_that_are_no_backup(tmp_path, bytes_):
    file = tmp_path / "file"
    if bytes_ is not None:
        file.write_bytes(bytes_)
    with pytest.raises(InvalidInput, match="backup"):
        await restore(settings_at(tmp_path / "state"), file)
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("something", "else")
    with pytest.raises(InvalidInput, match="not a backup"):
        await restore(settings_at(tmp_path / "state"), empty)


def test_nothing_to_back_up_is_said_so(tmp_path):
    with pytest.raises(InvalidInput, match="nothing to back up"):
        back_up(settings_at(tmp_path / "state"), tmp_path / "file", with_secrets=False)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "trabecula.db").touch()
    with pytest.raises(InvalidInput, match="cannot be written"):
        back_up(settings_at(tmp_path / "state"), tmp_path / "no folder" / "file", with_secrets=False)
