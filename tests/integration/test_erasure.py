"""Erasure leaves nothing: the files of both databases are searched for what was erased. What is over goes, too."""

import datetime as dt
import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text, update

from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.idempotency import IdempotentRequest
from gateway.platform.database.tables import (
    AssessmentRow,
    BatchCaseRow,
    BatchRow,
    IdempotentRequestRow,
    InvitationRow,
    OrganisationRow,
    PatientRow,
    RefreshTokenRow,
    SignInDelayRow,
    SignInRow,
)
from gateway.records.retention import Retention
from gateway.settings import GatewaySettings
from tests.integration.people import PASSWORD, client, invited, tokens_of

NUMBER, EMAIL, KEY = "MRN-ERASEME-77", "erase.me@home.example", "batch-MRN-ERASEME-77"
CASE = {"clinical": (None, '{"age": 67, "gender": "female"}')}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("erasure"), database_url=url, store_renderings=True, logins_per_minute=1000,
        logins_per_address_per_minute=1000, _env_file=None,
    )  # fmt: skip


@asynccontextmanager
async def opened(settings):
    database = database_of(settings)
    async with database.sessions.begin() as session:
        yield session
    await database.close()


async def files_of(settings):
    """What the database has on the disk, but for the log of PostgreSQL, which goes round."""
    file = settings.sqlite_file()
    if file is not None:
        return {part.name: part.read_bytes() for part in file.parent.glob(f"{file.name}*")}
    async with opened(settings) as session:
        folder = Path(await session.scalar(text("SHOW data_directory")))
    database = database_of(settings)
    async with database.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).exec_driver_sql("CHECKPOINT")
    await database.close()
    return {str(part): part.read_bytes() for part in (folder / "base").rglob("*") if part.is_file()}


async def found(settings, *secrets):
    """Which of these are anywhere in the files."""
    whole = b"\n".join((await files_of(settings)).values())
    return [secret for secret in secrets if (secret if isinstance(secret, bytes) else secret.encode()) in whole]


async def patient_of(settings, number):
    async with opened(settings) as session:
        return (await session.scalars(select(PatientRow).where(PatientRow.patient_number == number))).one()


async def ended(api, batch):
    await api.get(f"/v1/batches/{batch}/events", timeout=60)


async def test_nothing_of_an_erased_patient_is_left_in_the_files(settings, api, admin, knee_jpeg):
    files = {**CASE, "image": ("knee.jpg", knee_jpeg), "patient_number": (None, NUMBER)}
    made = await api.post("/v1/assessments", files=files, headers={"Idempotency-Key": f"case-{NUMBER}"})
    assert made.status_code == 201, made.text
    cases = [{"reference": f"ref-{NUMBER}", "patient_number": NUMBER, "clinical": {"age": 67, "gender": "female"}},
             {"reference": "somebody-else", "clinical": {"age": 50, "gender": "male"}}]  # fmt: skip
    manifest = {"manifest": (None, json.dumps({"cases": cases}))}
    batch = (await api.post("/v1/batches", files=manifest, headers={"Idempotency-Key": KEY})).json()["id"]
    await ended(api, batch)
    await (await invited(admin, api, EMAIL, "patient", patient_number=NUMBER)).aclose()
    row = await patient_of(settings, NUMBER)
    async with opened(settings) as session:
        content = await session.scalar(select(AssessmentRow.content).where(AssessmentRow.patient_id == row.id))
    assert set(await found(settings, NUMBER, EMAIL, row.data_key)) == {NUMBER, EMAIL, row.data_key}
    assert await found(settings, KEY, f"case-{NUMBER}", f"ref-{NUMBER}") == []  # they were never written down
    listed = (await api.get(f"/v1/batches/{batch}/cases")).json()["items"]
    assert [case["reference"] for case in listed] == [f"ref-{NUMBER}", "somebody-else"]

    assert (await admin.delete(f"/v1/patients/{NUMBER}")).status_code == 204
    assert await found(settings, NUMBER, EMAIL, row.data_key) == []
    if settings.sqlite_file() is not None:
        assert await found(settings, content) == []
    async with opened(settings) as session:
        stored = set(await session.scalars(select(IdempotentRequestRow.subject)))
    assert {made.json()["id"], batch}.isdisjoint(stored)


