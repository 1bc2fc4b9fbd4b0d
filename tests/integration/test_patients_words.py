"""What a patient's own credential is served: every byte of it, searched for medicines that nobody has released yet."""

import json
import re

import pytest

from gateway.pages.page import LANGUAGE
from gateway.platform.catalogue import catalogue
from gateway.platform.language import LANGUAGES
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.integration.people import PASSWORD, administrator_of, client, invited
from tests.pdf import text_of

# Fires drug classes, their order of use, and what follows the end of denosumab.
RECORD = {
    "age": 76, "gender": "female", "weight_kg": 52, "height_cm": 156, "back_pain": True,
    "t_scores": [{"site": "lumbar_spine", "value": -3.6, "date": "2026-06-01"}],
    "prior_fractures": [{"site": "vertebra", "age": 76, "low_trauma": True, "months_ago": 3}],
    "medications": ["denosumab"], "denosumab_doses": 4, "denosumab_last_dose_months_ago": 9,
}  # fmt: skip
ENGLISH = {
    "bisphosph", "alendron", "risedron", "ibandron", "zoledron", "denosumab", "teriparatide", "abaloparatide",
    "romosozumab", "raloxifene", "anabolic", "bone-building", "bone building", "hormone therapy", "hormone_therapy",
}  # fmt: skip
OTHER = {text for code in ("hi", "kn") for key, text in catalogue(code).items() if key.startswith("drug.")}
MEDICINES = re.compile("|".join(map(re.escape, ENGLISH | OTHER)), re.IGNORECASE)


