"""The data secret: from a key manager, never another one than the database's, and its renewal without a lost row."""

import datetime as dt
import sys
import time
from uuid import uuid4

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import func, select, update

from gateway.assessing.administration import create_api_key, prepare
from gateway.assessing.data_secret import renew_data_secret, require_data_secret, rewrap
from gateway.cli.backup import back_up, restore
from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import AccountRow, AuditHeadRow, AuditRow, OrganisationRow, PatientRow
from gateway.platform.encryption import VERSION, CannotDecrypt, KeyEncryptionKey, encrypt, installation_key
from gateway.platform.identity.oidc_accounts import ProviderAccounts
from gateway.platform.identity.oidc_client import ProviderIdentity
from gateway.platform.identity.refresh_tokens import SessionLength
from gateway.records import rewrap as rewrapping
from gateway.records.patients import Patients
from gateway.records.rewrap import Rewrap
from gateway.settings import GatewaySettings
from shared.kept_secrets import NoSecret
from shared.problems import InvalidInput
from shared.service import CannotStart
from tests.conftest import open_gateway, shared_services

OLD, NEW, THIRD = "o" * 40, "n" * 40, "t" * 40
RECORD = '{"age": 67, "gender": "female", "weight_kg": 52}'


def settings_of(tmp_path, database_url, secret=OLD, other=None):
    return GatewaySettings(
        state_dir=tmp_path / "state",
        database_url=SecretStr(database_url),
        data_secret=SecretStr(secret),
        other_data_secret=other and SecretStr(other),
        _env_file=None,
    )


async def store(settings, count, patients="MRN-{}"):
    """Some patients with an assessment each, and one of nobody's; the ids of the assessments."""
    made = await create_api_key(settings, "ward", "assessments:write assessments:read", None)
    ids = []
    async with open_gateway(settings, shared_services()) as api:
        for number in [*range(count), None]:
            fields = {"clinical": (None, RECORD)}
            if number is not None:
                fields["patient_number"] = (None, patients.format(number))
            answer = await api.post("/v1/assessments", files=fields, headers={"X-API-Key": made["key"]})
            assert answer.status_code == 201, answer.text
            ids.append(answer.json()["id"])
    return made["key"], ids


async def readable(settings, key, ids):
    """How the gateway answers who asks for each assessment."""
    async with open_gateway(settings, shared_services()) as api:
        asked = [await api.get(f"/v1/assessments/{identity}", headers={"X-API-Key": key}) for identity in ids]
    return [answer.status_code for answer in asked]


@pytest.fixture
def installation(tmp_path, database_url):
    settings = settings_of(tmp_path, database_url)
    prepare(settings)
    return settings


async def test_a_renewed_secret_opens_everything_and_the_old_one_nothing(installation, tmp_path, database_url):
    key, ids = await store(installation, 5)
    both = settings_of(tmp_path, database_url, NEW, OLD)
    assert await readable(both, key, ids) == [200] * 6
    _, later = await store(both, 2, "LATER-{}")
    # The trail's key, five patients and the organisation's; what was stored with both at hand is of the new one.
    assert await rewrap(both) == {"rewrapped": 7, "left": 0}
    alone = settings_of(tmp_path, database_url, NEW)
    await require_data_secret(alone)
    assert await readable(alone, key, [*ids, *later]) == [200] * 9
    with pytest.raises(CannotStart, match="TRABECULA_DATA_SECRET gives another"):
        await require_data_secret(installation)
    database = database_of(alone)
    assert (await Audit(database.sessions).verify()).fault is None
    async with database.sessions() as session:
        actions = (await session.scalars(select(AuditRow.action))).all()
    await database.close()
    assert actions.count(AuditAction.KEYS_REWRAPPED) == 1


