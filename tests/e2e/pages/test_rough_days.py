"""Days when something is missing: the link, a service, the sign-in; and the device's own camera."""

import pytest

from tests.e2e.pages.conftest import ADMIN, PASSWORD

pytestmark = pytest.mark.browser


def test_services_that_are_down_leave_a_result_that_says_so(broken_site, visit, axe):
    one = visit(broken_site, 360)
    one.register("down@home.example")
    one.fill_in()
    one.assess()
    assert one.page.locator(".notice.warn").count() == 2
    assert "This part is missing: Risk estimate" in one.page.inner_text("article")
    assert "A part is missing, so there is no category" in one.page.inner_text(".verdict")
    one.is_accessible(axe)
    one.shot("services-down")


def test_a_sign_in_that_runs_out_is_renewed_without_a_word(site, visit):
    one = visit(site)
    one.sign_in()
    one.context.clear_cookies(name="trab_access")
    one.open("/patients")
    assert one.page.url.endswith("/patients")
    # Two tabs that wake up together, both without an access token, are one sign-in still.
    one.context.clear_cookies(name="trab_access")
    answers = one.page.evaluate(
        "Promise.all([1, 2, 3].map(() => fetch('/session').then(answer => answer.json()).then(told => told.account)))"
    )
    assert len(set(answers)) == 1
    assert answers[0]
    one.open("/patients")
    assert one.page.url.endswith("/patients")


def test_an_ended_sign_in_loses_nothing_that_was_typed(site, visit, knee_file):
    one = visit(site)
    one.register("ended@home.example")
    one.page.set_input_files("#image", knee_file)
    one.fill_in(age=71)
    one.page.wait_for_timeout(500)
    one.context.clear_cookies()
    one.page.click("#assessment button[type=submit]")
    one.page.wait_for_selector("[data-say=expired]:not([hidden])")
    one.page.click("[data-say=expired] a")
    one.page.fill("#email", "ended@home.example")
    one.page.fill("#password", PASSWORD)
    one.page.click("main button[type=submit]")
    one.page.wait_for_selector("[data-say=restored]:not([hidden])")
    assert one.page.input_value("#q-age") == "71"
    assert "knee.jpg" in one.page.inner_text("#chosen-name")
    one.assess()
    assert one.page.locator("#image-title").count() == 1
    one.open("/new")
    assert one.page.input_value("#q-age") == ""


def test_an_ended_sign_in_leads_back_to_a_short_form_as_it_was_filled_in(site, visit):
    one = visit(site)
    one.sign_in()
    one.open("/administration/keys")
    one.page.fill("#name", "night shift")
    one.context.clear_cookies()
    one.page.click("text=Create the key")
    one.page.fill("#email", ADMIN)
    one.page.fill("#password", PASSWORD)
    one.page.click("main button[type=submit]")
    one.page.wait_for_url("**/administration/keys")
    assert one.page.input_value("#name") == "night shift"


def test_nobody_sees_what_another_account_has_typed(site, visit):
    one = visit(site)
    one.register("first@home.example")
    one.fill_in(age=71)
    one.page.wait_for_timeout(500)
    one.context.clear_cookies()
    one.register("second@home.example")
    assert one.page.input_value("#q-age") == ""


def test_without_a_link_the_form_opens_waits_and_is_sent_when_the_link_is_back(site, visit):
    one = visit(site, 360)
    one.register("village@home.example")
    one.until("caches.match('/new/offline').then(Boolean)")
    one.context.set_offline(True)
    one.page.goto("/new")
    one.page.wait_for_selector("[data-say=offline]:not([hidden])")
    one.fill_in(age=66)
    one.page.click("#assessment button[type=submit]")
    one.page.wait_for_selector("[data-say=waiting]:not([hidden])")
    one.shot("offline")
    one.page.reload()
    one.page.wait_for_selector("[data-say=waiting]:not([hidden])")
    assert one.page.input_value("#q-age") == "66"
    one.context.set_offline(False)
    one.page.wait_for_selector("article.result")
    one.complaints.clear()  # that there was no link


def test_a_link_that_breaks_off_is_tried_again_and_makes_one_assessment(site, visit, knee_file):
    one = visit(site)
    one.register("broken@home.example")
    one.page.set_input_files("#image", knee_file)
    calls = []

    def breaks_once(route):
        calls.append(route.request.headers["idempotency-key"])
        route.abort() if len(calls) == 1 else route.continue_()

    one.page.route("**/new", lambda route: breaks_once(route) if route.request.method == "POST" else route.continue_())
    one.assess()
    assert len(calls) == 2
    assert len(set(calls)) == 1
    one.open("/history")
    assert one.page.locator("tbody tr").count() == 1
    one.complaints.clear()


def test_a_slow_link_shows_how_far_the_upload_is(site, visit, knee_file):
    """3G: 400 kbit/s each way and 400 ms there and back."""
    one = visit(site, 360)
    one.register("slow@home.example")
    one.page.set_input_files("#image", knee_file)
    link = one.context.new_cdp_session(one.page)
    rate = 400_000 / 8
    link.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 400, "downloadThroughput": rate, "uploadThroughput": rate},
    )
    one.page.evaluate(
        """() => new MutationObserver(() => (window.shares ??= []).push(document.getElementById('upload').value))
            .observe(document.getElementById('upload-words'), {childList: true, characterData: true, subtree: true})"""
    )
    one.page.click("#assessment button[type=submit]")
    one.page.wait_for_selector("article.result", timeout=60_000)
    shares = one.page.evaluate("window.shares")
    assert shares == sorted(shares)
    assert any(0 < share < 100 for share in shares)


def test_the_devices_own_camera(site, visit, width, axe):
    one = visit(site, width, permissions=["camera"])
    one.register(f"camera-{width}@home.example")
    one.page.click("#camera-open")
    one.until("document.getElementById('camera-view').videoWidth > 0")
    one.is_accessible(axe)
    one.shot("camera")
    one.page.click("#camera-take")
    one.page.wait_for_selector("#chosen-picture:not([hidden])")
    assert "photo.jpg" in one.page.inner_text("#chosen-name")
    # The fake device shows a pattern, which is no radiograph: it is refused with the reason.
    one.page.click("#assessment button[type=submit]")
    one.page.wait_for_selector("#refused:not([hidden])")


def test_it_can_be_installed_as_an_app(site, visit):
    one = visit(site)
    one.open("/sign-in")
    page = one.context.new_cdp_session(one.page)
    assert page.send("Page.getAppManifest")["errors"] == []
    problems = page.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one["errorId"] for one in problems if one["errorId"] != "in-incognito"] == []
