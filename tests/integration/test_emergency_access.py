"""A restricted patient's record: closed on every route, opened by emergency access, reviewed by somebody else."""

import datetime as dt

import pytest
from sqlalchemy import select

from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import BatchCaseRow, BatchRow
from gateway.platform.encryption import installation_key
from gateway.records.batches import encrypt_problem
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from tests.integration.people import administrator_of, browser_of, client, invited, system_of
from tests.integration.test_authorisation_matrix import BATCH, BUNDLE, MATRIX, PAGES, measured

NUMBER, T_SCORE = "MRN-VIP", -3.5
NOTE = "Fell from a ladder; the film shows more than one fracture."
WHY = {"reason": "emergency", "note": NOTE}
RECORD = '{"age": 71, "gender": "female", "weight_kg": 51.5, "t_scores": [{"site": "total_hip", "value": -3.5}]}'
ALL = "assessments:write assessments:read patients:read patients:write models:read audit:read admin"
# What names a patient and still works: closing the record, and opening it.
OPEN_ALL_THE_SAME = {
    "PUT /v1/patients/{patient}/restriction",
    "POST /v1/patients/{patient}/emergency-access",
    "GET /patients/{patient_id}/emergency-access",
    "POST /patients/{patient_id}/emergency-access",
    "POST /patients/{patient_id}/restriction",
}
OF_A_PATIENT = ("{patient}", "{patient_id}", "{assessment_id}", "{alert_id}", "{resource_id}")
# What else is asked for by an id; a film (`item_id`) shows its accession number and no result, a batch shows no record,
# see the test of a case that failed, and a merge is closed by test_patient_merges.py, a webhook by test_webhooks.py.
OF_NO_PATIENT = (
    "{batch_id}", "{account_id}", "{invitation_id}", "{key_id}", "{session_id}", "{access_id}", "{merge_id}",
    "{webhook_id}", "{item_id}",
    "POST /v1/patient-merges",
)  # fmt: skip
# As the matrix calls those who walk.
WALKERS = {"clinician": "clinician", "admin": "administrator", "system": "system"}
RESTRICTED_PROBLEM = "urn:trabecula:problem:patient-restricted"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("emergency"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        store_renderings=True,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def people(settings, api):
    admin = await administrator_of(settings, api, "root@here.example")
    elsewhere = await administrator_of(settings, api, "root@elsewhere.example", "Elsewhere")
    found = {
        "admin": admin,
        "second admin": await invited(admin, api, "second@here.example", "administrator"),
        "clinician": await invited(admin, api, "ada@here.example", "clinician"),
        "colleague": await invited(admin, api, "ben@here.example", "clinician"),
        "patient": await invited(admin, api, "vip@home.example", "patient", patient_number=NUMBER),
        "system": await system_of(settings, api, ALL),
        "trusted system": await system_of(settings, api, f"{ALL} patients:restricted"),
        "elsewhere": elsewhere,
        "clinician elsewhere": await invited(elsewhere, api, "eve@elsewhere.example", "clinician"),
    }
    yield found
    for person in found.values():
        await person.aclose()


@pytest.fixture(scope="module")
async def restricted(people, knee_jpeg):
    """A patient with everything that can be stored, whose record is then restricted; what the paths call it."""
    system, clinician = people["system"], people["clinician"]
    files = {"image": ("knee.jpg", knee_jpeg), "clinical": (None, RECORD), "patient_number": (None, NUMBER)}
    assessment = (await system.post("/v1/assessments", files=files)).json()["id"]
    for date, value in (("2023-01-10", -1.0), ("2025-01-10", T_SCORE)):
        made = await clinician.post(f"/v1/patients/{NUMBER}/measurements", **measured(date, value))
        assert made.status_code == 201
    cases = BATCH["manifest"][1].replace('"case-1"', f'"case-1", "patient_number": "{NUMBER}"')
    batch = (await system.post("/v1/batches", files={"manifest": (None, cases)})).json()["id"]
    await system.get(f"/v1/batches/{batch}/events", timeout=60)
    alerts = (await clinician.get("/v1/alerts?limit=100")).json()["items"]
    alert = next(alert for alert in alerts if alert["status"] == "worsening")
    patient = (await clinician.get(f"/v1/patients/{NUMBER}")).json()
    assert patient["restricted"] is False
    assert (await clinician.put(f"/v1/patients/{NUMBER}/restriction")).status_code == 204
    assert (await clinician.put(f"/v1/patients/{NUMBER}/restriction")).status_code == 204, "again changes nothing"
    return {
        "patient": NUMBER,
        "patient_id": patient["id"],
        "assessment_id": assessment,
        "resource_type": "DiagnosticReport",
        "resource_id": assessment,
        "alert_id": alert["id"],
        "alert text": alert["text"],
        "batch_id": batch,
    }


def routes_of_a_patient(rows):
    return [name for name in rows if any(part in name for part in OF_A_PATIENT) and name not in OPEN_ALL_THE_SAME]


def test_the_walk_goes_somewhere():
    assert len(routes_of_a_patient(MATRIX)) >= 13
    assert len(routes_of_a_patient(PAGES)) >= 10


def test_the_walk_leaves_no_record_out():
    rows = {**MATRIX, **PAGES}
    left = {name for name, row in rows.items() if row.record} - set(routes_of_a_patient(rows)) - OPEN_ALL_THE_SAME
    assert not {name for name in left if not any(part in name for part in OF_NO_PATIENT)}


def problem_of(answer):
    """The name of what went wrong: of a problem document, or of an OperationOutcome."""
    found = answer.json()
    if found.get("resourceType") != "OperationOutcome":
        return found["type"]
    coding = found["issue"][0]["details"]["coding"][0]
    return f"{coding['system']}:{coding['code']}"


@pytest.mark.parametrize("name", routes_of_a_patient(MATRIX))
async def test_no_operation_opens_a_restricted_record(name, people, restricted):
    method, path = name.split(" ")
    row, address = MATRIX[name], path.format(**restricted, kind="sr")
    for caller, role in WALKERS.items():
        answer = await people[caller].request(method, address, **row.send)
        assert answer.status_code == 403, (caller, name, answer.text)
        if role not in row.refused and (caller == "admin" or row.needs != "admin"):
            assert problem_of(answer) == RESTRICTED_PROBLEM, (caller, name)
            if not path.startswith("/fhir"):
                assert answer.json()["patient_id"] == restricted["patient_id"]
    stranger = people["clinician elsewhere" if "administrator elsewhere" in row.refused else "elsewhere"]
    elsewhere = await stranger.request(method, address, **row.send)
    assert elsewhere.status_code == 404, "nobody elsewhere learns that there is such a patient"


@pytest.mark.parametrize("name", routes_of_a_patient(PAGES))
async def test_no_page_opens_a_restricted_record(name, api, people, restricted):
    method, path = name.split(" ")
    is_clinicians = "administrator" in PAGES[name].refused
    browser = await browser_of(api, "ada@here.example" if is_clinicians else "root@here.example")
    address = path.format(**restricted, kind="preview")
    form = {**PAGES[name].send, "csrf": browser.headers["X-Form"]} if method == "POST" else None
    answer = await browser.request(method, address, data=form, headers={"Accept": "text/html"})
    assert answer.status_code == 403, (name, answer.text)
    assert "record is restricted" in answer.text
    assert f"/patients/{restricted['patient_id']}/emergency-access" in answer.text


async def test_lists_show_the_number_and_nothing_of_the_record(api, people, restricted):
    facts = {restricted["assessment_id"], restricted["alert text"], str(T_SCORE), "2025-01-10"}
    for caller in ("clinician", "admin", "system"):
        for name, row in MATRIX.items():
            method, path = name.split(" ")
            if method == "GET" and not row.record and "audit" not in path and row.needs != "open":
                for params in ({"limit": 100}, {"_count": 100}, None, {"model": "clinical:1.2.0"}):
                    answer = await people[caller].get(path, params=params)
                    if answer.status_code not in (400, 422):
                        break
                assert answer.status_code in (200, 403), (caller, path, answer.text)
                assert not {fact for fact in facts if fact in answer.text}, (caller, path)
    listed = (await people["clinician"].get("/v1/patients")).json()["items"]
    row = next(patient for patient in listed if patient["patient_number"] == NUMBER)
    assert (row["restricted"], row["last_assessment_at"]) == (True, None)
    alert = (await people["clinician"].get("/v1/alerts?limit=100")).json()["items"][0]
    assert (alert["restricted"], alert["code"], alert["assessment_id"]) == (True, "restricted", None)
    assert alert["patient_number"] == NUMBER, "so that nobody is forgotten"
    answer = await people["clinician"].get("/v1/assessments", params={"patient_number": NUMBER})
    assert answer.json()["type"] == RESTRICTED_PROBLEM, "and not: there are none"
    browser = await browser_of(api, "root@here.example")
    for path in ("/work-list", "/patients", "/alerts?state=worsening", "/administration"):
        text = (await browser.get(path)).text
        assert not {fact for fact in facts if fact in text}, path
    assert NUMBER in (await browser.get("/patients")).text


async def test_no_search_by_fhir_opens_a_restricted_record(people, restricted):
    patient, assessment = restricted["patient_id"], restricted["assessment_id"]
    searches = [
        (f"/fhir/{kind}", wanted)
        for kind in ("DiagnosticReport", "Observation", "RiskAssessment")
        for wanted in (
            {"subject": f"Patient/{patient}"}, {"patient": patient}, {"subject.identifier": NUMBER}, {"_id": assessment}
        )
    ]  # fmt: skip
    searches += [("/fhir/DiagnosticReport", {"identifier": assessment}), (f"/fhir/Patient/{patient}", {})]
    searches += [
        (f"/fhir/{one}", {}) for one in (f"Observation/{assessment}-bone", f"RiskAssessment/{assessment}-risk")
    ]
    for path, wanted in searches:
        for caller in WALKERS:
            answer = await people[caller].get(path, params=wanted)
            assert (answer.status_code, problem_of(answer)) == (403, RESTRICTED_PROBLEM), (caller, path, wanted)
        elsewhere = await people["elsewhere"].get(path, params=wanted)
        assert elsewhere.status_code == 404 or "entry" not in elsewhere.json(), (path, wanted)
        assert (await people["patient"].get(path, params=wanted)).status_code == 200, (path, wanted)


async def test_what_is_sent_as_fhir_is_answered_and_closed_again(people, restricted):
    entries = [{"resource": {**BUNDLE["entry"][0]["resource"], "identifier": [{"value": NUMBER}]}}]
    sent = {"json": {**BUNDLE, "entry": entries}, "headers": {"Idempotency-Key": "order-1"}}
    first, again = [await people["system"].post("/fhir/$assess", **sent) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert first.json() == again.json()
    assert NUMBER in first.text, "it is the restricted patient's"
    made = first.headers["location"].rpartition("/")[2]
    for caller in WALKERS:
        assert (await people[caller].get(f"/fhir/DiagnosticReport/{made}")).status_code == 403, caller


async def test_a_case_that_failed_quotes_no_restricted_record(people, restricted, settings):
    database = database_of(settings)
    async with database.sessions() as session:
        organisation = (await session.scalars(select(BatchRow.organisation_id))).first()
    key = await Patients(database.sessions, installation_key(settings)).organisation_key(organisation)
    async with database.sessions.begin() as session:
        for case in await session.scalars(select(BatchCaseRow)):
            case.state, case.problem_encrypted = "failed", encrypt_problem(key, {"detail": "age: 171"}, case.id)
    await database.close()
    path = f"/v1/batches/{restricted['batch_id']}/cases"
    assert (await people["system"].get(path)).json()["items"][0]["problem"] is None
    assert (await people["trusted system"].get(path)).json()["items"][0]["problem"] == {"detail": "age: 171"}


async def test_the_patient_and_the_system_that_the_operator_trusts_read_on(people, restricted):
    for caller in ("patient", "trusted system"):
        assert (await people[caller].get(f"/v1/patients/{NUMBER}/timeline")).status_code == 200, caller
        assert (await people[caller].get(f"/v1/assessments/{restricted['assessment_id']}")).status_code == 200, caller


async def test_no_administrator_gives_a_key_the_scope_that_opens_all(people):
    body = {"name": "all", "scopes": ["patients:read", "patients:restricted"]}
    answer = await people["admin"].post("/v1/keys", json=body)
    assert answer.status_code == 403
    assert answer.json()["scope"] == "patients:restricted"


async def test_nobody_gets_in_by_an_invitation_to_the_patients_account(people, api, restricted):
    files = {"clinical": (None, RECORD), "patient_number": (None, "MRN-VIP-2")}
    await people["system"].post("/v1/assessments", files=files)
    await people["clinician"].put("/v1/patients/MRN-VIP-2/restriction")
    body = {"email": "me@home.example", "role": "patient", "patient_number": "MRN-VIP-2"}
    for caller in ("clinician", "admin", "system"):
        assert (await people[caller].post("/v1/invitations", json=body)).status_code == 403, caller


async def test_what_the_hospital_sends_is_taken_in_all_the_same(people, restricted):
    files = {"clinical": (None, RECORD), "patient_number": (None, NUMBER)}
    made = await people["system"].post("/v1/assessments", files=files)
    assert made.status_code == 201
    assert (await people["system"].get(f"/v1/assessments/{made.json()['id']}")).status_code == 403


async def test_only_an_administrator_to_whom_it_is_open_lifts_a_restriction(people, restricted):
    path = f"/v1/patients/{NUMBER}/restriction"
    assert (await people["clinician"].delete(path)).json()["scope"] == "admin"
    assert (await people["admin"].delete(path)).json()["type"].endswith("patient-restricted")
    assert (await people["patient"].put(path)).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "emergency"},
        {"reason": "emergency", "note": ""},
        {"reason": "emergency", "note": "  "},
        {"reason": "emergency", "note": "x" * 501},
        {"reason": "because", "note": "x"},
        {"note": "x"},
    ],
)
async def test_a_reason_has_to_be_given(body, people, restricted):
    answer = await people["clinician"].post(f"/v1/patients/{NUMBER}/emergency-access", json=body)
    assert answer.status_code == 422


