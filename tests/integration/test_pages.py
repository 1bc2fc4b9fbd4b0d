"""The pages over HTTP: where they send people, and what hostile text does to them."""

import datetime as dt
import json
import re

import pytest

from gateway.assessing.administration import create_administrator
from gateway.pages.draft_key import draft_key
from gateway.platform.database.engine import database_of
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.accounts import Accounts
from gateway.records.alert_rules import NewAlert, NewAlerts
from gateway.records.alerts import add_alerts
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.integration.people import PASSWORD, browser_of, client

EVIL = '<script>alert("x")</script>'
HOSTILE = ("\x00", EVIL, "9" * 400, "\u202e\ud7ff", "{{ 7 * 7 }}", "1e999", "-1", "2026-02-30")
PAGES = (
    "/new",
    "/new/offline",
    "/work-list",
    "/patients",
    "/alerts",
    "/administration",
    "/administration/keys",
    "/administration/audit",
    "/account",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("pages"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def api(settings):
    async with open_gateway(settings, shared_services()) as found:
        await create_administrator(settings, "root@here.example", PASSWORD, None)
        yield found


@pytest.fixture(scope="module")
async def browser(api):
    """An administrator's, with the token of the forms at hand."""
    found = await browser_of(api, "root@here.example", accept="text/html")
    yield found
    await found.aclose()


async def test_what_a_hospital_system_sent_and_was_not_used_is_on_the_clinics_page(api, browser):
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1959-03-02"}
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "M81.0"}]}
    osteoporosis = {"resourceType": "Condition", "id": EVIL, "subject": {"reference": "Patient/p"}, "code": code}
    sent = {"resourceType": "Bundle", "entry": [{"resource": patient}, {"resource": osteoporosis}]}
    made = await api.post("/fhir/$assess", json=sent)
    assert made.status_code == 201
    page = (await browser.get(f"/assessments/{made.headers['location'].rpartition('/')[2]}")).text
    assert "Sent by the hospital system and not used" in page
    assert "icd-10|M81.0" in page
    assert EVIL not in page


async def test_what_people_wrote_is_text_on_every_page(api, browser):
    record = json.dumps({"age": 70, "gender": "female"})
    made = await api.post("/v1/assessments", files={"clinical": (None, record), "patient_number": (None, EVIL)})
    assert made.status_code == 201
    patient = (await browser.get("/patients", params={"search": EVIL})).headers["location"]
    form = {"csrf": browser.headers["x-form"], "name": EVIL, "scopes": "models:read"}
    assert (await browser.post("/administration/keys", data=form)).status_code == 303
    pages = (
        *PAGES,
        patient,
        f"/assessments/{made.json()['id']}",
        f"/work-list?search={EVIL}",
        f"/patients?search=x{EVIL}",
    )
    shown = 0
    for page in pages:
        answer = await browser.get(page)
        assert answer.status_code == 200, page
        assert "<script>alert" not in answer.text, page
        # No script and no style but from files: the policy would refuse any other.
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", answer.text), page
        shown += "&lt;script&gt;alert" in answer.text
    assert shown >= 5


async def test_the_way_further_back_keeps_what_was_asked_for(api, browser):
    record = json.dumps({"age": 71, "gender": "female"})
    made = (await api.post("/v1/assessments", files={"clinical": (None, record)})).json()["id"]
    for _ in range(101):
        assert (await api.get(f"/v1/assessments/{made}")).status_code == 200
    shown = (await browser.get("/administration/audit", params={"subject": made})).text
    (link,) = re.findall(r'href="(/administration/audit[?][^"]*before=[^"]*)"', shown)
    before = (await browser.get(link.replace("&amp;", "&"))).text
    assert f"subject={made}" in link
    assert before.count("<tr") == 1 + 2  # the head, the first reading, and the making


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_in_any_field_is_no_error_of_ours(browser, text):
    """A fuzz: no answer is a 500 and nothing is done. What each refusal says is other tests' affair."""
    names = (
        "age",
        "gender",
        "weight_kg",
        "smoking",
        "prior_fractures",
        "density_0_value",
        "density_0_date",
        "patient_number",
    )
    for name in names:
        form = {"csrf": browser.headers["x-form"], "age": "70", "gender": "female", name: text}
        assert (await browser.post("/new", data=form)).status_code in (303, 422), (name, text)
    for address in ("/work-list", "/patients"):
        assert (await browser.get(address, params={"search": text[:64]})).status_code in (200, 303)
    for page in ("/administration/invitations", "/administration/keys"):
        form = {
            "csrf": browser.headers["x-form"],
            "email": text,
            "role": text,
            "name": text,
            "scopes": text,
            "days": text,
        }
        assert (await browser.post(page, data=form)).status_code in (409, 422), (page, text)
    async with client(browser) as stranger:
        token = (await stranger.get("/session")).json()["form_token"]
        for page in ("/sign-in", "/register", "/invitation"):
            form = {"csrf": token, "email": text, "password": text, "token": text}
            answer = await stranger.post(page, data=form)
            assert answer.status_code in (401, 404, 409, 422, 429), (page, text, answer.status_code)


