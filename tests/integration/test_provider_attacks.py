"""Sign-in by a provider under attack: forged tokens, stolen answers, a provider that lies, stalls or floods."""

import datetime as dt
import json
import re
import time
import warnings
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import SecretStr

from gateway.assessing.administration import reset_password
from gateway.cli.check import check
from gateway.platform.database.engine import database_of
from gateway.platform.encryption import installation_key
from gateway.platform.identity import oidc_provider
from gateway.platform.identity.oidc_accounts import ProviderAccounts
from gateway.platform.identity.oidc_tokens import LOGOUT_EVENT
from gateway.platform.identity.scopes import SCOPES
from gateway.settings import GatewaySettings
from shared import outside
from tests.conftest import open_gateway, shared_services
from tests.integration.lying_provider import lying_provider, signed
from tests.integration.people import PASSWORD, administrator_of, client, system_of

PUBLIC = "https://trabecula.hospital.example"
CALLBACK = "/sign-in/provider/callback"
SECRET = "the secret of the tests"
FOREIGN = RSAKey.generate_key(2048, {"kid": "one"})
with warnings.catch_warnings(action="ignore"):
    SHORT = RSAKey.generate_key(1024, {"kid": "short"})
CURVE = ECKey.generate_key("P-256", {"kid": "curve"})


@pytest.fixture(scope="module")
def provider():
    with lying_provider() as found:
        yield found


@pytest.fixture(autouse=True)
def _honest_again(provider, monkeypatch):
    """Nothing that one test made the gateway or the provider remember is left for the next."""
    monkeypatch.setattr(oidc_provider, "KEPT_S", 0)
    monkeypatch.setattr(oidc_provider, "PAUSE_S", 0)
    monkeypatch.setattr(oidc_provider, "PAUSE_AFTER_FAILURE_S", 0)
    monkeypatch.setattr(oidc_provider.KeptAnswer.get, "__defaults__", (0,))
    provider.reset()


@pytest.fixture(scope="module")
def settings(tmp_path_factory, provider):
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("attacks"),
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        second_factor="staff",
        public_url=PUBLIC,
        oidc_issuer=provider.issuer,
        oidc_client_id="trabecula",
        oidc_client_secret=SecretStr(SECRET),
        oidc_roles={"Radiology": "clinician", "IT": "administrator"},
        oidc_recheck_minutes=5,
        _env_file=None,
    )


@pytest.fixture(scope="module")
async def admin(settings, api):
    """A hospital system that administers: local administrators need a second factor here."""
    async with await system_of(settings, api, " ".join(set(SCOPES) - {"patients:restricted"})) as system:
        yield system


async def begin(api, provider, onward="/account"):
    browser = client(api)
    answer = await browser.get("/sign-in/provider?" + urlencode({"next": onward}))
    assert answer.status_code == 303, answer.text
    return browser, provider.begun(answer.headers["location"])


async def come_back(browser, provider, state, **more):
    query = {"state": state, "code": "a code", "iss": provider.issuer, **more}
    query = {name: value for name, value in query.items() if value is not None}
    return await browser.get(f"{CALLBACK}?{urlencode(query)}")


async def sign_in(api, provider, onward="/account", **more):
    browser, state = await begin(api, provider, onward)
    return browser, await come_back(browser, provider, state, **more)


def is_in(answer):
    return answer.status_code == 303 and "trab_access" in answer.headers.get("set-cookie", "")


def is_refused(answer, reason):
    return (
        answer.status_code == 403
        and "trab_access" not in answer.headers.get("set-cookie", "")
        and reason in answer.text
    )


async def test_an_honest_provider_signs_in(api, provider):
    browser, answer = await sign_in(api, provider)
    assert is_in(answer), answer.text
    assert answer.headers["location"] == "/account"
    assert (await browser.get("/account")).status_code == 200, "the provider's people need no second factor of ours"
    assert (await browser.get("/work-list")).status_code == 200
    ours = dict(provider.asked)["/token"]
    assert ours["redirect_uri"] == [PUBLIC + CALLBACK]


async def test_a_signature_on_a_curve_signs_in_too(api, provider):
    provider.keys = [CURVE.as_dict(private=False)]
    provider.token = lambda its: signed(its.claims(), CURVE, "ES256", kid="curve")
    assert is_in((await sign_in(api, provider))[1])


def pem_as_secret(its):
    return signed(its.claims(), its.key.as_pem(private=False), "HS256", kid="one")