@pytest.mark.parametrize("caller", ["patient", "system", "trusted system"])
async def test_a_member_of_staff_answers_for_it(caller, people, restricted):
    answer = await people[caller].post(f"/v1/patients/{NUMBER}/emergency-access", json=WHY)
    assert answer.status_code == 403


@pytest.fixture(scope="module")
async def opened(people, restricted):
    answer = await people["clinician"].post(f"/v1/patients/{restricted['patient_id']}/emergency-access", json=WHY)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_it_opens_the_record_to_one_person_for_some_hours(people, restricted, opened, settings):
    begun, ends = (dt.datetime.fromisoformat(opened[name]) for name in ("opened_at", "ends_at"))
    assert ends - begun == dt.timedelta(hours=4)
    for path in (
        f"/v1/patients/{NUMBER}/timeline",
        f"/v1/assessments/{restricted['assessment_id']}",
        f"/v1/assessments/{restricted['assessment_id']}/fhir",
        f"/fhir/Patient/{restricted['patient_id']}",
        f"/fhir/DiagnosticReport?subject.identifier={NUMBER}",
    ):
        assert (await people["clinician"].get(path)).status_code == 200
        assert (await people["colleague"].get(path)).status_code == 403, path
        assert (await people["admin"].get(path)).status_code == 403
    listed = (await people["clinician"].get("/v1/assessments?limit=100")).json()["items"]
    assert restricted["assessment_id"] in {item["id"] for item in listed}
    alerts = (await people["clinician"].get("/v1/alerts?limit=100")).json()["items"]
    assert restricted["alert text"] in {alert["text"] for alert in alerts}