async def test_without_a_script_the_form_leads_to_the_result(browser, knee_jpeg):
    form = {"csrf": browser.headers["x-form"], "age": "70", "gender": "female"}
    sent = await browser.post("/new", data=form, files={"image": ("knee.jpg", knee_jpeg, "image/jpeg")})
    assert sent.status_code == 303
    result = await browser.get(sent.headers["location"])
    assert "What the X-ray shows" in result.text
    assert "does not keep pictures" in result.text
    assert "Minimal joint space (a measurement, not a grade)" in result.text
    assert "No millimetres" in result.text


async def test_a_script_is_told_each_part_then_the_result_then_its_pictures(browser, knee_jpeg):
    form = {"csrf": browser.headers["x-form"], "age": "70", "gender": "female"}
    headers = {"Accept": "application/x-ndjson", "Idempotency-Key": "one-form"}
    files = {"image": ("knee.jpg", knee_jpeg, "image/jpeg")}
    answers = [await browser.post("/new", data=form, files=files, headers=headers) for _ in range(2)]
    first, again = ([json.loads(line) for line in answer.text.splitlines()] for answer in answers)
    assert {line["part"] for line in first if "part" in line} == {"imaging", "staging", "clinical", "recommender"}
    assert [line["picture"] for line in first if "picture" in line] == ["preview", "imaging", "staging"]
    assert [line["address"] for line in first if "html" in line] == [
        line["address"] for line in again if "html" in line
    ]


async def test_what_is_not_there_is_a_page_for_browsers_and_a_problem_for_programs(api):
    async with client(api) as stranger:
        page = await stranger.get("/no/such/page", headers={"Accept": "text/html", "Accept-Language": "hi"})
        assert (page.status_code, 'lang="hi"' in page.text) == (404, True)
        assert (await stranger.get("/no/such/page")).json()["type"] == "urn:trabecula:problem:not-found"
        assert (await stranger.get("/v1/no", headers={"Accept": "text/html"})).json()["status"] == 404


async def test_the_start_sends_people_to_sign_in_and_programs_to_the_documentation(api):
    async with client(api) as stranger:
        person = await stranger.get("/", headers={"Accept": "text/html"})
        assert person.headers["location"] == "/sign-in"
        assert (await stranger.get("/")).headers["location"] == "/docs"


async def test_nobody_is_sent_to_another_site(api):
    async with client(api) as stranger:
        for bad in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
            assert (await stranger.get("/language/hi", params={"next": bad})).headers["location"] == "/"


async def test_a_patients_page_shows_its_alerts_however_many_others_are_newer(settings, api, browser):
    """It once looked among the organisation's newest hundred."""
    scan = {"site": "femoral_neck", "value": -2.2, "date": dt.datetime.now(dt.UTC).date().isoformat()}
    record = json.dumps({"age": 68, "gender": "female", "menopausal_status": "postmenopausal", "t_scores": [scan]})
    for number in ("MRN-A", "MRN-B"):
        files = {"clinical": (None, record), "patient_number": (None, number)}
        assert (await api.post("/v1/assessments", files=files)).status_code == 201
    await many_alerts(settings, "MRN-B", 101)
    sent = await browser.get("/patients", params={"search": "MRN-A"})
    page = (await browser.get(sent.headers["location"])).text
    assert "MRN-A" not in (await browser.get("/alerts")).text, "the newest are all another's"
    assert 'action="/alerts/' in page


async def many_alerts(settings, number, count):
    """Alerts as an assessment would raise them, all of one patient."""
    database = database_of(settings)
    patients = Patients(database.sessions, KeyEncryptionKey(settings.data_key()))
    organisation = await Accounts(database.sessions).first_organisation(settings.organisation)
    patient = await patients.by_number(organisation, number)
    worse = [NewAlert("worsening", "category_rose", "Worse.", "Worse.") for _ in range(count)]
    async with database.sessions.begin() as session:
        await add_alerts(session, NewAlerts(worse, False, patient.id, patient.data_key), organisation, None, "operator")
    await database.close()


async def test_only_a_session_is_told_what_opens_its_unsent_forms(api, browser):
    async with client(api, accept="text/html") as nobody:
        assert (await nobody.get("/session")).json()["draft_key"] is None
    answer = await browser.get("/session")
    key = answer.json()["draft_key"]
    assert (key["kty"], key["crv"]) == ("EC", "P-256")
    assert "no-store" in answer.headers["cache-control"]
    assert draft_key(b"another installation", answer.json()["account"])["d"] != key["d"]
    assert (await browser.get("/session")).json()["draft_key"] == key