async def test_an_assessment_of_nobody_is_erased_by_itself(settings, api, admin, knee_jpeg):
    made = (await api.post("/v1/assessments", files={**CASE, "image": ("knee.jpg", knee_jpeg)})).json()["id"]
    async with opened(settings) as session:
        row = next(row for row in await session.scalars(select(AssessmentRow)) if str(row.id) == made)
        content = row.content
    assert (await api.delete(f"/v1/assessments/{made}")).status_code == 403
    assert (await admin.delete(f"/v1/assessments/{made}")).status_code == 204
    assert (await api.get(f"/v1/assessments/{made}")).status_code == 404
    assert (await api.get(f"/v1/assessments/{made}/preview.png")).status_code == 404
    assert (await admin.delete(f"/v1/assessments/{made}")).status_code == 404
    if settings.sqlite_file() is not None:
        assert await found(settings, content) == []
    lines = (await admin.get("/v1/audit", params={"subject": made})).json()["items"]
    assert "assessment erased" in {line["action"] for line in lines}


async def test_a_repeated_request_is_still_known(api):
    headers = {"Idempotency-Key": "ward-7-0001"}
    first, second = [(await api.post("/v1/assessments", files=CASE, headers=headers)).json() for _ in range(2)]
    assert first == second
    other = await api.post("/v1/assessments", files={"clinical": (None, '{"age": 68, "gender": "female"}')},
                           headers=headers)  # fmt: skip
    assert other.status_code == 409


def test_a_key_is_stored_as_a_hash_of_caller_and_key():
    request = IdempotentRequest("ward-7-0001", b"")
    assert "ward" not in request.stored_key("key:a")
    assert request.stored_key("key:a") != request.stored_key("key:b")
    assert len(request.stored_key("key:a")) == 64


async def test_the_export_leaves_nothing_out(settings, api, admin, knee_jpeg):
    files = {**CASE, "image": ("knee.jpg", knee_jpeg), "patient_number": (None, "EXP-1")}
    made = (await api.post("/v1/assessments", files=files)).json()["id"]
    await admin.post(
        "/v1/invitations", json={"email": "exp@home.example", "role": "patient", "patient_number": "EXP-1"}
    )
    async with await invited(admin, api, "exp1@home.example", "patient", patient_number="EXP-1"):
        pass
    for date, value in (("2023-01-10", -1.0), ("2025-01-10", -3.5)):
        body = {"kind": "t_score", "date": date, "site": "total_hip", "value": value, "method": "dxa"}
        assert (await admin.post("/v1/patients/EXP-1/measurements", json=body)).status_code == 201
    manifest = {
        "cases": [{"reference": "exp-case", "patient_number": "EXP-1", "clinical": {"age": 67, "gender": "female"}}]
    }
    batch = (await api.post("/v1/batches", files={"manifest": (None, json.dumps(manifest))})).json()["id"]
    await ended(api, batch)
    alerts = (await admin.get("/v1/alerts")).json()["items"]
    [alert] = [item for item in alerts if item["patient_number"] == "EXP-1" and item["status"] == "worsening"]
    assert (await admin.post(f"/v1/alerts/{alert['id']}/close")).status_code == 204

    export = (await admin.get("/v1/patients/EXP-1/export")).json()
    [closed] = [item for item in export["alerts"] if item["id"] == alert["id"]]
    assert closed["closed_at"]
    assert closed["closed_by"].startswith("account:")
    assert export["account"]["email"] == "exp1@home.example"
    assert {item["email"] for item in export["invitations"]} == {"exp@home.example", "exp1@home.example"}
    assert {item["kind"] for item in export["pictures"] if item["assessment_id"] == made} >= {"preview"}
    assert [(item["batch_id"], item["reference"], item["status"]) for item in export["batch_cases"]] == [
        (batch, "exp-case", "done")
    ]
    assert len(export["assessments"]) == 2
    assert {"measurement added", "alert closed", "patient invited", "invitation accepted", "batch made", "sign-in"} <= {
        line["action"] for line in export["trail"]
    }


