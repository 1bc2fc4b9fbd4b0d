"""Days when something is missing: the link, a service, the sign-in; and the device's own camera."""

import pytest

from tests.e2e.pages.conftest import ADMIN, PASSWORD

pytestmark = pytest.mark.browser


def test_services_that_are_down_leave_a_result_that_says_so(broken_site, visit, axe):
    user = visit(broken_site, 360)
    user.register("down@home.example")
    user.fill_in()
    user.assess()
    assert user.page.locator("article .notice.warn").count() == 2
    assert "This part is missing: Risk estimate" in user.page.inner_text("article")
    assert "A part is missing, so there is no category" in user.page.inner_text(".verdict")
    user.is_accessible(axe)
    user.shot("services-down")


def test_a_sign_in_that_runs_out_is_renewed_without_a_word(site, visit):
    user = visit(site)
    user.sign_in()
    user.context.clear_cookies(name="trab_access")
    user.open("/patients")
    assert user.page.url.endswith("/patients")
    # Two tabs that wake up together, both without an access token, are one sign-in still.
    user.context.clear_cookies(name="trab_access")
    answers = user.page.evaluate(
        "Promise.all([1, 2, 3].map(() => fetch('/session').then(answer => answer.json()).then(told => told.account)))"
    )
    assert len(set(answers)) == 1
    assert answers[0]
    user.open("/patients")
    assert user.page.url.endswith("/patients")


def test_an_ended_sign_in_loses_nothing_that_was_typed(site, visit, knee_file):
    user = visit(site)
    user.register("ended@home.example")
    user.page.set_input_files("#image", knee_file)
    user.fill_in(age=71)
    user.page.wait_for_timeout(500)
    user.context.clear_cookies()
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("[data-say=expired]:not([hidden])")
    user.page.click("[data-say=expired] a")
    user.page.fill("#email", "ended@home.example")
    user.page.fill("#password", PASSWORD)
    user.page.click("main button[type=submit]")
    user.page.click("#kept-go-on")
    user.page.wait_for_selector("[data-say=restored]:not([hidden])")
    assert user.page.input_value("#q-age") == "71"
    assert "knee.jpg" in user.page.inner_text("#chosen-name")
    user.assess()
    assert user.page.locator("#image-title").count() == 1
    user.open("/new")
    assert user.page.input_value("#q-age") == ""


def test_an_ended_sign_in_leads_back_to_a_short_form_as_it_was_filled_in(site, visit):
    user = visit(site)
    user.sign_in()
    user.open("/administration/keys")
    user.page.fill("#name", "night shift")
    user.context.clear_cookies()
    user.page.click("text=Create the key")
    user.page.fill("#email", ADMIN)
    user.page.fill("#password", PASSWORD)
    user.page.click("main button[type=submit]")
    user.page.wait_for_url("**/administration/keys")
    assert user.page.input_value("#name") == "night shift"


def test_nobody_sees_what_another_account_has_typed(site, visit):
    user = visit(site)
    user.register("first@home.example")
    user.fill_in(age=71)
    user.page.wait_for_timeout(500)
    user.context.clear_cookies()
    user.register("second@home.example")
    assert user.page.input_value("#q-age") == ""


# Everything that the browser has on its disk for this site but the cookies, in one text.
ON_DISK = """async () => {
  const result = (request) => new Promise((done) => { request.onsuccess = () => done(request.result); });
  const database = await result(indexedDB.open('trabecula'));
  const found = [JSON.stringify(localStorage)];
  for (const name of database.objectStoreNames) {
    for (const record of await result(database.transaction(name).objectStore(name).getAll())) {
      const flat = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value) ?
        [...new Uint8Array(value)].map((code) => String.fromCharCode(code)).join('') :
        value && typeof value === 'object' ? Object.values(value).map(flat).join(' ') : String(value);
      found.push(record instanceof Blob ? flat(await record.arrayBuffer()) : flat(record));
    }
  }
  database.close();
  return found.join(' ');
}"""


