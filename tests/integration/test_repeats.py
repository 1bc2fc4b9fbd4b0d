"""The same request with the same key happens once, whatever it makes, also when both come at the same moment."""

import asyncio
import datetime as dt

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from gateway.assessing.routing import add_destination
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import (
    ApiKeyRow,
    DeliveryRow,
    DestinationRow,
    EmergencyAccessRow,
    IdempotentRequestRow,
    InvitationRow,
    MeasurementRow,
)
from gateway.records.retention import Retention
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.dicom import source_file
from tests.integration.people import administrator_of, invited, system_of

RECORD = {"clinical": (None, '{"age": 67, "gender": "female"}')}
MEASURED = {"kind": "t_score", "date": "2025-11-03", "site": "total_hip", "value": -1.8, "method": "dxa"}
WHY = {"reason": "emergency", "note": "A fall."}
HOOK = {"url": "https://8.8.8.8/hook", "events": ["batch.done"], "description": "x"}
GUEST = {"email": "new@home.example", "role": "patient", "patient_number": "MRN-NEW"}


@pytest.fixture
def settings(tmp_path, database_url):
    url = SecretStr(database_url)
    return GatewaySettings(state_dir=tmp_path, database_url=url, logins_per_minute=999, _env_file=None)


@pytest.fixture
async def site(settings):
    async with open_gateway(settings, shared_services()) as api:
        admin = await administrator_of(settings, api, "root@clinic.example")
        clinician = await invited(admin, api, "ada@clinic.example", "clinician")
        for number in ("MRN-1", "MRN-VIP"):
            made = await api.post("/v1/assessments", files={**RECORD, "patient_number": (None, number)})
            assert made.status_code == 201
        await clinician.put("/v1/patients/MRN-VIP/restriction")
        database = database_of(settings)
        yield api, admin, clinician, database
        await database.close()


async def count(database, table):
    async with database.sessions() as session:
        return await session.scalar(select(func.count()).select_from(table))


CASES = {
    "measurement": ("clinician", "/v1/patients/MRN-1/measurements", MEASURED, MeasurementRow, 201),
    "emergency access": ("clinician", "/v1/patients/MRN-VIP/emergency-access", WHY, EmergencyAccessRow, 201),
    "key": ("admin", "/v1/keys", {"name": "x", "scopes": ["models:read"]}, ApiKeyRow, 201),
    "invitation": ("admin", "/v1/invitations", GUEST, InvitationRow, 201),
    "webhook": ("admin", "/v1/webhooks", HOOK, DestinationRow, 201),
}


@pytest.mark.parametrize("made", CASES)
async def test_what_is_sent_twice_is_made_once_and_answered_twice(made, site):
    _, admin, clinician, database = site
    caller, path, body, table, status = CASES[made]
    sender = {"admin": admin, "clinician": clinician}[caller]
    before, headers = await count(database, table), {"Idempotency-Key": "order-4711"}
    first, second = await asyncio.gather(*(sender.post(path, json=body, headers=headers) for _ in range(2)))
    third = await sender.post(path, json=body, headers=headers)
    assert [answer.status_code for answer in (first, second, third)] == [status] * 3, (first.text, second.text)
    assert first.json() == second.json() == third.json()
    assert await count(database, table) == before + 1
    replayed = [answer.headers.get("Idempotency-Replayed") for answer in (first, second, third)]
    assert sorted(map(str, replayed)) == ["None", "true", "true"]
    changed = next(name for name in ("value", "note", "name", "description", "hours") if name in {**body, "hours": 1})
    other = {"value": -2.0, "note": "Another.", "name": "y", "hours": 5, "description": "y"}[changed]
    assert (await sender.post(path, json={**body, changed: other}, headers=headers)).status_code == 409


async def test_what_is_sent_to_an_archive_twice_is_sent_once(site, settings):
    api, *_, database = site
    told_by = {"url": "https://archive.example", "objects": ["sr"]}
    await add_destination(settings, "dicomweb", "archive", [], told_by)
    film = {"image": ("knee.dcm", source_file())}
    made = (await api.post("/v1/assessments", files={**film, **RECORD})).json()["id"]
    headers, body = {"Idempotency-Key": "send-1"}, {"destination": "archive"}
    answers = [await api.post(f"/v1/assessments/{made}/dicom/send", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202], answers[0].text
    assert answers[0].json()["delivery_id"] == answers[1].json()["delivery_id"]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert await count(database, DeliveryRow) == 1


async def test_assessments_and_batches_say_so_too(site):
    api, *_ = site
    headers = {"Idempotency-Key": "case-1"}
    batch = {"manifest": (None, '{"cases": [{"reference": "a", "clinical": {"age": 67, "gender": "female"}}]}')}
    for path, files in (("/v1/assessments", RECORD), ("/v1/batches", batch)):
        first, again = [await api.post(path, files=files, headers=headers) for _ in range(2)]
        assert first.json()["id"] == again.json()["id"]
        assert first.headers["Location"] == again.headers["Location"] == f"{path}/{first.json()['id']}"
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"


async def test_a_key_of_one_caller_is_nothing_to_another(site, settings):
    api, _, clinician, database = site
    system = await system_of(settings, api, "patients:read patients:write")
    before = await count(database, MeasurementRow)
    for sender in (clinician, system):
        answer = await sender.post(
            "/v1/patients/MRN-1/measurements", json=MEASURED, headers={"Idempotency-Key": "same"}
        )
        assert "Idempotency-Replayed" not in answer.headers
    assert await count(database, MeasurementRow) == before + 2


async def test_a_secret_can_be_shown_again_for_a_day_and_is_not_to_be_read_in_the_database(site, tmp_path):
    _, admin, _, database = site
    body, headers = {"name": "x", "scopes": ["models:read"]}, {"Idempotency-Key": "once"}
    key = (await admin.post("/v1/keys", json=body, headers=headers)).json()["key"]
    if not database.is_shared:
        written = b"".join(file.read_bytes() for file in tmp_path.glob("*.db*"))
        assert key.rpartition("_")[2].encode() not in written
    async with database.sessions.begin() as session:
        yesterday = now() - dt.timedelta(hours=25)
        await session.execute(update(IdempotentRequestRow).values(created_at=yesterday))
    await Retention(database.sessions, 90, 730).delete_expired()
    answer = await admin.post("/v1/keys", json=body, headers=headers)
    assert (answer.status_code, "not kept" in answer.json()["detail"]) == (409, True)


async def test_what_was_erased_is_made_anew(site):
    _, _, clinician, database = site
    headers = {"Idempotency-Key": "measured"}
    first = await clinician.post("/v1/patients/MRN-1/measurements", json=MEASURED, headers=headers)
    assert first.status_code == 201
    assert await count(database, IdempotentRequestRow) == 1
    await clinician.delete("/v1/patients/MRN-1")
    assert await count(database, IdempotentRequestRow) == 0