async def test_sessions_of_the_hospitals_provider_are_still_checked_with_a_renewed_secret(
    installation, tmp_path, database_url
):
    hour, issuer = dt.timedelta(hours=1), "https://login.hospital.example"
    await create_api_key(installation, "ward", "assessments:read", None)  # makes the organisation
    database = database_of(installation)
    async with database.sessions() as session:
        organisation = (await session.scalars(select(OrganisationRow.id))).first()
    person = ProviderIdentity(issuer, "ada", "ada@here.example", True, None, frozenset(), None, "a refresh token")
    accounts = ProviderAccounts(database.sessions, installation_key(installation))
    begun = await accounts.sign_in(person, "clinician", organisation, SessionLength(hour, hour))
    await database.close()
    # The trail's key and the refresh token: nothing else is stored yet.
    assert await rewrap(settings_of(tmp_path, database_url, NEW, OLD)) == {"rewrapped": 2, "left": 0}
    alone = settings_of(tmp_path, database_url, NEW)
    database = database_of(alone)
    accounts = ProviderAccounts(database.sessions, installation_key(alone))
    due = await accounts.due(begun.family, issuer, dt.timedelta(0))
    await database.close()
    assert due.refresh_token == "a refresh token"


async def test_without_the_secret_before_nothing_starts_and_nothing_is_lost(installation, tmp_path, database_url):
    key, ids = await store(installation, 2)
    with pytest.raises(CannotStart, match="TRABECULA_OTHER_DATA_SECRET"):
        await require_data_secret(settings_of(tmp_path, database_url, NEW))
    with pytest.raises(InvalidInput, match="TRABECULA_OTHER_DATA_SECRET"):
        await rewrap(settings_of(tmp_path, database_url, NEW))
    with pytest.raises(CannotDecrypt):
        await rewrap(settings_of(tmp_path, database_url, NEW, THIRD))
    assert await readable(installation, key, ids) == [200] * 3


async def test_a_rewrap_that_was_stopped_goes_on(installation, tmp_path, database_url, monkeypatch):
    key, ids = await store(installation, 7)
    monkeypatch.setattr(rewrapping, "ROWS_AT_ONCE", 2)
    both = settings_of(tmp_path, database_url, NEW, OLD)
    database = database_of(both)
    work, kek = Rewrap(database.sessions, installation_key(both)), KeyEncryptionKey(NEW, OLD)
    pages = 0

    class Stopped(Exception):
        pass

    def twice(statements):
        nonlocal pages
        pages += 1
        if pages > 2:
            raise Stopped
        return Rewrap._execute(work, statements)

    object.__setattr__(work, "_execute", twice)
    with pytest.raises(Stopped):
        await work.run()
    async with database.sessions() as session:
        wrapped = (await session.scalars(select(PatientRow.data_key))).all()
    await database.close()
    assert sum(kek.is_current(one) for one in wrapped) == 4
    assert await readable(both, key, ids) == [200] * 8
    assert (await rewrap(both))["left"] == 0
    assert await readable(settings_of(tmp_path, database_url, NEW), key, ids) == [200] * 8


async def test_a_patient_whose_row_somebody_moved_is_not_sealed_anew(installation, tmp_path, database_url):
    """Or a renewal would make good what a writer without the secret did."""
    await store(installation, 2)
    both = settings_of(tmp_path, database_url, NEW, OLD)
    database = database_of(both)
    async with database.sessions.begin() as session:
        await session.execute(
            update(PatientRow).where(PatientRow.patient_number == "MRN-0").values(patient_number="MRN-9")
        )
    await database.close()
    with pytest.raises(CannotDecrypt):
        await rewrap(both)


