"""The lists: what is urgent leads, everything is found, and nothing that is long breaks a page."""

import json

import httpx
import pytest

from tests.e2e.conftest import trabecula

pytestmark = pytest.mark.browser
EMERGENCY = {"age": 70, "gender": "female", "back_pain": True, "neurological_signs": True}
CALM = {"age": 52, "gender": "male", "weight_kg": 82, "height_cm": 178}
LONG = "N" * 64


@pytest.fixture(scope="module")
def send(site):
    """Stores an assessment of a record for a patient number; its id."""
    made = trabecula(
        "create-key", "--name", "lists", "--json", "--scopes", "assessments:write assessments:read",
        state=site.log.parent / "state",
    )  # fmt: skip
    headers = {"X-API-Key": json.loads(made.stdout)["key"]}

    def assess(record, number):
        files = {"clinical": (None, json.dumps(record)), "patient_number": (None, number)}
        answer = httpx.post(f"{site.url}/v1/assessments", files=files, headers=headers, timeout=60)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    return assess


def test_an_emergency_leads_the_list_and_is_counted_until_somebody_has_closed_it(site, visit, width, send, axe):
    number = f"WL-EMERGENCY-{width}"
    send(EMERGENCY, number)
    for _ in range(2):
        send(CALM, f"WL-CALM-{width}")
    user = visit(site, width)
    user.sign_in()
    user.open("/work-list")
    assert "Emergencies:" in user.page.inner_text("header .emergencies")
    assert "Now: an emergency" in user.page.inner_text("tbody tr >> nth=0")
    user.page.fill("#search", number.lower()[3:])
    user.page.select_option("#show", "emergency")
    user.page.click("main form[role=search] button")
    assert "1 in all" in user.page.inner_text("main")
    assert user.page.locator("tbody tr").count() == 1
    user.page.click("tbody button:has-text('Mark as seen')")
    user.page.wait_for_selector(".chip.seen")
    assert "admin@localhost" in user.page.inner_text("tbody .case-state")
    user.is_accessible(axe)
    user.shot("work-list-emergency")
    before = user.page.inner_text("header .emergencies")
    user.page.click("tbody button:has-text('Close')")
    user.page.wait_for_selector(".chip.closed")
    left = user.page.locator("header .emergencies")
    assert not left.count() or left.inner_text() != before
    user.open("/work-list?order=newest")
    assert "WL-CALM" in user.page.inner_text("tbody tr >> nth=0")


def test_list_result_and_patient_lead_to_one_another_with_the_key_facts_on_top(site, visit, width, send, axe):
    number = f"JOIN-{width}"
    first = send(CALM, number)
    fracture = {"site": "wrist", "age": 51, "low_trauma": True}
    second = send({**CALM, "prior_fractures": [fracture]}, number)
    user = visit(site, width)
    user.sign_in()
    user.open(f"/work-list?search={number}")
    assert user.page.locator("tbody tr").count() == 2
    user.page.click(f"tbody a[href='/assessments/{second}']")
    strip = user.page.inner_text(".strip")
    assert "52 years" in strip
    assert "Wrist at 51" in strip or "wrist at 51" in strip.lower()
    assert user.page.locator(f".strip a[href='/assessments/{first}']").count() == 1, "the one before"
    user.is_accessible(axe)
    user.shot("result-strip")
    user.page.click(".strip .who a")
    user.page.wait_for_url("**/patients/*")
    assert "82 kg" in user.page.inner_text(".facts")
    user.is_accessible(axe)
    user.shot("patient-facts")
    user.page.click(f"tbody a[href='/assessments/{first}']")
    user.open("/patients?search=oin-")
    assert number in user.page.inner_text("tbody"), "a part of the number, in whatever case"


def test_a_long_number_breaks_no_page(site, visit, width, send):
    identity = send(CALM, f"{LONG[:60]}{width:04d}")
    user = visit(site, width)
    user.sign_in()
    user.open("/work-list?search=NNNNNNNN")
    address = user.page.get_attribute("tbody .number a", "href")
    heights = user.page.eval_on_selector_all("tbody tr", "rows => rows.map(row => row.offsetHeight)")
    assert max(heights) < (520 if width < 600 else 330), heights
    user.shot("work-list-long")
    for path, name in (
        (address, "patient-long"),
        (f"/assessments/{identity}", "result-long"),
        ("/patients", "patients"),
    ):
        user.open(path)
        user.shot(name)


def test_a_patient_who_asks_for_the_clinics_list_gets_their_own(site, visit):
    user = visit(site, 360)
    user.register("f10@home.example")
    user.open("/patients")
    assert user.page.url.endswith("/history")
