"""One patient under two numbers: merged by a person, read under both, taken apart again without a loss."""

import json
from uuid import UUID

import pytest

from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import PatientMergeRow, PatientRow
from gateway.settings import GatewaySettings
from tests.integration.people import administrator_of, browser_of, invited, system_of
from tests.integration.test_authorisation_matrix import BATCH, measured

RECORD = {"age": 71, "gender": "female", "weight_kg": 51.5}
ALL = "assessments:write assessments:read patients:read patients:write models:read audit:read admin"
RESTRICTED_PROBLEM = "urn:trabecula:problem:patient-restricted"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("merges"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        store_renderings=True,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def people(settings, api):
    admin = await administrator_of(settings, api, "root@here.example")
    found = {
        "admin": admin,
        "clinician": await invited(admin, api, "ada@here.example", "clinician"),
        "system": await system_of(settings, api, ALL),
    }
    yield found
    for person in found.values():
        await person.aclose()


async def case_of(people, number, image=None, **record):
    files = {"clinical": (None, json.dumps({**RECORD, **record})), "patient_number": (None, number)}
    if image is not None:
        files["image"] = ("knee.jpg", image)
    made = await people["system"].post("/v1/assessments", files=files)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def proposed(people, retired, surviving, caller="system"):
    body = {"retired": retired, "surviving": surviving, "note": f"{retired} was registered twice."}
    return await people[caller].post("/v1/patient-merges", json=body)


async def decide(people, merge, step, caller="admin"):
    return await people[caller].post(f"/v1/patient-merges/{merge['id']}/{step}")


async def merged(people, retired, surviving):
    answer = await decide(people, (await proposed(people, retired, surviving)).json(), "confirm")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def everything_of(people, number):
    """What the export holds, without what changes from one to the next."""
    export = (await people["admin"].get(f"/v1/patients/{number}/export")).json()
    return {name: part for name, part in export.items() if name not in ("exported_at", "trail", "merges", "pictures")}


async def test_everything_moves_and_comes_back(people, knee_jpeg):
    staying = await case_of(people, "S-1")
    going = await case_of(people, "R-1", knee_jpeg)
    clinician = people["clinician"]
    for date, value in (("2023-01-10", -1.0), ("2025-01-10", -3.5)):
        assert (await clinician.post("/v1/patients/R-1/measurements", **measured(date, value))).status_code == 201
    assert (await clinician.post(f"/v1/assessments/{going}/sign")).status_code == 200
    cases = BATCH["manifest"][1].replace('"case-1"', '"case-1", "patient_number": "R-1"')
    batch = (await people["system"].post("/v1/batches", files={"manifest": (None, cases)})).json()["id"]
    await people["system"].get(f"/v1/batches/{batch}/events", timeout=60)
    before = {number: await everything_of(people, number) for number in ("R-1", "S-1")}
    picture = (await clinician.get(f"/v1/assessments/{going}/preview.png")).content

    merge = await merged(people, "R-1", "S-1")
    assert merge["status"] == "merged"
    both = await everything_of(people, "S-1")
    assert both == await everything_of(people, "R-1"), "the other number leads there"
    assert both["id"] == before["S-1"]["id"]
    for part in ("assessments", "measurements", "alerts", "batch_cases"):
        assert len(both[part]) == len(before["R-1"][part]) + len(before["S-1"][part]), part
    moved = (await clinician.get(f"/v1/assessments/{going}")).json()
    assert (moved["patient_number"], moved["review"]["status"]) == ("S-1", "signed")
    assert (await clinician.get(f"/v1/assessments/{going}/preview.png")).content == picture
    assert (await clinician.get(f"/fhir/DiagnosticReport/{going}")).status_code == 200
    patient = (await clinician.get("/v1/patients/R-1")).json()
    assert (patient["patient_number"], patient["merged_numbers"]) == ("S-1", ["R-1"])
    listed = (await clinician.get("/v1/patients?limit=100")).json()["items"]
    assert "R-1" not in {row["patient_number"] for row in listed}

    since = await case_of(people, "R-1")
    assert (await clinician.get(f"/v1/assessments/{since}")).json()["patient_number"] == "S-1"
    assert (await decide(people, merge, "undo")).json()["status"] == "undone"
    assert await everything_of(people, "R-1") == before["R-1"]
    after = await everything_of(people, "S-1")
    assert {one["assessment"]["id"] for one in after["assessments"]} == {staying, since}, "what came since stays"
    assert (await clinician.get(f"/v1/assessments/{going}")).json()["patient_number"] == "R-1"
    assert (await clinician.get(f"/v1/assessments/{going}/preview.png")).content == picture


async def test_who_did_what_is_in_the_trail_of_both(people):
    await case_of(people, "S-2")
    await case_of(people, "R-2")
    merge = await merged(people, "R-2", "S-2")
    assert (await decide(people, merge, "undo")).status_code == 200
    for patient in (merge["retired_id"], merge["surviving_id"]):
        lines = (await people["admin"].get("/v1/audit", params={"subject": patient})).json()["items"]
        actions = {line["action"] for line in lines}
        assert actions >= {"merge of two patients proposed", "patients merged", "merge of two patients undone"}


async def test_what_speaks_against_it_is_shown(people):
    await case_of(people, "S-3")
    await case_of(people, "R-3", age=45, gender="male")
    await case_of(people, "R-3B", age=70)
    shown = (await proposed(people, "R-3", "S-3")).json()
    assert {found["field"] for found in shown["differences"]} == {"sex", "birth_year"}
    assert (await proposed(people, "R-3B", "S-3")).json()["differences"] == []
    again = (await proposed(people, "R-3", "S-3")).json()
    assert again["id"] == shown["id"], "the same proposal again is the one that waits"
    assert (await decide(people, shown, "refuse")).json()["status"] == "refused"
    assert (await people["clinician"].get("/v1/patients/R-3")).json()["patient_number"] == "R-3"


@pytest.mark.parametrize(
    ("retired", "surviving", "status"),
    [("R-4", "S-4-UNKNOWN", 404), ("R-4-UNKNOWN", "R-4", 404), ("R-4", "R-4", 409), ("", "R-4", 422)],
)
async def test_what_cannot_be_proposed(retired, surviving, status, people):
    await case_of(people, "R-4")
    answer = await proposed(people, retired, surviving)
    assert answer.status_code == status, answer.text
    if status == 404:
        assert answer.json()["field"] in ("retired", "surviving")


async def test_a_step_is_taken_once_and_in_its_turn(people):
    await case_of(people, "S-5")
    await case_of(people, "R-5")
    waiting = (await proposed(people, "R-5", "S-5")).json()
    assert (await decide(people, waiting, "undo")).status_code == 409
    assert (await decide(people, waiting, "confirm")).status_code == 200
    for step in ("confirm", "refuse"):
        assert (await decide(people, waiting, step)).status_code == 409, step
    assert (await proposed(people, "R-5", "S-5")).status_code == 409, "they are one patient already"
    assert (await decide(people, waiting, "undo")).status_code == 200
    assert (await decide(people, waiting, "undo")).status_code == 409


async def test_a_merged_patient_is_merged_on(people):
    ids = [await case_of(people, number) for number in ("A-6", "B-6", "C-6")]
    first, second = await merged(people, "A-6", "B-6"), await merged(people, "B-6", "C-6")
    for number in ("A-6", "B-6", "C-6"):
        export = await everything_of(people, number)
        assert {one["assessment"]["id"] for one in export["assessments"]} == set(ids), number
    assert (await decide(people, first, "undo")).status_code == 409, "the later one has to be undone first"
    assert (await decide(people, second, "undo")).status_code == 200
    assert (await people["clinician"].get("/v1/patients/A-6")).json()["patient_number"] == "B-6"
    assert (await decide(people, first, "undo")).status_code == 200
    assert (await people["clinician"].get("/v1/patients/A-6")).json()["patient_number"] == "A-6"


async def test_a_restricted_record_stays_closed_through_both(people):
    await case_of(people, "S-7")
    await case_of(people, "R-7")
    waiting = (await proposed(people, "R-7", "S-7")).json()
    assert (await people["clinician"].put("/v1/patients/R-7/restriction")).status_code == 204
    assert (await decide(people, waiting, "confirm")).json()["type"] == RESTRICTED_PROBLEM
    assert (await proposed(people, "S-7", "R-7")).json()["type"] == RESTRICTED_PROBLEM
    listed = (await people["admin"].get("/v1/patient-merges", params={"status": "proposed"})).json()["items"]
    assert next(merge for merge in listed if merge["id"] == waiting["id"])["differences"] is None
    reason = {"reason": "administration", "note": "Registered twice."}
    assert (await people["admin"].post("/v1/patients/R-7/emergency-access", json=reason)).status_code == 201
    assert (await decide(people, waiting, "confirm")).status_code == 200
    assert (await people["clinician"].get("/v1/patients/S-7")).json()["type"] == RESTRICTED_PROBLEM
    assert (await people["admin"].get("/v1/patients/S-7")).status_code == 200, "the access goes with the record"


async def test_a_merged_patients_own_account_sees_both(people, api):
    kept = {await case_of(people, "S-8"), await case_of(people, "R-8")}
    own = await invited(people["admin"], api, "two@home.example", "patient", patient_number="R-8")
    merge = await merged(people, "R-8", "S-8")
    seen = (await own.get("/v1/assessments")).json()["items"]
    assert {item["id"] for item in seen} == kept
    assert (await own.get("/v1/patients/S-8")).status_code == 200
    export = (await people["admin"].get("/v1/patients/S-8/export")).json()
    assert [account["email"] for account in export["merged_accounts"]] == ["two@home.example"]
    await decide(people, merge, "undo")
    assert len((await own.get("/v1/assessments")).json()["items"]) == 1
    await own.aclose()


async def test_erasure_takes_every_number_along(people, settings):
    await case_of(people, "S-9")
    await case_of(people, "R-9")
    merge = await merged(people, "R-9", "S-9")
    assert (await people["clinician"].delete("/v1/patients/S-9")).status_code == 204
    database = database_of(settings)
    async with database.sessions() as session:
        for identity in (merge["retired_id"], merge["surviving_id"]):
            row = await session.get_one(PatientRow, UUID(identity))
            assert (row.patient_number, row.data_key, row.seal) == (None, None, None)
        assert (await session.get_one(PatientMergeRow, UUID(merge["id"]))).note is None
    await database.close()
    assert (await decide(people, merge, "undo")).status_code == 409
    assert (await people["clinician"].get("/v1/patients/R-9")).status_code == 404


async def test_nobody_leads_one_patient_to_another_in_the_database(people, settings):
    """Who can write the database and has no secret merges nobody."""
    await case_of(people, "S-10")
    await case_of(people, "R-10")
    ids = [(await people["clinician"].get(f"/v1/patients/{number}")).json()["id"] for number in ("S-10", "R-10")]
    database = database_of(settings)
    async with database.sessions.begin() as session:
        (await session.get_one(PatientRow, UUID(ids[1]))).merged_into = UUID(ids[0])
    assert (await people["clinician"].get("/v1/patients/R-10")).status_code == 500
    async with database.sessions.begin() as session:
        (await session.get_one(PatientRow, UUID(ids[1]))).merged_into = None
    await database.close()


async def test_the_page_merges_and_takes_apart(people, api):
    await case_of(people, "S-11")
    await case_of(people, "R-11", gender="male")
    browser = await browser_of(api, "root@here.example")
    form = {"csrf": browser.headers["X-Form"], "retired": "R-11", "surviving": "S-11", "note": "Twice."}
    wrong = await browser.post("/administration/merges", data={**form, "retired": "R-11-UNKNOWN"})
    assert wrong.status_code == 404
    assert 'value="S-11"' in wrong.text, "what was typed stays"
    assert (await browser.post("/administration/merges", data=form)).status_code == 303
    shown = (await browser.get("/administration/merges")).text
    assert "Sex: male and female" in shown.replace("Male", "male").replace("Female", "female")
    listed = (await people["admin"].get("/v1/patient-merges", params={"status": "proposed", "limit": 1})).json()
    merge = listed["items"][0]["id"]
    for step, state in (("confirm", "Merged"), ("undo", "Taken apart again")):
        answer = await browser.post(f"/administration/merges/{merge}/{step}", data={"csrf": form["csrf"]})
        assert answer.status_code == 303, step
        assert state in (await browser.get("/administration/merges")).text
    await browser.aclose()