def jwk_as_secret(its):
    secret = json.dumps(its.key.as_dict(private=False)).encode()
    return signed(its.claims(), secret, "HS256", kid="one")


def unsigned(its):
    return signed(its.claims(), None, "none", kid="one")


def carries_its_own_key(its):
    public = FOREIGN.as_dict(private=False)
    return signed(its.claims(), FOREIGN, jwk=public, kid="one")


def with_claims(**changed):
    def make(its):
        claims = {name: value for name, value in its.claims(**changed).items() if value is not None}
        return signed(claims, its.key, kid="one")

    return make


def short_key(its):
    its.keys = [SHORT.as_dict(private=False)]
    return signed(its.claims(), SHORT, kid="short")


def shared_secret_among_the_keys(its):
    its.keys = [OctKey.import_key(SECRET, {"kid": "oct"}).as_dict(private=True)]
    return signed(its.claims(), SECRET.encode(), "HS256", kid="oct")


PAST, FUTURE = int(time.time()) - 1000, int(time.time()) + 10_000
FORGED = {
    "unsigned": unsigned,
    "signed with the public key in PEM as a secret": pem_as_secret,
    "signed with the public key as JWK as a secret": jwk_as_secret,
    "signed with our own secret": lambda its: signed(its.claims(), SECRET.encode(), "HS256"),
    "signed with a secret among the keys": shared_secret_among_the_keys,
    "signed with another key under the same name": lambda its: signed(its.claims(), FOREIGN, kid="one"),
    "signed with a key that nobody knows": lambda its: signed(its.claims(), FOREIGN, kid="two"),
    "carries its own key": carries_its_own_key,
    "signed with a short key": short_key,
    "no token": lambda its: "e30.e30.",
    "two dots of nothing": lambda its: "..",
    "of another issuer": with_claims(iss="https://elsewhere.example"),
    "for another audience": with_claims(aud="another"),
    "for no audience": with_claims(aud=None),
    "for two audiences, and handed to the other": with_claims(aud=["trabecula", "another"], azp="another"),
    "for two audiences, and handed to nobody": with_claims(aud=["trabecula", "another"]),
    "of another sign-in": with_claims(nonce="another"),
    "of no sign-in": with_claims(nonce=None),
    "expired": with_claims(exp=PAST),
    "without an end": with_claims(exp=None),
    "of tomorrow": with_claims(iat=FUTURE, exp=FUTURE + 300),
    "of nobody": with_claims(sub=None),
    "of a number": with_claims(sub=17),
    "of a name with a line break in it": with_claims(sub="ada\n1"),
    "of a subject that is too long": with_claims(sub="x" * 300),
    "with another access token's hash": with_claims(at_hash="AAAA"),
    "a logout token": with_claims(events={LOGOUT_EVENT: {}}),
    "with a header that has to be understood": lambda its: signed(its.claims(), its.key, kid="one", crit=["x"], x=1),
    "too long": with_claims(more="x" * 70_000),
}


@pytest.mark.parametrize("how", FORGED)
async def test_a_forged_token_signs_nobody_in(how, api, provider):
    provider.token = FORGED[how]
    assert is_refused((await sign_in(api, provider))[1], "cannot be trusted"), how


async def test_a_code_of_another_sign_in_is_useless(api, provider):
    """Code injection: the provider binds a code to the verifier of the browser that it was given to."""
    victim, state = await begin(api, provider)
    await begin(api, provider)  # the attacker's own: the provider now expects the attacker's verifier
    assert is_refused(await come_back(victim, provider, state), "cannot be trusted")


async def test_an_answer_works_once_and_in_its_own_browser_alone(api, provider):
    browser, state = await begin(api, provider)
    for other in (client(api), (await begin(api, provider))[0]):
        assert is_refused(await come_back(other, provider, state), "begun elsewhere")
    provider.begun(f"?{urlencode({name: values[0] for name, values in provider.query.items()})}")
    browser, state = await begin(api, provider)
    cookie = browser.cookies["trab_provider"]
    assert is_in(await come_back(browser, provider, state))
    browser.cookies.set("trab_provider", cookie)
    assert is_refused(await come_back(browser, provider, state), "begun elsewhere")


@pytest.mark.parametrize("state", ["", "made up", "x" * 200])
async def test_an_answer_to_no_question_is_refused(state, api, provider):
    browser, _ = await begin(api, provider)
    assert is_refused(await come_back(browser, provider, state), "begun elsewhere")
    assert all(path != "/token" for path, _ in provider.asked)


