"""What was typed for one patient never lands at another, and what goes wrong is told where it went wrong."""

import json

import httpx
import pytest

from tests.e2e.conftest import trabecula
from tests.e2e.pages.conftest import ADMIN, PASSWORD

pytestmark = pytest.mark.browser
RECORD = {
    "age": 61, "gender": "female", "height_cm": 161, "weight_kg": 60, "medications": ["denosumab"],
    "prior_fractures": [{"site": "wrist", "age": 55, "low_trauma": True}],
    "t_scores": [
        {"site": "total_hip", "value": -1.6, "date": "2023-05-01"},
        {"site": "total_hip", "value": -2.7, "date": "2026-05-01"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def patient(site):
    """Stores a patient of this number; the id of the patient."""
    made = trabecula(
        "create-key", "--name", "forms", "--json", "--scopes", "assessments:write assessments:read patients:read",
        state=site.log.parent / "state",
    )  # fmt: skip
    headers = {"X-API-Key": json.loads(made.stdout)["key"]}

    def store(number):
        files = {"clinical": (None, json.dumps(RECORD)), "patient_number": (None, number)}
        answer = httpx.post(f"{site.url}/v1/assessments", files=files, headers=headers, timeout=60)
        assert answer.status_code == 201, answer.text
        return httpx.get(f"{site.url}/v1/patients/{number}", headers=headers).json()["id"]

    return store


def test_a_kept_form_never_comes_back_for_another_patient(site, visit, width, patient, axe):
    number = f"SAFE-B-{width}"
    other = patient(number)
    user = visit(site, width)
    user.sign_in()
    user.open("/new")
    user.page.fill("#patient_number", "SAFE-A")
    user.fill_in(age=71)
    user.page.wait_for_timeout(600)
    user.open(f"/patients/{other}")
    user.page.click("main .result-head a.button")
    user.page.wait_for_url("**/new?patient=*")
    user.until("document.body.dataset.path === '/new'")
    assert user.page.input_value("input[name=patient_number]") == number
    assert user.page.input_value("#q-age") == "61", "the last known age, not what was typed for somebody else"
    assert user.page.input_value("#q-height_cm") == "161"
    user.page.wait_for_timeout(400)
    assert user.page.is_hidden("#kept"), "what was typed for SAFE-A is not offered here"
    user.is_accessible(axe)
    user.shot("new-for-patient")
    user.open("/new")
    user.page.wait_for_selector("#kept:not([hidden])")
    assert "Patient SAFE-A" in user.page.inner_text("#kept-facts")
    assert user.page.input_value("#q-age") == "", "it asks before it comes back"
    user.is_accessible(axe)
    user.shot("new-kept")
    user.page.click("#kept-go-on")
    user.page.wait_for_selector("[data-say=restored]:not([hidden])")
    assert user.page.input_value("#q-age") == "71"
    assert user.page.input_value("#patient_number") == "SAFE-A"
    user.page.click("#start-over")
    user.open("/new")
    user.page.wait_for_timeout(300)
    assert user.page.is_hidden("#kept")


def test_two_tabs_share_neither_form_nor_key(site, visit):
    user = visit(site)
    user.sign_in()
    user.open("/new")
    user.page.fill("#patient_number", "TAB-1")
    user.fill_in(age=66)
    user.page.wait_for_timeout(600)
    second = user.context.new_page()
    second.goto("/new", wait_until="networkidle")
    second.wait_for_timeout(300)
    assert second.is_hidden("#kept"), "the first tab is at work on it"
    second.fill("#patient_number", "TAB-2")
    second.fill("#q-age", "44")
    second.check("input[name=gender][value=male]")
    user.assess()
    second.click("#assessment button[type=submit]")
    second.wait_for_selector("article.result")
    assert "TAB-2" in second.inner_text(".strip .who")
    assert "TAB-1" in user.page.inner_text(".strip .who")


def test_back_and_forward_show_what_their_address_says(site, visit):
    user = visit(site)
    user.register("forward@home.example")
    user.fill_in()
    user.assess()
    address = user.page.url
    assert user.page.title().startswith("Result")
    assert not user.page.locator("header [aria-current]").count()
    user.page.go_back()
    user.page.wait_for_selector("#assessment")
    user.page.go_forward()
    user.page.wait_for_selector("article.result")
    assert user.page.url == address
    assert user.page.title().startswith("Result")
    user.page.go_back()
    user.page.wait_for_selector("#assessment")


def test_what_was_sent_without_a_link_is_sent_by_one_press_after_a_reload(site, visit):
    user = visit(site, 360)
    user.register("f6@home.example")
    user.until("caches.match('/new/offline').then(Boolean)")
    user.context.set_offline(True)
    user.fill_in(age=64)
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("[data-say=waiting]:not([hidden])")
    user.page.goto("about:blank")
    user.context.set_offline(False)
    user.open("/new")
    user.page.wait_for_selector("#kept-send:not([hidden])")
    assert "has not been sent yet" in user.page.inner_text("#kept")
    user.shot("new-not-sent")
    user.page.click("#kept-send")
    user.page.wait_for_selector("article.result")
    user.complaints.clear()  # that there was no link


def test_a_picture_alone_needs_no_estimate(site, visit, knee_file):
    user = visit(site)
    user.register("f8@home.example")
    user.page.set_input_files("#image", knee_file)
    user.page.evaluate(
        """() => { window.seen = []; new MutationObserver(() => window.seen.push(
            document.querySelector('[data-part=clinical] .state').textContent)).observe(
            document.getElementById('progress'), {attributes: true, subtree: true, childList: true}); }"""
    )
    user.assess()
    assert set(user.page.evaluate("window.seen")) == {"not needed"}


def test_a_number_that_cannot_be_is_told_at_its_question(site, visit, width, axe):
    user = visit(site, width)
    user.register(f"range-{width}@home.example")
    user.fill_in(age=167)
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("[data-question=age] .field-error")
    assert "from" in user.page.inner_text("[data-question=age] .field-error")
    assert user.page.get_attribute("#q-age", "aria-invalid") == "true"
    assert "Input should be" not in user.page.inner_text("main")
    user.is_accessible(axe)
    user.shot("new-refused")
    user.page.fill("#q-age", "67")
    user.assess()


def test_a_measurement_that_cannot_be_is_told_at_its_field_with_what_was_typed(site, visit, width, patient, axe):
    user = visit(site, width)
    identity = patient(f"FIELD-{width}")
    user.sign_in()
    user.open(f"/patients/{identity}")
    assert "at about 55" in user.page.inner_text("main")
    assert user.page.is_hidden("#fracture_site")
    user.page.fill("#date", "2026-10-01")
    user.page.click("form[data-keep=measurement] button")
    user.page.wait_for_selector("#error-value")
    assert user.page.input_value("#date") == "2026-10-01"
    assert user.page.get_attribute("#value", "aria-describedby") == "error-value"
    user.is_accessible(axe)
    user.shot("patient-field-error")
    user.page.fill("#date", "2090-10-01")
    user.page.fill("#value", "-2")
    user.page.click("form[data-keep=measurement] button")
    user.page.wait_for_selector("#error-date")
    user.page.select_option("#kind", "fracture")
    assert user.page.is_visible("#fracture_site")
    assert user.page.is_hidden("#value")
    user.page.click("summary:has-text('Erase')")
    user.page.fill("#again", "SOMEBODY-ELSE")
    user.page.click("button.danger:has-text('Erase')")
    user.page.wait_for_selector("#error-again")
    user.open(f"/patients/{identity}")
    assert user.page.locator("h1").inner_text() == f"Patient FIELD-{width}"


def test_the_chart_has_bands_values_marks_and_a_table(site, visit, width, patient, axe):
    user = visit(site, width)
    identity = patient(f"CHART-{width}")
    user.sign_in()
    user.open(f"/patients/{identity}")
    chart = "#chart-t_score-total_hip"
    assert user.page.locator(f"{chart} .band").count() == 3
    assert [one.strip() for one in user.page.locator(f"{chart} text.value").all_text_contents()] == ["−1.6", "−2.7"]
    user.page.click(f"{chart} summary")
    table = user.page.inner_text(f"{chart} table")
    for told in ("1 May 2023", "−2.7", "Wrist", "at about 55", "Denosumab"):
        assert told.lower() in table.lower(), (told, table)
    user.is_accessible(axe)
    user.shot("patient-chart")
    user.open("/alerts")
    told = user.page.locator("li.item", has_text=f"CHART-{width}").first.inner_text()
    for words in ("T-score", "−1.6", "1 May 2023", "−2.7", "1 May 2026"):
        assert words in told
    user.is_accessible(axe)
    user.shot("alerts-change")
    user.page.locator("li.item", has_text=f"CHART-{width}").locator("a:has-text('See the chart')").click()
    user.page.wait_for_url("**#chart-t_score-total_hip")


def test_a_changed_password_is_said_and_a_key_is_made_once(site, visit):
    user = visit(site)
    user.register("f1@home.example")
    user.open("/account")
    user.page.fill("#current", PASSWORD)
    user.page.fill("#password", "velvet-harbour-quill-71")
    user.page.click("text=Change the password >> nth=-1")
    user.page.wait_for_url("**/sign-in?changed=1")
    assert "Your password has been changed" in user.page.inner_text("main")
    staff = visit(site)
    staff.sign_in()
    staff.open("/administration/keys")
    staff.page.fill("#name", "made once")
    staff.page.click("text=Create the key")
    staff.page.wait_for_selector("#new-key")
    staff.page.reload(wait_until="networkidle")
    assert not staff.page.locator("#new-key").count()
    assert staff.page.locator("tbody tr", has_text="made once").count() == 1


def test_a_forgotten_password_is_reset_and_the_trail_is_searched_by_names(site, visit, width, patient, axe):
    email = f"reset-{width}@home.example"
    person = visit(site)
    person.register(email)
    number = f"TRAIL-{width}"
    patient(number)
    user = visit(site, width)
    user.sign_in()
    user.open("/administration")
    user.page.on("dialog", lambda dialog: dialog.accept())
    user.page.locator("tr", has_text=email).locator("button:has-text('Reset the password')").click()
    user.page.wait_for_selector("#temporary")
    temporary = user.page.inner_text("#temporary")
    user.is_accessible(axe)
    user.shot("people-reset")
    person.context.clear_cookies()
    person.open("/sign-in")
    person.page.fill("#email", email)
    person.page.fill("#password", temporary)
    person.page.click("main button[type=submit]")
    person.page.wait_for_url("**/account*")
    assert "Choose a password of your own" in person.page.inner_text("main")
    user.open(f"/administration/audit?subject={email}")
    assert "password reset" in user.page.inner_text("tbody")
    user.open(f"/administration/audit?actor={ADMIN}")
    assert ADMIN in user.page.inner_text("tbody")
    user.open(f"/patients?search={number}")
    user.open(f"/administration/audit?subject={number}")
    assert "patient read" in user.page.inner_text("tbody")
    assert "T" in user.page.get_attribute("tbody time", "datetime")
    user.is_accessible(axe)
    user.shot("audit-search")


def test_who_may_not_open_a_page_is_told_so_in_plain_words(site, visit):
    user = visit(site, 360)
    user.register("f11@home.example")
    user.open("/administration")
    assert "Your account may not open this" in user.page.inner_text("main")
    assert "scope" not in user.page.inner_text("main")