def test_a_kept_form_opens_for_nobody_but_its_account(site, visit, knee_file):
    user = visit(site)
    user.sign_in()
    user.open("/new")
    user.page.set_input_files("#image", knee_file)
    user.fill_in(age=71)
    user.page.fill("#patient_number", "MRN-KEPT-77")
    user.page.wait_for_timeout(600)
    on_disk = user.page.evaluate(ON_DISK)
    assert len(on_disk) > len(knee_file.read_bytes()), "the picture is there"
    for readable in ("MRN-KEPT-77", "patient_number", "knee.jpg", "JFIF"):
        assert readable not in on_disk
    # The browser is closed and opened again, by somebody without a session and without a link.
    user.until("caches.match('/new/offline').then(Boolean)")
    user.page.close()
    user.context.clear_cookies()
    user.page = user.context.new_page()
    user.context.set_offline(True)
    user.page.goto("/new")
    user.page.wait_for_selector("[data-say=offline]:not([hidden])")
    assert user.page.input_value("#q-age") == ""
    user.fill_in(age=44)
    user.page.wait_for_timeout(600)
    user.context.set_offline(False)
    user.page.close()
    # Its person signs in again: the oldest form comes first, and what was typed meanwhile is not lost either.
    user.page = user.context.new_page()
    user.sign_in()
    user.open("/new")
    user.page.click("#kept-go-on")
    user.page.wait_for_selector("[data-say=restored]:not([hidden])")
    assert user.page.input_value("#q-age") == "71"
    assert user.page.input_value("#patient_number") == "MRN-KEPT-77"
    assert "knee.jpg" in user.page.inner_text("#chosen-name")
    user.assess()
    user.open("/new")
    user.page.click("#kept-go-on")
    user.page.wait_for_selector("[data-say=restored]:not([hidden])")
    assert user.page.input_value("#q-age") == "44"
    with user.page.expect_navigation(wait_until="networkidle"):
        user.page.click("#start-over")
    assert user.page.input_value("#q-age") == ""
    user.complaints.clear()  # that there was no link


def test_without_a_link_the_form_opens_waits_and_is_sent_when_the_link_is_back(site, visit):
    user = visit(site, 360)
    user.register("village@home.example")
    user.until("caches.match('/new/offline').then(Boolean)")
    user.context.set_offline(True)
    user.page.goto("/new")
    user.page.wait_for_selector("[data-say=offline]:not([hidden])")
    user.fill_in(age=66)
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("[data-say=waiting]:not([hidden])")
    user.shot("offline")
    user.page.reload()
    user.page.wait_for_selector("#kept-send:not([hidden])")
    user.page.click("#kept-send")
    user.page.wait_for_selector("[data-say=waiting]:not([hidden])")
    assert user.page.input_value("#q-age") == "66"
    user.context.set_offline(False)
    user.page.wait_for_selector("article.result")
    user.complaints.clear()  # that there was no link


def test_a_link_that_breaks_off_is_tried_again_and_makes_one_assessment(site, visit, knee_file):
    user = visit(site)
    user.register("broken@home.example")
    user.page.set_input_files("#image", knee_file)
    calls = []

    def breaks_once(route):
        calls.append(route.request.headers["idempotency-key"])
        route.abort() if len(calls) == 1 else route.continue_()

    user.page.route("**/new", lambda route: breaks_once(route) if route.request.method == "POST" else route.continue_())
    user.assess()
    assert len(calls) == 2
    assert len(set(calls)) == 1
    user.open("/history")
    assert user.page.locator("tbody tr").count() == 1
    user.complaints.clear()


def test_a_slow_link_shows_how_far_the_upload_is(site, visit, knee_file):
    """3G: 400 kbit/s each way and 400 ms there and back."""
    user = visit(site, 360)
    user.register("slow@home.example")
    user.page.set_input_files("#image", knee_file)
    link = user.context.new_cdp_session(user.page)
    rate = 400_000 / 8
    link.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 400, "downloadThroughput": rate, "uploadThroughput": rate},
    )
    user.page.evaluate(
        """() => new MutationObserver(() => (window.shares ??= []).push(document.getElementById('upload').value))
            .observe(document.getElementById('upload-words'), {childList: true, characterData: true, subtree: true})"""
    )
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("article.result", timeout=60_000)
    shares = user.page.evaluate("window.shares")
    assert shares == sorted(shares)
    assert any(0 < share < 100 for share in shares)


def test_the_devices_own_camera(site, visit, width, axe):
    user = visit(site, width, permissions=["camera"])
    user.register(f"camera-{width}@home.example")
    user.page.click("#camera-open")
    user.until("document.getElementById('camera-view').videoWidth > 0")
    user.is_accessible(axe)
    user.shot("camera")
    user.page.click("#camera-take")
    user.page.click("#adjust [data-adjust=again]")  # looked at, and not good
    user.page.click("#camera-take:enabled")  # which it is once there is a picture again
    user.page.wait_for_selector("#adjust:not([hidden])")
    user.is_accessible(axe)
    user.shot("camera-adjust")
    user.page.click("#adjust [data-adjust=use]")
    user.page.wait_for_selector("#chosen-picture:not([hidden])")
    assert "photo.jpg" in user.page.inner_text("#chosen-name")
    # The fake device shows a pattern, which is no radiograph: it is refused with the reason.
    user.page.click("#assessment button[type=submit]")
    user.page.wait_for_selector("#refused:not([hidden])")


def test_it_can_be_installed_as_an_app(site, visit):
    user = visit(site)
    user.open("/sign-in")
    page = user.context.new_cdp_session(user.page)
    assert page.send("Page.getAppManifest")["errors"] == []
    problems = page.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [problem["errorId"] for problem in problems if problem["errorId"] != "in-incognito"] == []