async def test_what_waits_in_a_batch_is_exported_too(settings, admin):
    from gateway.platform.database.ids import uuid7
    from gateway.platform.encryption import KeyEncryptionKey, encrypt

    assert (await admin.post("/v1/invitations", json={"email": "w@home.example", "role": "patient",
                                                      "patient_number": "WAITS-1"})).status_code == 201  # fmt: skip
    row = await patient_of(settings, "WAITS-1")
    kek = KeyEncryptionKey(settings.data_key())
    key = kek.unwrap(row.data_key, row.id)
    batch, case = uuid7(), uuid7()
    risk = {"record": {"age": 67, "gender": "female"}, "clinical_model": "bone_density"}
    record = encrypt(key, json.dumps({"patient_number": "WAITS-1", "risk": risk}).encode(), case.bytes + b"record")
    async with opened(settings) as session:
        owner = (await session.get_one(OrganisationRow, row.organisation_id)).data_key
        reference = encrypt(kek.unwrap(owner, row.organisation_id), b"w", case.bytes + b"reference")
        session.add(BatchRow(id=batch, organisation_id=row.organisation_id, created_at=now(), created_by="key:x"))
        await session.flush()
        later = now() + dt.timedelta(days=1)
        session.add(
            BatchCaseRow(id=case, batch_id=batch, position=0, reference_encrypted=reference, patient_id=row.id,
                         state="waiting", record=record, not_before=later,
                         image=encrypt(key, b"film", case.bytes + b"image"))
        )  # fmt: skip
    [waiting] = (await admin.get("/v1/patients/WAITS-1/export")).json()["batch_cases"]
    assert waiting["record"]["record"]["age"] == 67
    assert (waiting["image_base64"], waiting["reference"]) == ("ZmlsbQ==", "w")


async def count(settings, table):
    async with opened(settings) as session:
        return await session.scalar(select(func.count()).select_from(table))


async def test_what_is_over_is_deleted_and_what_is_not_stays(settings, api, admin):
    manifest = {
        "manifest": (None, json.dumps({"cases": [{"reference": "old", "clinical": {"age": 67, "gender": "male"}}]}))
    }
    batch = (await api.post("/v1/batches", files=manifest)).json()["id"]
    await ended(api, batch)
    await admin.post("/v1/invitations", json={"email": "never-came@clinic.example", "role": "clinician"})
    database = database_of(settings)
    retention = Retention(database.sessions, 90, 730)
    before = {table: await count(settings, table) for table in (InvitationRow, BatchRow, SignInRow)}
    await retention.delete_expired()
    assert {table: await count(settings, table) for table in before} == before

    long_ago = now() - dt.timedelta(days=91)
    async with opened(settings) as session:
        await session.execute(update(InvitationRow).values(expires_at=long_ago))
        await session.execute(update(BatchRow).values(created_at=long_ago))
        await session.execute(update(SignInRow).values(ends_at=long_ago))
        await session.execute(update(RefreshTokenRow).values(expires_at=long_ago))
        await session.execute(update(SignInDelayRow).values(expires_at=long_ago))
        await session.execute(update(IdempotentRequestRow).values(created_at=long_ago))
    assert await retention.delete_expired() > 0
    await database.close()
    assert [await count(settings, table) for table in (InvitationRow, SignInRow, RefreshTokenRow, SignInDelayRow)] == [
        0
    ] * 4
    async with opened(settings) as session:
        left = (await session.scalars(select(BatchCaseRow.state))).all()
        known = (await session.scalars(select(IdempotentRequestRow))).all()
    assert left == ["waiting"]  # of the test before: it is not over
    assert known == []
    async with client(api) as person:
        await tokens_of(person, "root@clinic.example", PASSWORD)  # the account itself stays