async def test_whoever_opened_a_record_signs_what_is_in_it(people, restricted, opened):
    path = f"/v1/assessments/{restricted['assessment_id']}/sign"
    assert (await people["clinician"].post(path)).json()["review"]["status"] == "signed"
    assert (await people["colleague"].post(path)).status_code == 403


async def test_all_that_is_read_is_in_the_trail_under_its_id(people, restricted, opened):
    subject = f"emergency-access:{opened['id']}"
    await people["clinician"].get(f"/v1/assessments/{restricted['assessment_id']}")
    lines = (await people["second admin"].get("/v1/audit", params={"subject": subject})).json()["items"]
    assert {line["action"] for line in lines} >= {"emergency access begun", "emergency access used"}
    used = next(line for line in lines if line["action"] == "emergency access used")
    beside = (await people["second admin"].get("/v1/audit?limit=500")).json()["items"]
    actions = {line["action"] for line in beside if line["request_id"] == used["request_id"]}
    assert "assessment read" in actions
    refused = [line for line in beside if line["outcome"] == "refused" and line["action"] == "timeline read"]
    assert refused, "who was kept out is there as well"
    assert NOTE not in str(beside), "the trail names ids alone"


async def test_it_ends_by_itself(people, restricted, opened, settings):
    await execute(settings, "UPDATE emergency_accesses SET ends_at = '2026-01-01 00:00:00.000000'")
    path = f"/v1/assessments/{restricted['assessment_id']}"
    assert (await people["clinician"].get(path)).status_code == 403
    await execute(settings, "UPDATE emergency_accesses SET ends_at = '2999-01-01 00:00:00.000000'")
    assert (await people["clinician"].get(path)).status_code == 200


