"""A patient over the years: timeline, trends, alerts, export and erasure, on both databases."""

import datetime as dt
import json
from collections import Counter

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from gateway.platform.audit import Audit
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import (
    AlertRow,
    AssessmentRow,
    BatchCaseRow,
    MeasurementRow,
    PatientRow,
    RefreshTokenRow,
    RenderingRow,
)
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.integration.people import administrator_of, client, invited, system_of

# What the measured intervals until the next DXA hold for.
UNTREATED = {"medications": [], "prior_fractures": False}
ALL = "assessments:write assessments:read patients:read patients:write"


@pytest.fixture
def settings(tmp_path, database_url):
    url = SecretStr(database_url)
    return GatewaySettings(
        state_dir=tmp_path, database_url=url, store_renderings=True, logins_per_minute=999, _env_file=None
    )


@pytest.fixture
async def api(settings):
    async with open_gateway(settings, shared_services()) as client:
        yield client


@pytest.fixture
async def clinic(settings, api):
    async with await system_of(settings, api, ALL) as client:
        yield client


def record(**more):
    return json.dumps({"age": 70, "gender": "female", "menopausal_status": "postmenopausal", **more})


def t_score(value, date=None, site="total_hip"):
    return {"site": site, "value": value, **({"date": date} if date else {})}


async def assessed(clinic, patient, image=None, **more):
    files = {"clinical": (None, record(**more)), "patient_number": (None, patient)}
    if image:
        files["image"] = ("knee.jpg", image)
    answer = await clinic.post("/v1/assessments", files=files)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def get(client, path, code=200, **query):
    answer = await client.get(path, params=query)
    assert answer.status_code == code, answer.text
    return answer.json()


async def test_the_timeline_tells_each_fact_once_and_the_trend(clinic):
    scores = [t_score(-1.5, "2022-05-01"), t_score(-2.2, "2026-05-01"), t_score(-1.0, site="femoral_neck")]
    first = await assessed(clinic, "MRN-1", t_scores=scores[:1])
    second = await assessed(clinic, "MRN-1", t_scores=scores, prior_fractures=[{"site": "wrist", "low_trauma": True}])
    added = {
        "kind": "bone_density",
        "date": "2024-01-02",
        "site": "lumbar_spine",
        "g_per_cm2": 0.9,
        "device": "hologic",
    }
    answer = await clinic.post("/v1/patients/MRN-1/measurements", json=added)
    assert answer.status_code == 201
    told = await get(clinic, "/v1/patients/MRN-1/timeline")
    assert Counter(entry["kind"] for entry in told["entries"]) == {
        "assessment": 2, "t_score": 3, "fracture": 1, "bone_density": 1,
    }  # fmt: skip
    assert [entry["date"] for entry in told["entries"]] == sorted(entry["date"] for entry in told["entries"])
    assert [entry["assessment"]["id"] for entry in told["entries"] if entry["kind"] == "assessment"] == [
        first["id"], second["id"],
    ]  # fmt: skip
    (trend,) = told["trends"]
    assert (trend["site"], trend["change"], trend["significant"]) == ("total_hip", -0.7, True)
    assert trend["per_year"] == pytest.approx(-0.175, abs=0.001)


async def test_patients_are_found_by_reference_or_id(clinic):
    await assessed(clinic, "2026/0017")
    (listed,) = (await get(clinic, "/v1/patients"))["items"]
    assert listed["patient_number"] == "2026/0017"
    assert await get(clinic, "/v1/patients/2026%2F0017") == listed
    assert await get(clinic, f"/v1/patients/{listed['id']}") == listed
    assert (await get(clinic, "/v1/patients/2026%2F0017/timeline"))["patient_number"] == "2026/0017"
    await get(clinic, "/v1/patients/MRN-2", 404)
    await get(clinic, "/v1/patients/a%00b/timeline", 404)


BAD = [
    {"kind": "t_score", "date": "2999-01-01", "site": "total_hip", "value": -1.0},
    {"kind": "t_score", "date": "2024-01-01", "site": "total_hip", "value": -99.0},
    {"kind": "t_score", "date": "2024-01-01", "site": "elbow", "value": -1.0},
    {"kind": "fracture", "site": "hip"},
    {"kind": "horoscope", "date": "2024-01-01"},
]