async def test_a_row_that_is_erased_meanwhile_stays_erased(installation, tmp_path, database_url):
    await store(installation, 3)
    both = settings_of(tmp_path, database_url, NEW, OLD)
    database = database_of(both)
    work = Rewrap(database.sessions, installation_key(both))

    async def erase_first(statements):
        async with database.sessions.begin() as session:
            await session.execute(
                update(PatientRow).where(PatientRow.patient_number == "MRN-1").values(data_key=None, seal=None)
            )
        return await Rewrap._execute(work, statements)

    object.__setattr__(work, "_execute", erase_first)
    await work.run()
    async with database.sessions() as session:
        query = select(PatientRow.data_key).where(PatientRow.patient_number == "MRN-1")
        assert (await session.scalars(query)).one() is None
    await database.close()


async def test_keys_of_the_version_before_name_no_secret_and_are_opened_all_the_same(
    installation, tmp_path, database_url
):
    database = database_of(installation)
    row = Patients(database.sessions, installation_key(installation)).new_row(
        organisation_id := uuid4(), patient_number="MRN-1"
    )
    old = KeyEncryptionKey(OLD)
    unnamed = encrypt(old._own.wrapping, old.unwrap(row.data_key, row.id), row.id.bytes)
    assert unnamed.startswith(VERSION)
    for kek in (old, KeyEncryptionKey(NEW, OLD), KeyEncryptionKey(OLD, NEW)):
        assert kek.unwrap(unnamed, row.id) == old.unwrap(row.data_key, row.id)
        assert not kek.is_current(unnamed)
    with pytest.raises(CannotDecrypt):
        KeyEncryptionKey(NEW, THIRD).unwrap(unnamed, row.id)
    with pytest.raises(CannotDecrypt):
        old.unwrap(row.data_key, organisation_id)
    await database.close()


async def test_the_second_factor_and_the_organisation_go_along(installation, tmp_path, database_url):
    await store(installation, 0)
    both = settings_of(tmp_path, database_url, NEW, OLD)
    database, old, new = database_of(both), KeyEncryptionKey(OLD), KeyEncryptionKey(NEW)
    async with database.sessions.begin() as session:
        owner = (await session.scalars(select(OrganisationRow.id))).first()
        account = AccountRow(
            organisation_id=owner, email="a@b.example", password_hash="x", role="clinician",
            created_at=(await session.scalars(select(OrganisationRow.created_at))).first(),
        )  # fmt: skip
        session.add(account)
        await session.flush()
        account.totp_secret = old.wrap(b"secret of twenty byte", account.id)
    await rewrap(both)
    async with database.sessions() as session:
        found = (await session.scalars(select(AccountRow))).one()
        assert new.unwrap(found.totp_secret, found.id) == b"secret of twenty byte"
        with_key = select(OrganisationRow).where(OrganisationRow.data_key.is_not(None))
        organisation = (await session.scalars(with_key)).one()
        assert new.unwrap(organisation.data_key, organisation.id)
        assert await session.scalar(select(func.count()).select_from(AuditHeadRow)) == 1
    await database.close()


async def test_a_backup_of_before_is_restored_with_both_secrets(installation, tmp_path, database_url, request):
    key, ids = await store(installation, 2)
    back_up(installation, tmp_path / "before.zip", with_secrets=False)
    elsewhere = f"sqlite+aiosqlite:///{tmp_path / 'elsewhere.db'}"
    with pytest.raises(InvalidInput, match="data secret here is not the one"):
        await restore(settings_of(tmp_path / "a", elsewhere, NEW), tmp_path / "before.zip")
    both = settings_of(tmp_path / "b", elsewhere, NEW, OLD)
    await restore(both, tmp_path / "before.zip")
    await rewrap(both)
    assert await readable(settings_of(tmp_path / "b", elsewhere, NEW), key, ids) == [200] * 3