async def test_somebody_else_reviews_it_once(people, restricted, opened):
    own = (await people["admin"].post(f"/v1/patients/{NUMBER}/emergency-access", json=WHY)).json()["id"]
    review = {"json": {"note": "Looked into; she was on duty."}}
    assert (await people["admin"].post(f"/v1/emergency-accesses/{own}/review", **review)).status_code == 403
    assert (await people["clinician"].post(f"/v1/emergency-accesses/{own}/review", **review)).status_code == 403
    waiting = (await people["admin"].get("/v1/emergency-accesses?status=waiting")).json()["items"]
    assert {access["id"] for access in waiting} >= {own, opened["id"]}
    assert next(access for access in waiting if access["id"] == opened["id"])["note"] == NOTE
    done = await people["admin"].post(f"/v1/emergency-accesses/{opened['id']}/review", **review)
    assert (done.status_code, done.json()["review_note"]) == (200, review["json"]["note"]), done.text
    again = await people["second admin"].post(f"/v1/emergency-accesses/{opened['id']}/review", **review)
    assert again.status_code == 409
    reviewed = (await people["admin"].get("/v1/emergency-accesses?status=reviewed")).json()["items"]
    assert [access["id"] for access in reviewed] == [opened["id"]]
    assert (await people["elsewhere"].get("/v1/emergency-accesses")).json()["items"] == []