@pytest.mark.parametrize("bad", BAD)
async def test_a_measurement_that_cannot_be_is_refused(clinic, bad):
    await assessed(clinic, "MRN-1")
    answer = await clinic.post("/v1/patients/MRN-1/measurements", json=bad)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_follow_ups_fall_due_and_give_way_to_newer_ones(settings, clinic):
    await assessed(clinic, "MRN-1", t_scores=[t_score(-2.2)], **UNTREATED)
    assert (await get(clinic, "/v1/alerts"))["items"] == []
    upcoming = (await get(clinic, "/v1/alerts", status="upcoming"))["items"]
    assert {item["code"] for item in upcoming} == {"follow_up.next_dxa.low_score"}
    assert upcoming[0]["patient_number"] == "MRN-1"
    today = dt.datetime.now(dt.UTC).date()
    database = database_of(settings)
    for days, state in ((0, "due"), (1, "overdue")):
        async with database.sessions.begin() as session:
            passed = today - dt.timedelta(days=days)
            await session.execute(update(AlertRow).values(due_from=passed, due_by=passed))
        assert [alert["status"] for alert in (await get(clinic, "/v1/alerts"))["items"]] == [state]
    await database.close()
    await assessed(clinic, "MRN-1", t_scores=[t_score(-1.7)], **UNTREATED)
    assert (await get(clinic, "/v1/alerts"))["items"] == []
    after = (await get(clinic, "/v1/alerts", status="upcoming"))["items"]
    assert {item["code"] for item in after} == {"follow_up.next_dxa.five_years"}


async def test_a_patient_who_gets_worse_raises_an_alert_until_somebody_closes_it(clinic):
    today = dt.datetime.now(dt.UTC).date()
    two_years_ago = (today - dt.timedelta(days=730)).isoformat()
    await assessed(clinic, "MRN-1", t_scores=[t_score(-1.5, two_years_ago)])
    loss = {"kind": "t_score", "date": today.isoformat(), "site": "total_hip", "value": -2.6}
    await clinic.post("/v1/patients/MRN-1/measurements", json=loss)
    (alert,) = (await get(clinic, "/v1/alerts", status="worsening"))["items"]
    assert (alert["code"], alert["status"], alert["due_by"]) == ("bone_loss", "worsening", None)
    assert "total hip" in alert["text"]
    for _ in range(2):
        assert (await clinic.post(f"/v1/alerts/{alert['id']}/close")).status_code == 204
    assert (await get(clinic, "/v1/alerts"))["items"] == []
    missing = await clinic.post("/v1/alerts/0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d/close")
    assert missing.status_code == 404


async def test_the_export_has_everything(clinic, knee_jpeg):
    made = await assessed(clinic, "MRN-1", knee_jpeg, t_scores=[t_score(-2.2)])
    await clinic.post("/v1/patients/MRN-1/measurements", json={"kind": "fracture", "date": "2024-01-01", "site": "hip"})
    await assessed(clinic, "MRN-2")
    export = await get(clinic, "/v1/patients/MRN-1/export")
    assert [assessment["assessment"]["id"] for assessment in export["assessments"]] == [made["id"]]
    assert export["assessments"][0]["record"]["record"]["t_scores"][0]["value"] == -2.2
    assert [measurement["measured"]["site"] for measurement in export["measurements"]] == ["hip"]
    assert [alert["code"] for alert in export["alerts"]]
    assert {"patient made", "assessment made", "patient exported"} <= {item["action"] for item in export["trail"]}


async def test_erasure_leaves_nothing_but_the_trail(settings, api, clinic, knee_jpeg):
    admin = await administrator_of(settings, api, "a@clinic.example")
    made = await assessed(clinic, "MRN-1", knee_jpeg, t_scores=[t_score(-2.2)])
    kept = await assessed(clinic, "MRN-2", t_scores=[t_score(-2.2)])
    await clinic.post("/v1/patients/MRN-1/measurements", json={"kind": "fracture", "date": "2024-01-01", "site": "hip"})
    patient = await invited(admin, api, "p@home.example", "patient", patient_number="MRN-1")
    manifest = json.dumps(
        {"cases": [{"reference": "a", "patient_number": "MRN-1", "clinical": {"age": 70, "gender": "male"}}]}
    )
    batch = (await clinic.post("/v1/batches", files={"manifest": (None, manifest)})).json()
    await clinic.get(f"/v1/batches/{batch['id']}/events", timeout=60)
    internal = (await get(clinic, "/v1/patients/MRN-1"))["id"]
    assert (await patient.get(f"/v1/patients/{internal}/timeline")).status_code == 200

    assert (await clinic.delete("/v1/patients/MRN-1")).status_code == 204
    for path in ("/v1/patients/MRN-1", f"/v1/patients/{internal}/export", f"/v1/assessments/{made['id']}"):
        await get(clinic, path, 404)
    assert (await patient.get("/v1/assessments")).status_code == 401
    database = database_of(settings)
    async with database.sessions() as session:
        for table in (AssessmentRow, MeasurementRow, AlertRow, BatchCaseRow):
            mine = select(func.count()).select_from(table).where(table.patient_id == PatientRow.id)
            assert await session.scalar(mine.where(PatientRow.erased_at.is_not(None))) == 0, table
        of_it = select(func.count()).select_from(RenderingRow)
        assert await session.scalar(of_it) == 0
        assert await session.scalar(select(func.count()).select_from(RefreshTokenRow)) == 1  # the administrator's
        row = (await session.scalars(select(PatientRow).where(PatientRow.erased_at.is_not(None)))).one()
        assert (row.patient_number, row.account_id, row.data_key) == (None, None, None)
    chain = await Audit(database.sessions).verify()
    assert chain.fault is None
    await database.close()
    assert (await get(clinic, f"/v1/assessments/{kept['id']}")) == kept
    # The same reference is a new patient from now on.
    again = await assessed(clinic, "MRN-1")
    assert [
        assessment["id"] for assessment in (await get(clinic, "/v1/assessments", patient_number="MRN-1"))["items"]
    ] == [again["id"]]
    await admin.aclose()
    await patient.aclose()