async def test_a_secret_of_the_state_folder_is_renewed_in_place(tmp_path):
    def settings():
        return GatewaySettings(state_dir=tmp_path, _env_file=None)

    prepare(settings())
    key, ids = await store(settings(), 2)
    before = settings().data_key()
    with pytest.raises(InvalidInput, match="--new-secret"):
        await rewrap(settings())
    renew_data_secret(settings())
    assert (settings().other_data_key(), settings().data_key() == before) == (before, False)
    assert {file.stat().st_mode & 0o077 for file in tmp_path.glob("*data_secret")} == {0}
    with pytest.raises(InvalidInput, match="not done"):
        renew_data_secret(settings())
    assert (await rewrap(settings()))["left"] == 0
    assert settings().other_data_key() is None
    assert await readable(settings(), key, ids) == [200] * 3
    assert (await rewrap_says(settings())).startswith("There is no other data secret")


async def rewrap_says(settings):
    with pytest.raises(InvalidInput) as refused:
        await rewrap(settings)
    return refused.value.detail


def of_command(tmp_path, code):
    return GatewaySettings(state_dir=tmp_path, data_secret_command=f'{sys.executable} -c "{code}"', _env_file=None)


def test_a_key_manager_is_asked_once(tmp_path):
    log = tmp_path / "asked"
    settings = of_command(tmp_path, f"open('{log}', 'a').write('x'); print('k' * 40)")
    assert {settings.data_key() for _ in range(3)} == {"k" * 40}
    assert log.read_text() == "x"
    assert not (tmp_path / "data_secret").exists()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit(3)", "status 3"),
        ("print('short')", "no secret"),
        ("pass", "no secret"),
        ("print('x' * 5000)", "no secret"),
        ("print('k' * 40, 'k' * 40)", "no secret"),
        ("import time; time.sleep(60)", "within"),
    ],
)
def test_a_key_manager_that_fails_is_named_in_ten_seconds(tmp_path, code, why, monkeypatch):
    start = time.monotonic()
    with pytest.raises(NoSecret, match=f"TRABECULA_DATA_SECRET_COMMAND.*{why}") as refused:
        prepare(of_command(tmp_path, code))
    assert time.monotonic() - start < 10
    assert "k" * 40 not in refused.value.detail


@pytest.mark.parametrize("command", ["/nowhere/at/all", "'unclosed"])
def test_a_command_that_cannot_be_started_is_named(tmp_path, command):
    settings = GatewaySettings(state_dir=tmp_path, data_secret_command=command, _env_file=None)
    with pytest.raises(NoSecret, match="TRABECULA_DATA_SECRET_COMMAND: the command cannot be started"):
        settings.data_key()


async def test_a_key_manager_that_gives_another_key_starts_nothing(tmp_path):
    right, wrong = (of_command(tmp_path, f"print('{letter}' * 40)") for letter in "kw")
    prepare(right)
    await require_data_secret(right)
    with pytest.raises(CannotStart, match="TRABECULA_DATA_SECRET_COMMAND gives another data secret"):
        await require_data_secret(wrong)


def test_a_file_of_a_key_manager(tmp_path):
    file = tmp_path / "from-the-manager"
    settings = GatewaySettings(state_dir=tmp_path, data_secret_file=file, _env_file=None)
    with pytest.raises(NoSecret, match="cannot be read"):
        settings.data_key()
    file.write_text("k" * 40 + "\n")
    assert settings.data_key() == "k" * 40
    file.write_text("")
    with pytest.raises(NoSecret, match="TRABECULA_DATA_SECRET_FILE gave no secret"):
        settings.data_key()


def test_a_data_secret_has_one_source(tmp_path):
    with pytest.raises(ValidationError, match="set one of"):
        GatewaySettings(state_dir=tmp_path, data_secret=SecretStr(OLD), data_secret_file=tmp_path / "x", _env_file=None)


@pytest.mark.parametrize("nothing", ["", "none", "none\n"])
def test_an_orchestrators_secret_says_that_there_is_none(tmp_path, nothing, monkeypatch):
    monkeypatch.setenv("TRABECULA_OTHER_DATA_SECRET", nothing)
    assert GatewaySettings(state_dir=tmp_path, _env_file=None).other_data_key() is None
