"""Test keys: what they make carries a mark, is seen by them alone, goes nowhere, and is deleted after a week."""

import datetime as dt
import json

import pytest
from sqlalchemy import update

from gateway.assessing.administration import create_api_key
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import AssessmentRow
from gateway.records import events as records
from gateway.records.retention import Retention
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput
from tests.dicom import source_file
from tests.integration.people import client, invited, system_of

FOLLOWED = {
    "age": 70, "gender": "female", "menopausal_status": "postmenopausal", "medications": [], "prior_fractures": False,
    "t_scores": [{"site": "total_hip", "value": -2.2, "date": "2026-05-01"}],
}  # fmt: skip
CASE = {"clinical": (None, json.dumps(FOLLOWED)), "patient_number": (None, "MRN-1")}
SCOPES = "assessments:write assessments:read models:read"
HOOK = {"url": "https://8.8.8.8/hook", "events": ["assessment.completed", "alert.opened"], "description": "x"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(state_dir=tmp_path_factory.mktemp("test-keys"), store_renderings=True, _env_file=None)


@pytest.fixture(scope="module")
async def tester(settings, api):
    made = await create_api_key(settings, "trial", SCOPES, None, is_test=True)
    async with client(api, **{"X-API-Key": made["key"]}) as system:
        yield system


@pytest.fixture(scope="module")
async def live(settings, api):
    everything = "assessments:write assessments:read patients:read patients:write audit:read"
    async with await system_of(settings, api, everything) as system:
        yield system


@pytest.fixture(scope="module")
async def made(tester, admin, knee_jpeg):
    assert (await admin.post("/v1/webhooks", json=HOOK)).status_code == 201
    answer = await tester.post("/v1/assessments", files={**CASE, "image": ("knee.jpg", knee_jpeg)})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_what_a_test_key_makes_says_so_and_the_key_reads_it(tester, live, made):
    assert (made["test"], made["patient_number"]) == (True, "MRN-1")
    assert (await tester.get(f"/v1/assessments/{made['id']}")).json() == made
    assert [item["id"] for item in (await tester.get("/v1/assessments")).json()["items"]] == [made["id"]]
    assert (await tester.get(f"/v1/assessments/{made['id']}/fhir")).status_code == 200
    assert (await tester.get(f"/v1/assessments/{made['id']}/report.pdf")).status_code == 200
    real = (await live.post("/v1/assessments", files={"clinical": CASE["clinical"]})).json()
    assert real["test"] is False
    assert (await tester.get(f"/v1/assessments/{real['id']}")).status_code == 404
    found = (await tester.get("/fhir/DiagnosticReport")).json()
    assert real["id"] not in json.dumps(found)
    assert made["id"] in json.dumps(found)


async def test_nobody_else_sees_it(api, admin, live, made):
    clinician = await invited(admin, api, "ada@clinic.example", "clinician")
    for reader in (live, clinician, admin):
        for path in ("", "/fhir", "/report.pdf", "/preview.png"):
            assert (await reader.get(f"/v1/assessments/{made['id']}{path}")).status_code == 404, path
        assert (await reader.get(f"/fhir/DiagnosticReport/{made['id']}")).status_code == 404
        for path in ("/v1/assessments", "/v1/assessments?fields=brief", "/v1/patients", "/v1/alerts?status=upcoming",
                     "/fhir/DiagnosticReport", "/v1/events"):  # fmt: skip
            answer = await reader.get(path)
            assert answer.status_code == 200
            assert made["id"] not in answer.text, path
    assert (await live.get("/v1/patients/MRN-1")).status_code == 404, "no patient was made of it"
    for change in ("sign", "release"):
        assert (await clinician.post(f"/v1/assessments/{made['id']}/{change}")).status_code == 404


async def test_nothing_of_it_goes_anywhere(tester, admin, made, monkeypatch):
    [webhook] = (await admin.get("/v1/webhooks")).json()["items"]
    told = (await admin.get(f"/v1/webhooks/{webhook['id']}/deliveries")).json()["items"]
    assert made["id"] not in {delivery["subject"] for delivery in told}
    monkeypatch.setattr(records, "SETTLING", dt.timedelta(0))
    events = (await tester.get("/v1/events")).json()["items"]
    assert {event["subject"] for event in events} == {made["id"]}, "and no alert was opened"
    film = await tester.post("/v1/assessments", files={"image": ("knee.dcm", source_file())})
    body = {"destination": "archive"}
    assert (await tester.post(f"/v1/assessments/{film.json()['id']}/dicom/send", json=body)).status_code == 403
    assert (await tester.get(f"/v1/assessments/{film.json()['id']}/dicom/sr.dcm")).status_code == 403
    manifest = {"manifest": (None, '{"cases": [{"reference": "a", "clinical": {"age": 67, "gender": "female"}}]}')}
    assert (await tester.post("/v1/batches", files=manifest)).status_code == 403
    assert (await tester.get("/v1/batches")).status_code == 403


async def test_a_test_key_reaches_no_patient_and_makes_no_keys(settings, admin, tester):
    for scope in ("patients:read", "patients:write", "patients:restricted", "admin", "audit:read"):
        with pytest.raises(InvalidInput, match=scope):
            await create_api_key(settings, "trial", scope, None, is_test=True)
    answer = await admin.post("/v1/keys", json={"name": "t", "scopes": ["patients:read"], "test": True})
    assert (answer.status_code, answer.json()["field"]) == (422, "scopes")
    made = await admin.post("/v1/keys", json={"name": "t", "scopes": ["models:read"], "test": True})
    assert made.json()["test"] is True
    assert made.json()["id"] in {key["id"] for key in (await admin.get("/v1/keys")).json()["items"] if key["test"]}


async def test_the_token_of_a_test_key_is_a_test_token(settings, api, made):
    key = await create_api_key(settings, "trial", SCOPES, None, is_test=True)
    async with client(api) as stranger:
        form = {"grant_type": "client_credentials", "client_id": key["id"], "client_secret": key["key"]}
        token = (await stranger.post("/v1/tokens", data=form)).json()["access_token"]
    async with client(api, Authorization=f"Bearer {token}") as system:
        assert (await system.post("/v1/assessments", files={"clinical": CASE["clinical"]})).json()["test"] is True


async def test_after_a_week_it_is_deleted_and_the_same_request_makes_it_anew(settings, tester, live, made):
    headers = {"Idempotency-Key": "trial-1"}
    first = (await tester.post("/v1/assessments", files=CASE, headers=headers)).json()["id"]
    kept = (await live.post("/v1/assessments", files=CASE)).json()["id"]
    database = database_of(settings)
    retention = Retention(database.sessions, 90, 730)
    await retention.delete_expired()
    assert (await tester.get(f"/v1/assessments/{first}")).status_code == 200
    async with database.sessions.begin() as session:
        await session.execute(update(AssessmentRow).values(created_at=now() - dt.timedelta(days=8)))
    await retention.delete_expired()
    await database.close()
    assert (await tester.get(f"/v1/assessments/{first}")).status_code == 404
    assert (await live.get(f"/v1/assessments/{kept}")).status_code == 200
    again = await tester.post("/v1/assessments", files=CASE, headers=headers)
    assert (again.status_code, again.json()["id"] != first) == (201, True)


async def test_an_emergency_of_a_test_is_nobodys_alarm(tester, admin):
    record = {"age": 67, "gender": "female", "serum_calcium_mmol_per_l": 3.6}
    made = (await tester.post("/v1/assessments", files={"clinical": (None, json.dumps(record))})).json()
    assert made["recommendation"]["consult"]["urgency"] == "emergency"
    assert (await admin.get("/v1/alerts", params={"status": "urgent"})).json()["items"] == []