async def test_a_sign_in_that_took_too_long_is_refused(api, provider, settings):
    browser, state = await begin(api, provider)
    await execute(settings, "UPDATE provider_requests SET expires_at = '2026-01-01 00:00:00.000000'")
    assert is_refused(await come_back(browser, provider, state), "begun elsewhere")


@pytest.mark.parametrize("iss", [None, "https://elsewhere.example", ""])
async def test_an_answer_of_another_provider_is_refused(iss, api, provider):
    """Mix-up (RFC 9207): the code is not even sent to the token endpoint."""
    assert is_refused((await sign_in(api, provider, iss=iss))[1], "cannot be trusted")
    assert all(path != "/token" for path, _ in provider.asked)


async def test_a_provider_that_says_no_is_told_as_that(api, provider):
    _, answer = await sign_in(api, provider, code=None, error="access_denied")
    assert is_refused(answer, "did not sign you in")


@pytest.mark.parametrize(
    "onward",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\evil.example", "javascript:alert(1)", "/\n/x"],
)
async def test_nobody_is_led_to_another_site(onward, api, provider):
    _, answer = await sign_in(api, provider, onward)
    assert answer.headers["location"] == "/", onward


async def test_the_way_back_does_not_follow_the_host_header(api, provider):
    answer = await client(api).get("/sign-in/provider", headers={"Host": "evil.example"})
    assert parse_qs(urlsplit(answer.headers["location"]).query)["redirect_uri"] == [PUBLIC + CALLBACK]


async def test_the_browser_keeps_a_secret_that_no_script_reads(api, provider):
    answer = await client(api).get("/sign-in/provider")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Max-Age=600", "Path=/"} <= set(cookie.split("; "))
    state = parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]
    assert state not in cookie
    answer = await client(api).get("https://gateway/sign-in/provider")
    assert answer.headers["set-cookie"].startswith("__Host-trab_provider=")
    assert "Secure" in answer.headers["set-cookie"]


def flood(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(300):
        try:
            handler.wfile.write(b" " * 10_000)
        except OSError:
            return


def silence(handler):
    time.sleep(2)


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        try:
            handler.wfile.write(b" ")
        except OSError:
            return
        time.sleep(0.05)


def compressed(handler):
    handler.send(200, b"\x1f\x8b", Content_Encoding="gzip")


def led_away(handler):
    handler.send(302, {}, Location="http://127.0.0.1:1/")


def nested(handler):
    handler.send(200, b'{"a":' * 30_000)


BAD = {
    "floods": flood,
    "is silent": silence,
    "drips": drip,
    "compresses": compressed,
    "leads away": led_away,
    "nests without end": nested,
    "answers a list": lambda handler: handler.send(200, []),
    "answers a page": lambda handler: handler.send(200, b"<html>"),
    "fails": lambda handler: handler.send(500, {}),
}


@pytest.mark.parametrize("how", BAD)
async def test_a_provider_that_misbehaves_holds_nobody_up(how, api, provider, monkeypatch):
    monkeypatch.setattr(outside, "WHOLE_CALL_S", 0.5)
    provider.misbehave = BAD[how]
    began = time.monotonic()
    answer = await client(api).get("/sign-in/provider")
    assert is_refused(answer, "does not answer"), how
    assert time.monotonic() - began < 1.5
    form = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert form, "the form for local accounts is there"


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": None},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ["x"]},
    ],
)
async def test_a_description_that_cannot_be_trusted_is_not_used(changed, api, provider):
    provider.metadata |= changed
    assert is_refused(await client(api).get("/sign-in/provider"), "does not answer")


@pytest.mark.parametrize(
    "answer", [(500, {}), (401, {"error": "invalid_client"}), (200, {"access_token": "x"}), (200, [])]
)
async def test_a_token_endpoint_that_fails_signs_nobody_in(answer, api, provider):
    provider.answer_token = answer
    assert (await sign_in(api, provider))[1].status_code == 403


@pytest.mark.parametrize("groups", [None, [], ["Kitchen"], "Kitchen", [["Radiology"]], {"Radiology": True}, 7])
async def test_who_is_in_no_mapped_group_stays_out(groups, api, provider):
    provider.person = {"sub": "cleo-1", "email": "cleo@hospital.example", "groups": groups}
    assert is_refused((await sign_in(api, provider))[1], "None of your groups has a role here")


