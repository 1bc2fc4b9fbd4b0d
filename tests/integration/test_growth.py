"""What people and programs ask every day finds its rows by an index: no table that grows is read from end to end."""

import json
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from gateway.settings import GatewaySettings
from tests.integration.people import browser_of, invited

RECORD = {"age": 70, "gender": "female", "menopausal_status": "postmenopausal", "prior_fractures": False}
GROW = {
    "alerts", "assessment_reviews", "assessments", "audit", "batch_cases", "deliveries", "events", "films",
    "idempotent_requests", "measurements", "observations", "orders", "patients", "renderings", "shadow_answers",
}  # fmt: skip
PAGES = (
    "/work-list", "/work-list?order=newest", "/work-list?status=new", "/work-list?show=emergency",
    "/work-list?show=consult", "/patients", "/alerts", "/assessments/{id}", "/patients/{patient}",
    "/administration/validation",
)  # fmt: skip
ROUTES = (
    "/v1/assessments", "/v1/assessments?patient_number=G-1", "/v1/assessments/{id}", "/v1/patients/G-1/timeline",
    "/v1/alerts", "/v1/alerts?status=urgent", "/v1/events", "/v1/drift", "/v1/patients/G-1", "/fhir/Patient/{patient}",
)  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(state_dir=tmp_path_factory.mktemp("growth"), _env_file=None)


@pytest.fixture
def asked():
    """Every statement that a database is sent while the test runs, with its values."""
    statements = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        statements.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def read_through(settings, statements):
    """The tables that grow, and that a statement reads from end to end, with the statement."""
    found = []
    with closing(sqlite3.connect(settings.sqlite_file())) as database:
        for statement, parameters in statements:
            # Rows that are old enough are deleted once in a while by their time: nobody waits for that.
            if not statement.lstrip().startswith(("SELECT", "UPDATE", "WITH")):
                continue
            plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            scanned = [line.split()[1] for line in plan if line.startswith("SCAN") and "USING" not in line]
            found += [(table, statement) for table in scanned if table in GROW]
    return found


async def test_no_page_and_no_route_reads_a_table_that_grows_from_end_to_end(settings, api, admin, asked):
    doctor = await invited(admin, api, "doctor@clinic.example", "clinician")
    files = {"clinical": (None, json.dumps(RECORD)), "patient_number": (None, "G-1")}
    made = await doctor.post("/v1/assessments", files=files)
    assert made.status_code == 201, made.text
    patient = (await doctor.get("/v1/patients/G-1")).json()["id"]
    browser = await browser_of(api, "doctor@clinic.example")
    for path in (*PAGES, *ROUTES):
        asking = browser if path in PAGES else doctor
        answer = await asking.get(path.format(id=made.json()["id"], patient=patient))
        assert answer.status_code == 200, (path, answer.text[:300])
    await browser.aclose()
    assert len(asked) > 100
    assert read_through(settings, asked) == []


async def test_a_table_that_is_read_from_end_to_end_is_noticed(settings, api):
    query = ("SELECT id FROM assessments WHERE category = ?", ("high",))
    assert read_through(settings, [query]) == [("assessments", query[0])]
