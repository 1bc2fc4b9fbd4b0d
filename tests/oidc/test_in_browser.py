"""Sign-in by a real provider in a real browser, with the pages' own policy in force: `make test-oidc`."""

import json

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.conftest import free_port, running
from tests.e2e.pages.conftest import ADMIN, CHROMIUM, FLAGS, BrowserUser
from tests.e2e.pages.conftest import PASSWORD as LOCAL_PASSWORD
from tests.oidc.test_canaille import PASSWORD, SECRET, Hospital

pytestmark = [pytest.mark.oidc, pytest.mark.browser]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("browser"), free_port()
    public = f"http://127.0.0.1:{port}"
    hospital = Hospital(folder, free_port(), public)
    hospital.start()
    settings = {
        "TRABECULA_FIRST_ADMIN_PASSWORD": LOCAL_PASSWORD,
        "TRABECULA_PUBLIC_URL": public,
        "TRABECULA_OIDC_ISSUER": f"http://127.0.0.1:{hospital.port}/",
        "TRABECULA_OIDC_CLIENT_ID": "trabecula",
        "TRABECULA_OIDC_CLIENT_SECRET": SECRET,
        "TRABECULA_OIDC_ROLES": json.dumps({"Radiology": "clinician", "IT": "administrator"}),
        "TRABECULA_OIDC_SCOPES": "openid profile email groups",
        "TRABECULA_OIDC_LABEL": "Hospital ID",
    }
    with running("serve", state=folder / "state", log=folder / "server-log", port=port, **settings) as server:
        yield server
    hospital.stop()


@pytest.fixture
def user(site):
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not on this machine (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield BrowserUser(browser, site.url, 360)
        browser.close()


def test_there_and_back_and_out_again(user):
    user.open("/work-list")
    user.shot("sign-in-provider")
    user.page.click("text=Sign in with Hospital ID")
    user.page.fill("[name=login]", "ada")
    user.page.click("button[type=submit], input[type=submit]")
    user.page.fill("[name=password]", PASSWORD)
    user.page.click("button[type=submit], input[type=submit]")
    user.page.wait_for_url("**/work-list")
    user.open("/account")
    user.shot("account-provider")
    assert user.page.locator("text=ada@hospital.example").count()
    assert not user.page.locator("[name=current]").count()
    names = {cookie["name"]: cookie for cookie in user.context.cookies(user.page.url)}
    assert "trab_provider" not in names
    assert all(cookie["httpOnly"] for name, cookie in names.items() if name.startswith("trab"))
    user.page.click("text=Sign out >> nth=0")
    user.page.wait_for_url("**/oauth/end_session**")
    user.page.click("button[value=logout]")
    user.page.wait_for_url("**/sign-in?out=1")
    user.page.click("text=Sign in with Hospital ID")
    assert user.page.wait_for_selector("[name=login]"), "the provider asks anew who it is"


def test_an_administrator_sees_whose_account_is_whose(user):
    user.sign_in(ADMIN)
    user.open("/administration")
    assert user.page.locator("text=hospital account").count()
    user.shot("people-provider")