async def test_groups_may_come_from_the_userinfo_endpoint_of_the_same_person(api, provider):
    provider.metadata["userinfo_endpoint"] = f"{provider.issuer}/userinfo"
    provider.person = {"sub": "eve-1", "email": "eve@hospital.example"}
    provider.userinfo = {"sub": "somebody else", "groups": ["Radiology"]}
    assert is_refused((await sign_in(api, provider))[1], "cannot be trusted")
    provider.userinfo = {"sub": "eve-1", "groups": ["Radiology"]}
    assert is_in((await sign_in(api, provider))[1])


async def test_an_account_is_the_persons_and_not_the_addresss(api, provider, admin):
    assert is_in((await sign_in(api, provider))[1])
    provider.person = {**provider.person, "sub": "mallory-1"}
    assert is_refused((await sign_in(api, provider))[1], "has a local account here")
    provider.person = {"sub": "ada-1", "email": "ada.married@hospital.example", "groups": ["Radiology"]}
    assert is_in((await sign_in(api, provider))[1])
    addresses = {account["email"] for account in (await admin.get("/v1/accounts?limit=100")).json()["items"]}
    assert "ada.married@hospital.example" in addresses
    assert "ada@hospital.example" not in addresses
    provider.reset()
    assert is_in((await sign_in(api, provider))[1])


@pytest.mark.parametrize("verified", [False, True])
async def test_a_local_account_is_linked_by_an_address_that_the_provider_stands_by(
    verified, settings, api, provider, admin
):
    address = f"linked-{verified}@clinic.example".lower()
    await (await administrator_of(settings, api, address)).aclose()
    account = await account_of(admin, address)
    assert (await admin.patch(f"/v1/accounts/{account['id']}", json={"link": True})).status_code == 200
    person = {"sub": f"linked-{verified}", "email": address.upper(), "groups": ["IT"]}
    provider.person = {**person, "email_verified": verified}
    _, answer = await sign_in(api, provider)
    assert is_in(answer) if verified else is_refused(answer, "has a local account here")


async def test_a_permission_to_link_ends(settings, api, provider, admin):
    await (await administrator_of(settings, api, "late@clinic.example")).aclose()
    account = await account_of(admin, "late@clinic.example")
    await admin.patch(f"/v1/accounts/{account['id']}", json={"link": True})
    await execute(
        settings, "UPDATE accounts SET link_until = '2026-01-01 00:00:00.000000' WHERE link_until IS NOT NULL"
    )
    provider.person = {"sub": "late-1", "email": "late@clinic.example", "groups": ["IT"]}
    assert is_refused((await sign_in(api, provider))[1], "has a local account here")


async def test_a_providers_account_has_no_password_here(settings, api, provider):
    browser, _ = await sign_in(api, provider)
    for password in ("none", "", PASSWORD):
        form = {"username": "ada@hospital.example", "password": password or " "}
        assert (await client(api).post("/v1/tokens", data=form)).status_code == 401
    csrf = (await browser.get("/session")).json()["form_token"]
    form = {"csrf": csrf, "current": "none", "password": "velvet-harbour-quill-7"}
    assert (await browser.post("/account/password", data=form)).status_code == 403


async def test_the_operator_makes_an_account_local_again(settings, api, provider, admin):
    """For the day when the provider is given up; an administrator hands accounts to a new one."""
    provider.person = {"sub": "hal-1", "email": "hal@hospital.example", "groups": ["Radiology"]}
    await sign_in(api, provider)
    made = await reset_password(settings, "hal@hospital.example")
    form = {"username": "hal@hospital.example", "password": made["password"]}
    assert (await client(api).post("/v1/tokens", data=form)).status_code == 200
    assert is_refused((await sign_in(api, provider))[1], "has a local account here")
    provider.person["sub"] = "hal-2"
    account = await account_of(admin, "hal@hospital.example")
    await admin.patch(f"/v1/accounts/{account['id']}", json={"link": True})
    assert is_in((await sign_in(api, provider))[1])
    assert (await client(api).post("/v1/tokens", data=form)).status_code == 401
    await admin.patch(f"/v1/accounts/{account['id']}", json={"link": True})
    provider.person["sub"] = "hal-3"
    assert is_in((await sign_in(api, provider))[1]), "whom the provider knows by a new name"


async def account_of(admin, address):
    accounts = (await admin.get("/v1/accounts?limit=100")).json()["items"]
    return next(account for account in accounts if account["email"] == address)


