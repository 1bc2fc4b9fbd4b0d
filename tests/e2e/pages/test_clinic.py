"""What a clinician and an administrator do: the work list, a patient's years, release, administration."""

import json

import cv2
import httpx
import numpy as np
import pytest

from tests.e2e.conftest import trabecula
from tests.e2e.pages.conftest import CODE, PASSWORD
from tests.qr import read_qr

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
    user = visit(site, width)
    user.sign_in()
    user.open("/work-list")
    user.is_accessible(axe)
    user.shot("work-list")
    user.page.fill("#search", "MRN-1")
    user.page.click("main form button")
    assert user.page.locator("tbody tr").count() == 1
    user.page.click("tbody a")
    user.page.click("#group-medication")
    user.is_accessible(axe)
    user.shot("result-clinician")
    if user.page.locator("text=Release to the patient").count():
        user.page.click("text=Release to the patient")
        user.page.wait_for_selector("text=Released to the patient on", state="attached")
    user.open("/patients?search=MRN-1")
    assert "/patients/" in user.page.url
    user.is_accessible(axe)
    user.shot("patient")
    assert user.page.locator("svg.trend").count() == 1
    user.page.fill("#date", "2026-10-01")
    user.page.fill("#value", "-2.8")
    user.page.click("form[data-keep=measurement] button")
    user.page.wait_for_url("**done=measurement")
    user.open("/alerts")
    user.is_accessible(axe)
    user.shot("alerts")


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
    assert patient.page.locator("table.stacked tbody tr").count() == 1
    patient.page.click("tbody a")
    patient.page.click("#group-medication")
    assert patient.page.locator("text=For a referral letter").count() == 0
    patient.open("/work-list")
    assert "You may not do this" in patient.page.inner_text("h1")


def test_a_restricted_record_is_opened_for_a_reason_and_looked_into(site, visit, width, key, axe):
    number = f"MRN-VIP-{width}"
    files = {"clinical": (None, json.dumps(RECORD)), "patient_number": (None, number)}
    made = httpx.post(f"{site.url}/v1/assessments", files=files, headers={"X-API-Key": key}, timeout=60)
    assert made.status_code == 201, made.text
    user = visit(site, width)
    user.sign_in()
    user.open(f"/patients?search={number}")
    user.page.click("text=Restrict >> nth=-1")
    user.page.wait_for_url("**/patients")
    user.is_accessible(axe)
    user.open(f"/patients?search={number}")
    assert user.page.locator("text=This patient's record is restricted").count()
    user.page.click("text=Emergency access >> nth=-1")
    user.page.wait_for_selector("#reason")
    user.is_accessible(axe)
    user.shot("emergency-access")
    user.page.select_option("#reason", "emergency")
    user.page.fill("#note", "A fall from a ladder.")
    user.page.click("main form button")
    user.page.wait_for_selector("text=It is open to you until")
    user.is_accessible(axe)
    user.shot("patient-restricted")
    user.open("/work-list")
    user.page.click("text=Waiting for a review")
    user.page.wait_for_selector("text=A fall from a ladder.")
    assert user.page.locator("text=This is your own").count(), "somebody else reviews it"
    user.is_accessible(axe)
    user.shot("emergency-accesses")


def test_the_registration_codes_link_is_read_by_a_camera(site, visit):
    user = visit(site, 360)
    user.sign_in()
    user.open("/administration")
    drawn = user.page.locator(".qr[role=img]")
    assert "QR code" in drawn.get_attribute("aria-label")
    shown = cv2.imdecode(np.frombuffer(drawn.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    read = read_qr(shown)
    assert read == f"{site.url}/register#{CODE}"
    assert read in user.page.inner_text("main"), "the link stands beside it in words"
    user.page.goto(read)
    assert user.page.input_value("#code") == CODE


def test_the_apis_documentation_opens_within_its_policy(site, visit):
    user = visit(site)
    user.open("/docs")
    user.page.wait_for_selector(".opblock")


def test_administration(site, visit, width, axe):
    long = {"email": f"{'x' * 50}{width}@home.example", "password": PASSWORD, "registration_code": CODE}
    assert httpx.post(f"{site.url}/v1/accounts", json=long).status_code == 202
    user = visit(site, width)
    user.sign_in()
    for name in ("administration", "administration/keys", "administration/models", "administration/audit", "account"):
        user.open(f"/{name}")
        user.is_accessible(axe)
        user.shot(name.replace("/", "-"))
    user.open("/administration/keys")
    user.page.fill("#name", "radiology")
    user.page.click("text=Create the key")
    made = user.page.inner_text("#new-key")
    answer = httpx.get(f"{site.url}/v1/assessments", headers={"X-API-Key": made})
    assert answer.status_code == 200
    user.page.on("dialog", lambda dialog: dialog.accept())
    user.page.locator("tr", has_text="radiology").locator("text=Revoke").first.click()
    user.page.wait_for_selector("text=Revoked")
    assert httpx.get(f"{site.url}/v1/assessments", headers={"X-API-Key": made}).status_code == 401
