"""Sign-in by a real OpenID Connect provider, Canaille, which runs in .venv-oidc: `make test-oidc`."""

import asyncio
import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from gateway.platform.database.engine import database_of
from gateway.platform.identity import oidc_provider
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.e2e.conftest import free_port
from tests.integration.people import administrator_of, client

pytestmark = pytest.mark.oidc
ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-oidc" / "bin" / "python"
PUBLIC = "http://127.0.0.1:18080"
PASSWORD = "correct horse battery staple"
SECRET = "a secret of the tests / with signs: +%"
PEOPLE = {name: [f"{name}@hospital.example", PASSWORD] for name in ("ada", "ben", "cleo", "dora", "root")}
GROUPS = {"Radiology": ["ada", "ben", "dora", "root"], "IT": ["ben"], "Kitchen": ["cleo"]}


def registered(public):
    """This installation as the provider knows it."""
    return {
        "client_id": "trabecula",
        "client_secret": SECRET,
        "client_name": "Trabecula",
        "client_uri": public,
        "redirect_uris": [f"{public}/sign-in/provider/callback"],
        "post_logout_redirect_uris": [f"{public}/sign-in?out=1"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": ["openid", "profile", "email", "groups"],
        "token_endpoint_auth_method": "client_secret_basic",
    }


class Hospital:
    """The provider's process, and its administrator."""

    def __init__(self, folder: Path, port: int, public: str = PUBLIC) -> None:
        self.port, self._folder, self._public, self._process = port, folder, public, None

    def start(self):
        assert PYTHON.exists(), "python up.py --setup-only oidc makes .venv-oidc"
        wanted = self._folder / "wanted.json"
        about = {"people": PEOPLE, "groups": GROUPS, "client": registered(self._public)}
        wanted.write_text(json.dumps({"port": self.port, **about}))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with (self._folder / "log").open("w") as log:
            command = [PYTHON, Path(__file__).parent / "hospital.py", wanted]
            self._process = subprocess.Popen(command, stderr=log, **pipes)
        self._hear("ready")

    def order(self, **what):
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        self._hear("done")

    def stop(self):
        if self._process is not None:
            with self._process as process:
                process.terminate()
            self._process = None

    def _hear(self, word):
        while (line := self._process.stdout.readline()) and line.strip() != word:
            pass
        assert line, (self._folder / "log").read_text()


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    provider = Hospital(tmp_path_factory.mktemp("hospital"), free_port())
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def settings(tmp_path_factory, hospital):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("state"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        public_url=PUBLIC,
        oidc_issuer=f"http://127.0.0.1:{hospital.port}/",
        oidc_client_id="trabecula",
        oidc_client_secret=SecretStr(SECRET),
        oidc_roles={"Radiology": "clinician", "IT": "administrator"},
        oidc_scopes="openid profile email groups",
        oidc_recheck_minutes=5,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def api(settings):
    """The gateway, started while the provider is down."""
    async with open_gateway(settings, shared_services()) as found:
        yield found


@pytest.fixture(scope="module")
async def admin(settings, api):
    """A local administrator; the e-mail address is somebody's at the provider, too."""
    async with await administrator_of(settings, api, "root@hospital.example") as person:
        yield person


async def at_provider(browser, address, password=PASSWORD, name="ada"):
    """What a person does at the provider, until it sends the browser back; gives that address."""
    answer = await browser.get(address)
    for _ in range(8):
        if answer.is_redirect:
            onward = str(answer.url.join(answer.headers["location"]))
            if onward.startswith(PUBLIC):
                return onward
            answer = await browser.get(onward)
            continue
        assert answer.status_code == 200, answer.text
        fields = {"login": name, "password": password}
        form = {field: value for field, value in fields.items() if f'name="{field}"' in answer.text}
        assert form, answer.text
        answer = await browser.post(str(answer.url), data=form)
    pytest.fail(f"the provider does not let {name} in: {answer.text[:2000]}")


async def sign_in(api, name, onward="/work-list", there=None):
    """A browser that went to the provider and came back, and the answer that it got then."""
    browser = client(api)
    begun = await browser.get(f"/sign-in/provider?next={onward}")
    assert begun.status_code == 303, begun.text
    async with there or httpx.AsyncClient(trust_env=False) as provider:
        back = await at_provider(provider, begun.headers["location"], name=name)
    return browser, await browser.get(urlsplit(back).path + "?" + urlsplit(back).query)


async def trail(admin, action):
    lines = (await admin.get("/v1/audit?limit=500")).json()["items"]
    return [line for line in lines if line["action"] == action]


async def account_of(admin, name):
    accounts = (await admin.get("/v1/accounts?limit=100")).json()["items"]
    return next((account for account in accounts if account["email"] == f"{name}@hospital.example"), None)


async def age_sessions(settings):
    """Let five minutes pass for every session: its access token is gone, and the provider was asked long ago."""
    database = database_of(settings)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE sign_ins SET provider_checked_at = '2026-01-01 00:00:00.000000' "
            "WHERE provider_checked_at IS NOT NULL"
        )
    await database.close()


def without_access_token(browser):
    browser.cookies.delete("trab_access")


async def test_the_gateway_starts_without_the_provider_and_says_so(api, admin):
    ready = (await api.get("/health/ready")).json()
    assert ready["status"] == "degraded"
    assert ready["dependencies"]["sign_in_provider"] == "unavailable"
    browser = client(api)
    answer = await browser.get("/sign-in/provider?next=/work-list", headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert "does not answer" in answer.text
    assert (await admin.get("/v1/accounts/me")).status_code == 200


async def test_it_works_once_the_provider_is_back_without_a_restart(api, admin, hospital):
    hospital.start()
    await asyncio.sleep(2.1)  # a provider that failed is not asked again at once
    browser, answer = await sign_in(api, "ada")
    assert (answer.status_code, answer.headers["location"]) == (303, "/work-list"), answer.text
    assert (await browser.get("/work-list")).status_code == 200
    me = (await browser.get("/account", headers={"Accept": "text/html"})).text
    assert "ada@hospital.example" in me
    assert 'name="current"' not in me, "there is no password to change"
    account = await account_of(admin, "ada")
    assert (account["role"], account["sign_in"]) == ("clinician", "provider")
    cookies = set(browser.cookies)
    assert "trab_provider" not in cookies
    assert not any("." in (browser.cookies[name] or "") and name != "trab_access" for name in cookies), "no ID token"


async def test_of_two_groups_the_stronger_gives_the_role(api, admin):
    browser, _ = await sign_in(api, "ben")
    assert (await browser.get("/administration")).status_code == 200
    assert (await account_of(admin, "ben"))["role"] == "administrator"


async def test_who_is_in_no_group_stays_out_and_has_no_account(api, admin):
    browser, answer = await sign_in(api, "cleo")
    assert answer.status_code == 403
    assert "None of your groups has a role here" in answer.text
    assert (await browser.get("/work-list")).headers["location"].startswith("/sign-in")
    assert await account_of(admin, "cleo") is None
    refused = [line for line in await trail(admin, "sign-in") if line["outcome"] == "refused"]
    assert refused[0]["actor"] == "provider"


async def test_a_local_account_of_the_same_address_is_not_taken_over_until_an_administrator_says_so(api, admin):
    _, answer = await sign_in(api, "root")
    assert answer.status_code == 403
    assert "has a local account here" in answer.text
    local = await account_of(admin, "root")
    assert local["sign_in"] == "password"
    changed = await admin.patch(f"/v1/accounts/{local['id']}", json={"link": True})
    assert changed.json()["link_until"] is not None
    await administrator_of_other_name(api, admin)
    browser, answer = await sign_in(api, "root")
    assert answer.status_code == 303, answer.text
    assert (await admin.get("/v1/accounts/me")).status_code == 401, "the sessions of before are over"
    token = await api.post(
        "/v1/tokens", data={"username": "root@hospital.example", "password": "orbit-lantern-cedar-42"}
    )
    assert token.status_code == 401, "and the password is"
    assert (await browser.get("/administration")).status_code == 403, "the role is the group's from now on"


async def administrator_of_other_name(api, admin):
    """Somebody who can still look at the trail once the first administrator is the provider's."""
    made = await admin.post("/v1/invitations", json={"email": "second@clinic.example", "role": "administrator"})
    body = {"token": made.json()["token"], "password": "orbit-lantern-cedar-42"}
    assert (await api.post("/v1/invitations/accept", json=body)).status_code == 201


@pytest.fixture
async def second(api):
    form = {"username": "second@clinic.example", "password": "orbit-lantern-cedar-42"}
    token = (await api.post("/v1/tokens", data=form)).json()["access_token"]
    async with client(api, Authorization=f"Bearer {token}") as person:
        yield person


async def test_new_keys_of_the_provider_are_asked_for(api, hospital, monkeypatch):
    monkeypatch.setattr(oidc_provider, "PAUSE_S", 1)  # in earnest at most once a minute
    await asyncio.sleep(1.1)
    hospital.order(rotate_key=True)
    _, answer = await sign_in(api, "ada")
    assert answer.status_code == 303, answer.text


async def test_a_session_goes_on_while_the_provider_says_yes_and_takes_its_new_role(api, second, settings, hospital):
    browser, answer = await sign_in(api, "dora")
    assert answer.status_code == 303, answer.text
    hospital.order(groups={**GROUPS, "IT": ["ben", "dora"]})
    await age_sessions(settings)
    without_access_token(browser)
    assert (await browser.get("/administration")).status_code == 200
    assert (await account_of(second, "dora"))["role"] == "administrator"
    assert await trail(second, "role changed")


async def test_who_loses_the_group_is_out_with_what_they_made(api, second, settings, hospital):
    browser, _ = await sign_in(api, "dora")
    form = (await browser.get("/session")).json()["form_token"]
    made = await browser.post("/administration/keys", data={"csrf": form, "name": "theirs", "scopes": "models:read"})
    assert made.status_code == 303, made.text  # the key stands on the page that it leads to
    hospital.order(groups={**GROUPS, "Radiology": ["ada", "ben", "root"], "Kitchen": ["cleo", "dora"]})
    await age_sessions(settings)
    without_access_token(browser)
    answer = await browser.get("/work-list")
    assert answer.headers["location"].startswith("/sign-in")
    account = await account_of(second, "dora")
    assert account["disabled_at"] is not None
    keys = (await second.get("/v1/keys")).json()["items"]
    assert next(key for key in keys if key["name"] == "theirs")["revoked_at"] is not None
    _, answer = await sign_in(api, "dora")
    assert answer.status_code == 403


async def test_who_is_locked_at_the_provider_is_out(api, second, settings, hospital):
    browser, _ = await sign_in(api, "ben")
    hospital.order(lock="ben")
    await age_sessions(settings)
    without_access_token(browser)
    assert (await browser.get("/work-list")).headers["location"].startswith("/sign-in")
    assert await trail(second, "session ended by the provider")


async def test_signing_out_here_signs_out_there(api):
    there = httpx.AsyncClient(trust_env=False)
    browser, _ = await sign_in(api, "ada", there=_Kept(there))
    form = (await browser.get("/session")).json()["form_token"]
    out = await browser.post("/sign-out", data={"csrf": form})
    assert out.headers["location"] == "/sign-in/provider/out"
    page = await browser.get("/sign-in/provider/out")
    address = page.headers["refresh"].removeprefix("0; url=")
    answer = await there.get(address)
    if answer.status_code == 200:  # it asks the person first
        answer = await there.post(address, data={"answer": "logout"})
    assert answer.is_redirect, answer.text
    begun = await client(api).get("/sign-in/provider")
    assert "login" in str((await there.get(begun.headers["location"], follow_redirects=True)).url)
    await there.aclose()


class _Kept:
    """A provider's browser that stays open."""

    def __init__(self, browser):
        self._browser = browser

    async def __aenter__(self):
        return self._browser

    async def __aexit__(self, *_):
        return None


async def test_a_provider_that_is_down_ends_no_session(api, settings, hospital):
    browser, _ = await sign_in(api, "ada")
    hospital.stop()
    await age_sessions(settings)
    without_access_token(browser)
    assert (await browser.get("/work-list")).status_code == 200