async def test_attempts_that_come_to_nothing_are_counted(provider, settings, tmp_path):
    few = settings.model_copy(update={"logins_per_address_per_minute": 3, "state_dir": tmp_path})
    async with open_gateway(few, shared_services()) as api:
        for wanted in (403, 403, 403, 429):
            assert (await client(api).get(f"{CALLBACK}?state=made-up")).status_code == wanted
        assert is_in((await sign_in(api, provider))[1]), "who signs in is not held up by who does not"


async def test_an_account_that_an_administrator_disabled_stays_out(api, provider, admin):
    provider.person = {"sub": "finn-1", "email": "finn@hospital.example", "groups": ["Radiology"]}
    browser, _ = await sign_in(api, provider)
    account = await account_of(admin, "finn@hospital.example")
    await admin.patch(f"/v1/accounts/{account['id']}", json={"disabled": True})
    assert (await browser.get("/work-list")).headers["location"].startswith("/sign-in")
    assert is_refused((await sign_in(api, provider))[1], "is disabled")
    await admin.patch(f"/v1/accounts/{account['id']}", json={"disabled": False})
    assert is_in((await sign_in(api, provider))[1])


async def test_whom_the_provider_has_not_named_for_long_is_disabled(settings, api, provider, admin):
    provider.person = {"sub": "gone-1", "email": "gone@hospital.example", "groups": ["Radiology"]}
    await sign_in(api, provider)
    long_ago = "UPDATE accounts SET confirmed_at = '2026-01-01 00:00:00.000000' WHERE subject = 'gone-1'"
    await execute(settings, long_ago)
    database = database_of(settings)
    accounts = ProviderAccounts(database.sessions, installation_key(settings))
    assert await accounts.disable_unconfirmed(dt.timedelta(days=settings.oidc_unconfirmed_days)) == 1
    await database.close()
    assert is_refused((await sign_in(api, provider))[1], "is disabled")


@pytest.mark.parametrize("claims", [{"amr": ["pwd", "mfa"]}, {"acr": "mfa"}, {"amr": ["pwd"]}, {}])
async def test_a_second_factor_can_be_demanded_of_the_provider(claims, settings, provider, tmp_path):
    demanding = settings.model_copy(update={"oidc_second_factor": ("mfa",), "state_dir": tmp_path})
    provider.person |= claims
    async with open_gateway(demanding, shared_services()) as api:
        _, answer = await sign_in(api, provider)
    assert provider.query["acr_values"] == ["mfa"]
    has_one = "mfa" in [*claims.get("amr", []), claims.get("acr")]
    assert is_in(answer) if has_one else is_refused(answer, "with a second factor")


# The provider signs people out.


def logout_token(provider, key=None, **changed):
    now = int(time.time())
    claims = {"iss": provider.issuer, "aud": "trabecula", "iat": now, "exp": now + 120, "jti": str(time.monotonic_ns())}
    claims |= {"sub": "ada-1", "events": {LOGOUT_EVENT: {}}, **changed}
    return signed({name: value for name, value in claims.items() if value is not None}, key or provider.key, kid="one")


async def sign_out(api, token):
    return await client(api).post("/v1/provider/sign-out", data={"logout_token": token})


async def test_who_signs_out_at_the_provider_is_signed_out_here(api, provider):
    browser, _ = await sign_in(api, provider)
    answer = await sign_out(api, logout_token(provider))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert (await browser.get("/work-list")).headers["location"].startswith("/sign-in")


async def test_one_session_of_several_can_be_signed_out(api, provider):
    provider.person["sid"] = "first"
    first, _ = await sign_in(api, provider)
    provider.person["sid"] = "second"
    second, _ = await sign_in(api, provider)
    assert (await sign_out(api, logout_token(provider, sub=None, sid="first"))).status_code == 200
    assert (await first.get("/work-list")).headers["location"].startswith("/sign-in")
    assert (await second.get("/work-list")).status_code == 200
    assert (await sign_out(api, logout_token(provider, sid="second"))).status_code == 200
    assert (await second.get("/work-list")).headers["location"].startswith("/sign-in")


REFUSED = {
    "of another issuer": {"iss": "https://elsewhere.example"},
    "for somebody else": {"aud": "another"},
    "with a nonce": {"nonce": "x"},
    "of nobody": {"sub": None},
    "of a number": {"sub": 17},
    "without a name of its own": {"jti": None},
    "without the event": {"events": None},
    "of another event": {"events": {"x": {}}},
    "expired": {"exp": PAST},
    "without an end": {"exp": None},
    "of long ago": {"iat": PAST, "exp": FUTURE},
}