async def test_a_patient_sees_itself_only(settings, api, clinic):
    admin = await administrator_of(settings, api, "a@clinic.example")
    own = await assessed(clinic, "MRN-1", t_scores=[t_score(-2.2)])
    await assessed(clinic, "MRN-2", t_scores=[t_score(-2.2)])
    patient = await invited(admin, api, "p@home.example", "patient", patient_number="MRN-1")
    assert [listed["patient_number"] for listed in (await get(patient, "/v1/patients"))["items"]] == ["MRN-1"]
    timeline = await get(patient, "/v1/patients/MRN-1/timeline")
    assert {entry["source_id"] for entry in timeline["entries"]} == {own["id"]}
    upcoming = (await get(patient, "/v1/alerts", status="upcoming"))["items"]
    assert {entry["patient_number"] for entry in upcoming} == {"MRN-1"}
    export = await get(patient, "/v1/patients/MRN-1/export")
    kinds = {
        item["kind"]
        for assessment in export["assessments"]
        for item in assessment["assessment"]["recommendation"]["items"]
    }
    assert "medication" not in kinds
    for path in ("", "/timeline", "/export"):
        await get(patient, f"/v1/patients/MRN-2{path}", 404)
    for call in (patient.delete("/v1/patients/MRN-1"), patient.post(f"/v1/alerts/{upcoming[0]['id']}/close")):
        assert (await call).status_code == 403
    await admin.aclose()
    await patient.aclose()


async def test_another_organisation_finds_nobody_and_the_trail_says_so(settings, api, clinic):
    await assessed(clinic, "MRN-1", t_scores=[t_score(-2.2)])
    async with await system_of(settings, api, ALL, "Another clinic") as stranger:
        for path in ("", "/timeline", "/export"):
            await get(stranger, f"/v1/patients/MRN-1{path}", 404)
        assert (await stranger.delete("/v1/patients/MRN-1")).status_code == 404
        assert (await get(stranger, "/v1/patients"))["items"] == []
        assert (await get(stranger, "/v1/alerts", status="upcoming"))["items"] == []
    await get(clinic, "/v1/patients/MRN-1")
    database = database_of(settings)
    async with database.sessions() as session:
        from gateway.platform.database.tables import AuditRow

        missed = (await session.scalars(select(AuditRow.action).where(AuditRow.outcome == "not found"))).all()
    await database.close()
    assert sorted(missed) == ["patient exported", "patient read", "patient read", "timeline read"]


async def test_text_that_looks_like_sql_or_a_header_is_text(clinic):
    for hostile in ("'; DROP TABLE patients; --", 'x" OR "1"="1', "a%' OR 1=1", "${jndi:ldap://x}", "Ωμέγα-1"):
        await assessed(clinic, hostile)
        found = await get(clinic, "/v1/assessments", patient_number=hostile)
        assert [item["patient_number"] for item in found["items"]] == [hostile]
    assert len((await get(clinic, "/v1/patients"))["items"]) == 5
    for broken in ("a\r\nSet-Cookie: b=c", "a\u0000b"):
        answer = await clinic.post(
            "/v1/assessments", files={"clinical": (None, record()), "patient_number": (None, broken)}
        )
        assert answer.status_code == 422


async def test_nobody_without_the_scope(settings, api):
    async with await system_of(settings, api, "assessments:read assessments:write") as reader:
        for call in ("/v1/patients", "/v1/patients/MRN-1/timeline", "/v1/alerts"):
            await get(reader, call, 403)
    async with client(api) as stranger:
        await get(stranger, "/v1/patients/MRN-1", 401)
