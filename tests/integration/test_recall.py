"""Whom a version of a model has read: a list that is complete, an alert for each, and the trail of who asked."""

import csv
import json

import pytest
from pydantic import SecretStr

from gateway.records import recall
from gateway.settings import GatewaySettings
from tests.e2e.conftest import trabecula
from tests.integration.people import invited
from tests.integration.test_reviews import act, made

RECORD = '{"age": 71, "gender": "female"}'


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("recall"),
        database_url=url,
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def clinician(admin, api):
    async with await invited(admin, api, "doctor@clinic.example", "clinician") as person:
        yield person


@pytest.fixture(scope="module")
async def films(clinician, knee_jpeg):
    """Films of two patients and of nobody, one of them withdrawn, one of a restricted patient; and a record alone."""
    found = [await made(clinician, RECORD, number, knee_jpeg) for number in ("R-1", "R-1", "R-2", None, "R-SHUT")]
    await act(clinician, found[2]["id"], "withdraw", reason="another patient's film")
    assert (await clinician.put("/v1/patients/R-SHUT/restriction")).status_code == 204
    await made(clinician, RECORD, "R-3")
    return found


async def listed(admin, model):
    """All parts together."""
    items, after = [], None
    while True:
        answer = await admin.get("/v1/recalls", params={"model": model, **({"after": after} if after else {})})
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        after = answer.json()["next"]
        if after is None:
            return items


def name_of(reference):
    return f"{reference['name']}:{reference['version']}"


@pytest.mark.parametrize("step", [2, 1000])
async def test_the_list_is_complete(admin, films, monkeypatch, step):
    monkeypatch.setattr(recall, "A_STEP", step)
    model = name_of(films[0]["staging"]["model"])
    items = await listed(admin, model)
    assert [item["patient_number"] for item in items] == ["R-1", "R-1", "R-2", None, "R-SHUT"]
    assert [item["assessment_id"] for item in items] == [*(film["id"] for film in films[:4]), None]
    assert [item["withdrawn"] for item in items] == [False, False, True, False, None]
    # A restricted patient is not forgotten, and nothing is told of what was found.
    assert items[4]["restricted"] is True
    assert items[4]["created_at"] is None
    assert await listed(admin, "staging:0.0.1") == []
    rules = name_of(films[0]["recommendation"]["rules"])
    assert len(await listed(admin, rules)) == 6


async def test_each_patient_gets_one_alert_however_often_it_is_asked_for(admin, clinician, films):
    model = name_of(films[0]["staging"]["model"])
    first = (await admin.post("/v1/recalls/alerts", json={"model": model})).json()
    again = (await admin.post("/v1/recalls/alerts", json={"model": model})).json()
    assert (first["alerts"], again["alerts"]) == (3, 0)
    alerts = (await clinician.get("/v1/alerts?limit=100")).json()["items"]
    found = {alert["patient_number"]: alert for alert in alerts if alert["code"] == f"recall.{model}"}
    assert set(found) == {"R-1", "R-2"}
    assert (found["R-1"]["status"], found["R-1"]["assessment_id"]) == ("due", films[1]["id"])
    assert "look at it again" in found["R-1"]["text"]
    assert any(alert["restricted"] and alert["patient_number"] == "R-SHUT" for alert in alerts)


async def test_a_name_without_a_version_is_refused_and_the_trail_tells_who_asked(admin, films):
    refused = await admin.get("/v1/recalls", params={"model": "staging"})
    assert refused.status_code == 422
    assert "staging:0.4.0" in refused.json()["detail"]
    lines = (await admin.get("/v1/audit", params={"subject": name_of(films[0]["staging"]["model"])})).json()["items"]
    assert {line["action"] for line in lines} == {"recall listed", "recall alerted"}


async def test_the_command_writes_a_list_that_its_owner_alone_reads(films, settings, tmp_path):
    url = settings.database_url
    more = {"TRABECULA_DATABASE_URL": url.get_secret_value()} if url else {}
    model = name_of(films[0]["staging"]["model"])
    file = tmp_path / "recall.csv"
    done = trabecula("recall", "--model", model, "--csv", str(file), "--json", state=settings.state_dir, **more)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["items"]) == 5
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert [row["patient_number"] for row in rows] == ["R-1", "R-1", "R-2", "", "R-SHUT"]
    assert file.stat().st_mode & 0o077 == 0
