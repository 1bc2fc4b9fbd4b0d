"""What a clinician and an administrator do: the work list, a patient's years, release, administration."""

import json

import httpx
import pytest

from tests.e2e.conftest import trabecula
from tests.e2e.pages.conftest import PASSWORD

pytestmark = pytest.mark.browser
RECORD = {
    "age": 70, "gender": "female", "weight_kg": 55, "height_cm": 155, "menopausal_status": "postmenopausal",
    "prior_fractures": [{"site": "hip", "age": 69, "low_trauma": True}],
    "t_scores": [
        {"site": "total_hip", "value": -1.6, "date": "2023-05-01"},
        {"site": "total_hip", "value": -2.7, "date": "2026-05-01"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def key(site):
    made = trabecula(
        "create-key", "--name", "ward", "--json", "--scopes", "assessments:write assessments:read",
        state=site.log.parent / "state",
    )  # fmt: skip
    return json.loads(made.stdout)["key"]


@pytest.fixture(scope="module")
def assessment(site, key, knee_file):
    """A patient with a fracture and two scans: there is a medicine to release and a trend to see."""
    files = {
        "image": ("knee.jpg", knee_file.read_bytes()),
        "clinical": (None, json.dumps(RECORD)),
        "patient_number": (None, "MRN-1"),
    }
    made = httpx.post(f"{site.url}/v1/assessments", files=files, headers={"X-API-Key": key}, timeout=60)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def test_from_the_work_list_to_a_release_and_an_invited_patient(site, visit, width, assessment, axe):
    one = visit(site, width)
    one.sign_in()
    one.open("/work-list")
    one.is_accessible(axe)
    one.shot("work-list")
    one.page.fill("#search", "MRN-1")
    one.page.click("main form button")
    assert one.page.locator("tbody tr").count() == 1
    one.page.click("tbody a")
    one.page.wait_for_selector("#group-medication")
    one.is_accessible(axe)
    one.shot("result-clinician")
    if one.page.locator("text=Release to the patient").count():
        one.page.click("text=Release to the patient")
        one.page.wait_for_selector("text=Released to the patient on")
    one.open("/patients?search=MRN-1")
    assert "/patients/" in one.page.url
    one.is_accessible(axe)
    one.shot("patient")
    assert one.page.locator("svg.trend").count() == 1
    one.page.fill("#date", "2026-10-01")
    one.page.fill("#value", "-2.8")
    one.page.click("form[data-keep=measurement] button")
    one.page.wait_for_url("**done=measurement")
    one.open("/alerts")
    one.is_accessible(axe)
    one.shot("alerts")


def test_an_invited_patient_sees_what_was_released_and_nothing_of_others(site, visit, assessment, axe):
    staff = visit(site)
    staff.sign_in()
    staff.open("/patients?search=MRN-1")
    staff.page.fill("#email", "mrn-1@home.example")
    staff.page.click("text=Create an invitation")
    link = staff.page.inner_text(".secret")
    patient = visit(site, 360)
    patient.open(link)
    assert patient.page.input_value("#token")
    assert "#" not in patient.page.url
    patient.page.fill("#password", PASSWORD)
    patient.page.click("main button[type=submit]")
    patient.page.wait_for_url("**/new")
    patient.open("/history")
    patient.is_accessible(axe)
    patient.shot("history")
    assert patient.page.locator("tbody tr").count() == 1
    patient.page.click("tbody a")
    patient.page.wait_for_selector("#group-medication")
    assert patient.page.locator("text=For a referral letter").count() == 0
    patient.open("/work-list")
    assert "You may not do this" in patient.page.inner_text("h1")


def test_administration(site, visit, width, axe):
    long = {"email": f"{'x' * 50}{width}@home.example", "password": "orbit-lantern-cedar-42"}
    assert httpx.post(f"{site.url}/v1/accounts", json=long).status_code == 201
    one = visit(site, width)
    one.sign_in()
    for name in ("administration", "administration/keys", "administration/models", "administration/audit", "account"):
        one.open(f"/{name}")
        one.is_accessible(axe)
        one.shot(name.replace("/", "-"))
    one.open("/administration/keys")
    one.page.fill("#name", "radiology")
    one.page.click("text=Create the key")
    made = one.page.inner_text("#new-key")
    answer = httpx.get(f"{site.url}/v1/assessments", headers={"X-API-Key": made})
    assert answer.status_code == 200
    one.page.on("dialog", lambda dialog: dialog.accept())
    one.page.locator("tr", has_text="radiology").locator("text=Revoke").first.click()
    one.page.wait_for_selector("text=Revoked")
    assert httpx.get(f"{site.url}/v1/assessments", headers={"X-API-Key": made}).status_code == 401
