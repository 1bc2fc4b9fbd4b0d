"""Somebody who writes to the database, and does not have its secret, moves rows: nothing opens to the wrong reader."""

import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import select, update

from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import (
    AccountRow,
    AlertRow,
    AssessmentRow,
    MeasurementRow,
    OrganisationRow,
    PatientRow,
)
from gateway.settings import GatewaySettings
from tests.integration.people import administrator_of, invited, registered

CASE = {"clinical": (None, '{"age": 67, "gender": "female"}')}
SECRET = "MRN-SECRET-1"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("moved"), database_url=url, store_renderings=True, logins_per_minute=1000,
        logins_per_address_per_minute=1000, _env_file=None,
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """Every refusal here is an error in the log, and drawing its traceback takes seconds."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
async def elsewhere(settings, api):
    async with await administrator_of(settings, api, "root@elsewhere.example", "Elsewhere") as person:
        yield person


@pytest.fixture
async def database(settings, api):
    """The database in the hands of the attacker, and as it was afterwards."""
    opened = database_of(settings)
    async with opened.sessions() as session:
        before = {table: [dict(row._mapping) for row in await session.execute(table.__table__.select())]
                  for table in (PatientRow, AssessmentRow, AlertRow, MeasurementRow)}  # fmt: skip
    yield opened
    async with opened.sessions.begin() as session:
        await session.execute(update(PatientRow).values(patient_number=None, account_id=None))
        for table, rows in before.items():
            for row in rows:
                await session.execute(update(table).where(table.id == row["id"]).values(**row))
    await opened.close()


@pytest.fixture(scope="module")
async def patients(api, admin, knee_jpeg):
    for number in (SECRET, "SWAP-A", "SWAP-B"):
        files = {**CASE, "image": ("knee.jpg", knee_jpeg), "patient_number": (None, number)}
        assert (await api.post("/v1/assessments", files=files)).status_code == 201
    for date, value in (("2023-01-10", -1.0), ("2025-01-10", -3.5)):
        body = {"kind": "t_score", "date": date, "site": "total_hip", "value": value, "method": "dxa"}
        assert (await admin.post(f"/v1/patients/{SECRET}/measurements", json=body)).status_code == 201


async def organisation(session, name):
    return await session.scalar(select(OrganisationRow.id).where(OrganisationRow.name == name))


async def said(caller, *paths):
    return "".join([(await caller.get(path)).text for path in paths])


async def of(session, number):
    return await session.scalar(select(PatientRow.id).where(PatientRow.patient_number == number))


async def test_an_assessment_that_is_moved_to_another_organisation_stays_shut(database, patients, elsewhere, admin):
    async with database.sessions.begin() as session:
        theirs, patient = await organisation(session, "Elsewhere"), await of(session, SECRET)
        mine = AssessmentRow.patient_id == patient
        identity = await session.scalar(select(AssessmentRow.id).where(mine))
        await session.execute(update(AssessmentRow).where(mine).values(organisation_id=theirs))
        await session.execute(update(AlertRow).where(AlertRow.patient_id == patient).values(organisation_id=theirs))
    one = f"/v1/assessments/{identity}"
    seen = await said(elsewhere, "/v1/assessments", one, f"{one}/preview.png", f"{one}/report.pdf", "/v1/alerts")
    assert SECRET not in seen
    assert "%PDF" not in seen
    assert "PNG" not in seen
    assert (await elsewhere.get(one)).status_code == 500  # loud: somebody has been at the database


async def test_a_patient_who_is_moved_to_another_organisation_stays_shut(database, patients, elsewhere):
    async with database.sessions.begin() as session:
        theirs, patient = await organisation(session, "Elsewhere"), await of(session, SECRET)
        await session.execute(update(PatientRow).where(PatientRow.id == patient).values(organisation_id=theirs))
        for table in (AssessmentRow, AlertRow, MeasurementRow):
            await session.execute(update(table).where(table.patient_id == patient).values(organisation_id=theirs))
    paths = [f"/v1/patients/{SECRET}{end}" for end in ("", "/timeline", "/export")]
    statuses = [(await elsewhere.get(path)).status_code for path in (*paths, "/v1/assessments", "/v1/alerts")]
    assert set(statuses) == {500}


async def test_two_patients_whose_numbers_were_swapped_stay_shut(database, patients, admin):
    async with database.sessions.begin() as session:
        one, two = await of(session, "SWAP-A"), await of(session, "SWAP-B")
        for patient, number in ((one, None), (two, "SWAP-A"), (one, "SWAP-B")):
            await session.execute(update(PatientRow).where(PatientRow.id == patient).values(patient_number=number))
    for number in ("SWAP-A", "SWAP-B"):
        assert (await admin.get(f"/v1/patients/{number}/timeline")).status_code == 500
        assert (await admin.get("/v1/assessments", params={"patient_number": number})).status_code == 500


async def test_a_key_that_is_moved_with_its_row_opens_nothing(database, patients, admin):
    """All of another patient's row, its seal included: the contents are bound to rows, and the key to its patient."""
    async with database.sessions.begin() as session:
        rows = {row.patient_number: row for row in await session.scalars(select(PatientRow))}
        victim = rows["SWAP-B"]
        values = {"data_key": victim.data_key, "seal": victim.seal}
        await session.execute(update(PatientRow).where(PatientRow.id == rows["SWAP-A"].id).values(**values))
    assert (await admin.get("/v1/patients/SWAP-A/timeline")).status_code == 500


async def test_an_account_that_is_bound_to_another_patient_sees_nothing(settings, database, patients, api):
    async with await registered(settings, api, "thief@home.example") as thief:
        async with database.sessions.begin() as session:
            account = await session.scalar(select(AccountRow.id).where(AccountRow.email == "thief@home.example"))
            await session.execute(update(PatientRow).where(PatientRow.account_id == account).values(account_id=None))
            victim = await of(session, SECRET)
            await session.execute(update(PatientRow).where(PatientRow.id == victim).values(account_id=account))
        seen = await said(thief, "/v1/assessments", f"/v1/patients/{SECRET}/export", "/v1/alerts")
        assert '"imaging"' not in seen
        assert (await thief.get("/v1/assessments")).status_code == 500


async def test_whoever_is_bound_as_the_gateway_does_it_sees_their_own(patients, admin, api):
    async with await invited(admin, api, "own@home.example", "patient", patient_number=SECRET) as patient:
        assert len((await patient.get("/v1/assessments")).json()["items"]) == 1
        assert (await patient.get(f"/v1/patients/{SECRET}/export")).status_code == 200


async def test_patients_of_before_are_sealed_by_the_migration(settings, patients, database):
    async with database.sessions() as session:
        rows = (await session.scalars(select(PatientRow))).all()
    assert rows
    assert all(len(row.seal) == 32 for row in rows)