@pytest.fixture(scope="module")
async def site(tmp_path_factory):
    """A clinician, a patient, the patient's browser, and the patient's assessment with medicines to release."""
    settings = GatewaySettings(
        state_dir=tmp_path_factory.mktemp("words"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )
    async with open_gateway(settings, shared_services()) as api:
        admin = await administrator_of(settings, api, "root@here.example")
        patient = await invited(admin, api, "a@home.example", "patient", patient_number="MRN-A")
        browser = client(api, accept="text/html")
        token = (await browser.get("/session")).json()["form_token"]
        form = {"csrf": token, "email": "a@home.example", "password": PASSWORD}
        assert (await browser.post("/sign-in", data=form)).status_code == 303
        files = {"clinical": (None, json.dumps(RECORD)), "patient_number": (None, "MRN-A")}
        made = (await admin.post("/v1/assessments", files=files)).json()
        yield admin, patient, browser, made
        for item in (admin, patient, browser):
            await item.aclose()


def without_the_own_record(document):
    """A patient's export without the record: what a person takes was told by them, and is nothing to withhold."""
    return {**document, "assessments": [{**assessment, "record": None} for assessment in document["assessments"]]}


def named(text):
    return sorted({found.group().lower() for found in MEDICINES.finditer(text)})


async def test_the_clinic_reads_of_the_medicines(site):
    """Else the searches below would find nothing for want of anything to find."""
    admin, _, _, made = site
    assert {"denosumab", "bisphosph"} <= set(named(json.dumps(made)))
    assert "medication" in {item["kind"] for item in made["recommendation"]["items"]}
    pdf = (await admin.get(f"/v1/assessments/{made['id']}/report.pdf?audience=clinician")).content
    assert "denosumab" in named(text_of(pdf))


async def test_no_answer_of_the_api_names_one_before_it_is_released(site):
    _, patient, _, made = site
    own = {"clinical": (None, json.dumps(RECORD))}
    sent = await patient.post("/v1/assessments?pictures=true", files=own)
    assert sent.status_code == 201
    assert named(sent.text) == []
    operations = (await patient.get("/openapi.json")).json()["paths"]
    paths = [path for path, operation in operations.items() if "get" in operation and path.startswith("/v1/")]
    known = {"assessment_id": made["id"], "patient": "MRN-A"}
    read = [path.format(**known) for path in paths if set(re.findall(r"{(\w+)}", path)) <= known.keys()]
    every_alert = "/v1/alerts?status=upcoming&status=due&status=overdue&status=worsening"
    for address in (*read, every_alert):
        answer = await patient.get(address)
        if answer.headers["content-type"] != "application/json" or answer.status_code == 403:
            continue  # a PDF and pictures have tests of their own; what is the clinic's alone answers nothing
        assert answer.status_code == 200, address
        if address not in ("/v1/models", "/v1/patients/MRN-A/export"):
            assert named(answer.text) == [], address
    assert len(read) > 8
    assert (await patient.get(every_alert)).json()["items"]
    exported = (await patient.get("/v1/patients/MRN-A/export")).json()
    assert exported["alerts"]
    assert named(json.dumps(without_the_own_record(exported))) == []


async def test_no_report_names_one_before_it_is_released(site):
    admin, patient, _, made = site
    address = f"/v1/assessments/{made['id']}/report.pdf"
    for caller in (patient, admin):
        for language in LANGUAGES:
            pdf = await caller.get(address, params={"language": language})
            assert named(text_of(pdf.content)) == [], language
    assert (await patient.get(address, params={"audience": "clinician"})).status_code == 403


async def test_no_page_names_one_before_it_is_released(site):
    _, patient, browser, made = site
    (known,) = (await patient.get("/v1/patients")).json()["items"]
    own = f"/patients/{known['id']}"
    pages = (f"/assessments/{made['id']}", "/history", "/alerts", "/alerts?state=upcoming", own)
    for language in LANGUAGES:
        browser.cookies.set(LANGUAGE, language)
        for page in pages:
            answer = await browser.get(page)
            assert answer.status_code == 200, page
            assert named(answer.text) == [], (page, language)
    exported = (await browser.get(f"{own}/export.json")).json()
    assert named(json.dumps(without_the_own_record(exported))) == []
    assert (await browser.get(f"/assessments/{made['id']}/report.pdf?audience=clinician")).status_code == 403


async def test_the_result_of_the_pages_own_form_names_none(site):
    _, _, browser, _ = site
    browser.cookies.set(LANGUAGE, "en")
    token = (await browser.get("/session")).json()["form_token"]
    form = {
        "csrf": token, "age": "76", "gender": "female", "density_0_measure": "t_score",
        "density_0_site": "lumbar_spine", "density_0_value": "-3.6", "prior_fractures": "yes",
        "fracture_0_site": "vertebra", "fracture_0_low_trauma": "yes", "fracture_0_months_ago": "3",
        "medications_known": "some", "medications": "denosumab", "denosumab_last_dose_months_ago": "9",
    }  # fmt: skip
    answer = await browser.post("/new", data=form, headers={"Accept": "application/x-ndjson"})
    (result,) = [line["html"] for line in map(json.loads, answer.text.splitlines()) if "html" in line]
    assert named(result) == []
    assert "Severe osteoporosis" in result
    assert "Chance of osteoporosis" not in result


async def test_a_measured_diagnosis_leads_and_sends_nobody_to_a_scan(site):
    admin, _, _, made = site
    address = f"/v1/assessments/{made['id']}/report.pdf"
    for audience in ("patient", "clinician"):
        told = text_of((await admin.get(address, params={"audience": audience})).content)
        assert "Severe osteoporosis" in told
        assert "Chance of osteoporosis" not in told
        for wrong in ("That is not a diagnosis", "can tell; talk", "A bone density scan is advised"):
            assert wrong not in told
    for filed in ("76 years", "Lumbar spine T-score −3.6 DXA 1 Jun 2026", "3 months ago", "signature"):
        assert filed in told


async def test_released_they_are_told_in_the_patients_words(site):
    """The last one: what is released stays so."""
    admin, patient, _, made = site
    address = f"/v1/assessments/{made['id']}"
    assert (await admin.post(f"{address}/release")).status_code == 200
    seen = (await patient.get(address)).json()["recommendation"]
    full = (await admin.get(address)).json()["recommendation"]
    assert [item["id"] for item in seen["items"]] == [item["id"] for item in full["items"]]
    assert [item["text"] for item in seen["items"]] == [item["patient_text"] for item in full["items"]]
    for item in seen["items"]:
        clinic_only = [item[name] for name in ("rationale", "citation", "strength", "reasons", "further_sources")]
        assert not any(clinic_only)
        assert not item["checks"]
    assert seen["letter"] is None
