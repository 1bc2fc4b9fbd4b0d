"""Patients and their keys on both databases."""

import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from gateway.assessing.administration import prepare
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import OrganisationRow, PatientRow
from gateway.platform.encryption import KeyEncryptionKey, decrypt, encrypt
from gateway.platform.identity.accounts import Accounts
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings


@pytest.fixture
async def database(tmp_path, database_url):
    settings = GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)
    prepare(settings)
    database = database_of(settings)
    yield database
    await database.close()


@pytest.fixture
async def accounts(database):
    return Accounts(database.sessions)


@pytest.fixture
async def organisation(accounts):
    return await accounts.first_organisation("Clinic")


@pytest.fixture
async def patients(database):
    return Patients(database.sessions, KeyEncryptionKey("a secret that is long enough for a test of keys"))


async def test_a_reference_is_one_patient_of_its_organisation(patients, organisation, database):
    first = await patients.get_or_create(organisation, "MRN-1", "operator")
    assert await patients.get_or_create(organisation, "MRN-1", "operator") == first
    assert await patients.by_number(organisation, "MRN-1") == await patients.by_id(organisation, first.id) == first
    assert await patients.by_number(organisation, "MRN-2") is None
    async with database.sessions.begin() as session:
        other = OrganisationRow(name="Another", created_at=first.created_at)
        session.add(other)
    second = await patients.get_or_create(other.id, "MRN-1", "operator")
    assert second.id != first.id
    assert second.data_key != first.data_key
    assert await patients.by_id(other.id, first.id) is None


async def test_requests_at_the_same_moment_find_the_same_patient_and_key(patients, organisation):
    found = await asyncio.gather(*(patients.get_or_create(organisation, "MRN-1", "operator") for _ in range(8)))
    assert len({patient.data_key for patient in found}) == 1
    keys = await asyncio.gather(*(patients.organisation_key(organisation) for _ in range(8)))
    assert len(set(keys)) == 1


async def test_the_stored_key_is_wrapped_and_without_it_nobody_is_found(patients, organisation, database):
    made = await patients.get_or_create(organisation, "MRN-1", "operator")
    sealed = encrypt(made.data_key, b"words", made.id.bytes)
    async with database.sessions.begin() as session:
        row = (await session.scalars(select(PatientRow))).one()
        assert made.data_key not in row.data_key
        row.data_key = None
    assert await patients.by_number(organisation, "MRN-1") is None
    assert decrypt(made.data_key, sealed, made.id.bytes) == b"words"
    assert repr(made.data_key) not in repr(made)


async def test_an_account_of_a_patient_is_bound_to_its_patient(patients, accounts, organisation):

    def row_of(account_id):
        return patients.new_row(organisation, account_id=account_id)

    account = await accounts.add_account("p@home.example", "hash", "patient", organisation, row_of)
    who = await accounts.person(account)
    assert who.role == "patient"
    assert (await patients.by_id(organisation, who.patient_id)).account_id == account
    assert "patients:write" not in who.scopes