async def test_the_administrators_are_told_and_review_on_the_page(api, people, restricted):
    begun = (await people["colleague"].post(f"/v1/patients/{NUMBER}/emergency-access", json=WHY)).json()["id"]
    browser = await browser_of(api, "second@here.example")
    for path in ("/work-list", "/alerts"):
        assert "/administration/emergency-access" in (await browser.get(path)).text, path
    page = (await browser.get("/administration/emergency-access")).text
    assert "ben@here.example" in page
    assert NOTE in page
    form = {"csrf": browser.headers["X-Form"], "note": "On call\nthat night."}
    done = await browser.post(f"/administration/emergency-access/{begun}/review", data=form)
    assert done.status_code == 303
    assert "On call that night." in (await browser.get("/administration/emergency-access")).text
    clinicians = await browser_of(api, "ada@here.example")
    assert "/administration/emergency-access" not in (await clinicians.get("/work-list")).text


async def test_a_clinician_opens_a_record_on_the_pages(api, people, restricted):
    third = await invited(people["admin"], api, "cleo@here.example", "clinician")
    browser = await browser_of(api, "cleo@here.example")
    address = f"/patients/{restricted['patient_id']}"
    assert "Record" not in (await browser.get(f"/patients?search={NUMBER}", headers={"Accept": "text/html"})).text
    assert NUMBER in (await browser.get(f"{address}/emergency-access")).text
    csrf = browser.headers["X-Form"]
    incomplete = await browser.post(f"{address}/emergency-access", data={"csrf": csrf, "reason": "", "note": "kept"})
    assert incomplete.status_code == 422
    assert "kept" in incomplete.text
    begun = await browser.post(f"{address}/emergency-access", data={"csrf": csrf, "reason": "cover", "note": "Night."})
    assert begun.headers["location"] == address
    page = await browser.get(address)
    assert page.status_code == 200
    assert "It is open to you until" in page.text
    await third.aclose()