@pytest.mark.parametrize("how", REFUSED)
async def test_a_bad_logout_token_ends_nothing(how, api, provider):
    browser, _ = await sign_in(api, provider)
    answer = await sign_out(api, logout_token(provider, **REFUSED[how]))
    assert answer.status_code == 400, answer.text
    assert (await browser.get("/work-list")).status_code == 200


async def test_a_forged_or_repeated_logout_token_ends_nothing(api, provider):
    token = logout_token(provider)
    assert (await sign_out(api, token)).status_code == 200
    browser, _ = await sign_in(api, provider)
    id_token = signed(provider.claims(), provider.key, kid="one")
    for bad in (token, logout_token(provider, FOREIGN), id_token, "x", "a.b.c"):
        assert (await sign_out(api, bad)).status_code == 400
    assert (await browser.get("/work-list")).status_code == 200


# Sessions go on by the provider's word.


async def test_what_keeps_a_session_going_is_encrypted_and_goes_with_it(settings, api, provider):
    browser, _ = await sign_in(api, provider)
    rows = await execute(settings, "SELECT provider_token FROM sign_ins WHERE provider_token IS NOT NULL")
    assert rows
    assert all(b"again" not in token for (token,) in rows)
    csrf = (await browser.get("/session")).json()["form_token"]
    out = await browser.post("/sign-out", data={"csrf": csrf})
    assert out.headers["location"] == "/sign-in/provider/out"
    out = await browser.get("/sign-in/provider/out")
    assert out.headers["location"] == "/sign-in?out=1", "this provider has no place to sign out"
    await sign_out(api, logout_token(provider))
    left = await execute(
        settings,
        "SELECT 1 FROM sign_ins JOIN accounts ON accounts.id = account_id "
        "WHERE subject = 'ada-1' AND provider_token IS NOT NULL",
    )
    assert not left


@pytest.mark.parametrize(
    ("answer", "goes_on"),
    [
        ((400, {"error": "invalid_grant"}), False),
        ((400, {"error": "invalid_request"}), False),
        ((401, {"error": "invalid_client"}), True),
        ((503, {}), True),
    ],
)
async def test_a_session_ends_when_the_provider_refuses_it_and_not_when_it_fails(
    answer, goes_on, settings, api, provider
):
    browser, _ = await sign_in(api, provider)
    provider.answer_token = answer
    found = await next_access_token(settings, browser)
    assert (found.status_code == 200) is goes_on


async def test_a_renewal_of_somebody_else_ends_the_session(settings, api, provider):
    browser, _ = await sign_in(api, provider)
    provider.person = {**provider.person, "sub": "mallory-1"}
    assert (await next_access_token(settings, browser)).status_code == 303


async def test_the_provider_is_asked_once_in_a_while(settings, api, provider):
    browser, _ = await sign_in(api, provider)
    await next_access_token(settings, browser)
    asked = sum(path == "/token" for path, _ in provider.asked)
    browser.cookies.delete("trab_access")
    assert (await browser.get("/work-list")).status_code == 200
    assert sum(path == "/token" for path, _ in provider.asked) == asked


async def next_access_token(settings, browser):
    """The work list, after the provider was last asked long ago and the access token has run out."""
    await execute(
        settings,
        "UPDATE sign_ins SET provider_checked_at = '2026-01-01 00:00:00.000000' WHERE provider_checked_at IS NOT NULL",
    )
    browser.cookies.delete("trab_access")
    return await browser.get("/work-list")


async def execute(settings, statement):
    database = database_of(settings)
    async with database.engine.begin() as connection:
        done = await connection.exec_driver_sql(statement)
        rows = done.all() if done.returns_rows else []
    await database.close()
    return rows


async def test_without_a_provider_there_is_no_trace_of_one(shared_api):
    page = await client(shared_api).get("/sign-in")
    assert "/sign-in/provider" not in page.text
    for path in ("/sign-in/provider", CALLBACK, "/sign-in/provider/out"):
        assert (await client(shared_api).get(path)).status_code in (403, 404)
    assert (await sign_out(shared_api, "x")).status_code == 404
    assert "sign_in_provider" not in (await shared_api.get("/health/ready")).json()["dependencies"]


async def test_the_check_tells_of_the_provider(settings, api, provider):
    found = {result.name: result for result in await check(settings)}["sign-in provider"]
    assert (found.ok, found.detail) == (True, provider.issuer)
    provider.misbehave = BAD["fails"]
    found = {result.name: result for result in await check(settings)}["sign-in provider"]
    assert not found.ok
    assert "Local accounts sign in without it." in found.detail
