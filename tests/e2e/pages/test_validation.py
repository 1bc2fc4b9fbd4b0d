"""A clinician says in the browser what is known better, and the page of figures counts it."""

import httpx
import pytest

from tests.e2e.pages.conftest import ADMIN, PASSWORD

pytestmark = pytest.mark.browser
RECORD = '{"age": 70, "gender": "female", "weight_kg": 55}'
DOCTOR = "feedback@clinic.example"


@pytest.fixture(scope="module")
def assessment(site, knee_file):
    """A clinician's own account, and a film that the clinician had assessed."""

    def signed_in(email):
        tokens = httpx.post(f"{site.url}/v1/tokens", data={"username": email, "password": PASSWORD})
        assert tokens.status_code == 200, tokens.text
        return {"Authorization": f"Bearer {tokens.json()['access_token']}"}

    invited = httpx.post(
        f"{site.url}/v1/invitations", json={"email": DOCTOR, "role": "clinician"}, headers=signed_in(ADMIN)
    )
    accepted = {"token": invited.json()["token"], "password": PASSWORD}
    assert httpx.post(f"{site.url}/v1/invitations/accept", json=accepted).status_code == 201
    files = {"image": ("knee.jpg", knee_file.read_bytes()), "clinical": (None, RECORD)}
    made = httpx.post(f"{site.url}/v1/assessments", files=files, headers=signed_in(DOCTOR), timeout=60)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def test_a_clinician_marks_grades_and_adds_a_scan(site, visit, width, assessment, axe):
    user = visit(site, width)
    user.sign_in(DOCTOR)
    user.open(f"/assessments/{assessment}")
    user.page.click("#feedback button[value='clinical:false']")
    user.page.wait_for_url("**/feedback")
    assert "Risk estimate: Wrong" in user.page.inner_text("main")
    user.page.click("summary:has-text('Grade a knee yourself')")
    user.page.select_option("#feedback-kl", "2")
    user.page.check("input[name=blind]")
    user.is_accessible(axe)
    user.shot("feedback")
    user.page.click("details[open] button[type=submit]")
    user.page.wait_for_selector("text=Graded before the software's answer was seen)")
    user.page.click("summary:has-text('A DXA result that came later')")
    user.page.fill("#feedback-t", "-2.7")
    user.page.fill("#feedback-date", "2026-11-01")
    user.page.click("details[open] button[type=submit]")
    user.page.wait_for_selector("li:has-text('-2.7')")


def test_the_page_of_figures_counts_it(site, visit, width, axe):
    user = visit(site, width)
    user.sign_in()
    user.open("/administration/validation")
    text = user.page.inner_text("main")
    assert "Marked right" in text
    assert "At most one grade apart" in text
    assert "None are in use: the networks answer as they are." in text
    assert "cases of the reference" in text
    user.is_accessible(axe)
    user.shot("validation")