async def test_it_is_counted_and_logged(api, people, restricted, settings, capsys):
    await people["colleague"].post(f"/v1/patients/{NUMBER}/emergency-access", json=WHY)
    metrics = await client(api, Authorization=f"Bearer {settings.metrics_key()}").get("/metrics")
    assert 'trabecula_emergency_accesses_total{reason="emergency"}' in metrics.text
    assert NOTE not in metrics.text


async def test_who_opens_many_is_stopped(people, api, restricted):
    busy = await invited(people["admin"], api, "dora@here.example", "clinician")
    path = f"/v1/patients/{NUMBER}/emergency-access"
    answers = [(await busy.post(path, json=WHY)).status_code for _ in range(11)]
    assert answers == [201] * 10 + [429]
    await busy.aclose()


async def test_a_record_that_is_open_needs_none(people):
    files = {"clinical": (None, RECORD), "patient_number": (None, "MRN-OPEN")}
    await people["system"].post("/v1/assessments", files=files)
    answer = await people["clinician"].post("/v1/patients/MRN-OPEN/emergency-access", json=WHY)
    assert answer.status_code == 409
    assert (await people["clinician"].post("/v1/patients/NOBODY/emergency-access", json=WHY)).status_code == 404


async def test_the_reason_is_encrypted_with_the_patients_key_and_is_in_the_export(people, restricted, opened, settings):
    rows = await execute(settings, "SELECT content FROM emergency_accesses")
    assert rows
    assert all(b"ladder" not in content for (content,) in rows)
    exported = (await people["patient"].get(f"/v1/patients/{NUMBER}/export")).json()
    own = next(access for access in exported["emergency_accesses"] if access["id"] == opened["id"])
    assert (own["note"], own["reason"]) == (NOTE, "emergency")


async def test_whoever_writes_to_the_database_cannot_lift_a_restriction(people, restricted, settings):
    await execute(settings, "UPDATE patients SET restricted_at = NULL WHERE patient_number = 'MRN-VIP'")
    answer = await people["second admin"].get(f"/v1/patients/{NUMBER}")
    assert answer.status_code == 500
    await execute(
        settings,
        "UPDATE patients SET restricted_at = '2026-01-01 00:00:00.000000' WHERE patient_number = 'MRN-VIP'",
    )
    assert (await people["second admin"].get(f"/v1/patients/{NUMBER}")).status_code == 403


async def test_erasure_takes_the_words_and_leaves_the_review(people, settings):
    files = {"clinical": (None, RECORD), "patient_number": (None, "MRN-GONE")}
    await people["system"].post("/v1/assessments", files=files)
    await people["clinician"].put("/v1/patients/MRN-GONE/restriction")
    begun = (await people["second admin"].post("/v1/patients/MRN-GONE/emergency-access", json=WHY)).json()
    assert (await people["second admin"].delete("/v1/patients/MRN-GONE")).status_code == 204
    left = await execute(settings, "SELECT opened_by, content FROM emergency_accesses WHERE content IS NULL")
    assert left == [(begun["opened_by"], None)]
    review = await people["admin"].post(
        f"/v1/emergency-accesses/{begun['id']}/review", json={"note": "Erased by whom?"}
    )
    assert review.status_code == 200
    assert (review.json()["note"], review.json()["patient_number"], review.json()["review_note"]) == (None, None, None)


async def test_a_lifted_restriction_opens_the_record_to_all_again(people):
    files = {"clinical": (None, RECORD), "patient_number": (None, "MRN-AGAIN")}
    await people["system"].post("/v1/assessments", files=files)
    await people["clinician"].put("/v1/patients/MRN-AGAIN/restriction")
    await people["second admin"].post("/v1/patients/MRN-AGAIN/emergency-access", json=WHY)
    assert (await people["second admin"].delete("/v1/patients/MRN-AGAIN/restriction")).status_code == 204
    assert (await people["colleague"].get("/v1/patients/MRN-AGAIN/timeline")).status_code == 200


async def execute(settings, statement):
    database = database_of(settings)
    async with database.engine.begin() as connection:
        done = await connection.exec_driver_sql(statement)
        rows = list(map(tuple, done.all())) if done.returns_rows else []
    await database.close()
    return rows
