"""Signing in under attack: who guesses delays nobody else, sessions end, and staff prove a second factor."""

import datetime as dt
import re
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from gateway.assessing.administration import (
    create_administrator,
    create_first_administrator,
    reset_password,
    reset_second_factor,
)
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import AccountRow, RefreshTokenRow, SignInDelayRow, SignInRow
from gateway.platform.identity.second_factor import STEP_S, _totp, matching_step
from gateway.settings import GatewaySettings
from tests.conftest import open_gateway, shared_services
from tests.integration.people import NEW_PASSWORD, PASSWORD, bearer, invited, registered, tokens_of

STRANGER, WARD, HOME = "6.6.6.6", "10.0.0.5", "192.0.2.7"
MADE_UP = "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("sign-in"), database_url=url, logins_per_minute=30,
        logins_per_address_per_minute=40, lockout_failures=3, _env_file=None,
    )  # fmt: skip


def at(api, address, **headers):
    """Somebody at a network address."""
    transport = httpx.ASGITransport(api._transport.app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


async def attempt(visitor, email, password=PASSWORD, **more):
    return await visitor.post("/v1/tokens", data={"username": email, "password": password, **more})


@asynccontextmanager
async def rows_of(settings):
    database = database_of(settings)
    async with database.sessions.begin() as session:
        yield session
    await database.close()


@pytest.fixture(scope="module")
async def ada(api, admin):
    await (await invited(admin, api, "ada@clinic.example", "clinician")).aclose()
    return "ada@clinic.example"


async def test_a_stranger_who_guesses_keeps_nobody_out(api, ada):
    async with at(api, STRANGER) as stranger, at(api, WARD) as ward, at(api, HOME) as home:
        answers = [await attempt(stranger, ada, "guess") for _ in range(8)]
        assert [answer.status_code for answer in answers[:3]] == [401] * 3
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        # Neither where the person signed in before, nor anywhere else; the right guess comes too late.
        assert (await attempt(ward, ada)).status_code == 200
        assert (await attempt(home, ada)).status_code == 200
        assert (await attempt(stranger, ada)).status_code == 429


async def test_the_delay_grows_and_ends(settings, api, ada):
    address = "6.6.6.7"
    async with at(api, address) as stranger:
        waits = []
        for _ in range(5):
            for _ in range(3 if not waits else 1):
                assert (await attempt(stranger, ada, "guess")).status_code == 401
            refused = await attempt(stranger, ada)
            waits.append(int(refused.headers["retry-after"]))
            async with rows_of(settings) as session:
                await session.execute(update(SignInDelayRow).values(wait_until=now()))
        assert waits == sorted(waits)
        assert waits[-1] > 4 * waits[0]
        assert (await attempt(stranger, ada)).status_code == 200  # the delay is over, and so is the count
        assert (await attempt(stranger, ada, "guess")).status_code == 401
        assert (await attempt(stranger, ada)).status_code == 200


async def test_a_crowded_address_lets_those_past_who_signed_in_there_before(api, admin, ada):
    await (await invited(admin, api, "bea@clinic.example", "clinician")).aclose()
    hospital = "203.0.113.9"
    async with at(api, hospital) as ward:
        assert (await attempt(ward, ada)).status_code == 200
        for number in range(45):  # somebody in the house tries one account after the other
            await attempt(ward, f"nobody-{number}@clinic.example", "guess")
        assert (await attempt(ward, "bea@clinic.example")).status_code == 429
        assert (await attempt(ward, ada)).status_code == 200


async def test_nothing_tells_which_accounts_there_are(api, ada):
    async with at(api, "6.6.6.8") as stranger:
        known = [await attempt(stranger, ada, "guess") for _ in range(5)]
    async with at(api, "6.6.6.9") as stranger:
        unknown = [await attempt(stranger, "nobody@clinic.example", "guess") for _ in range(5)]
    assert [answer.status_code for answer in known] == [answer.status_code for answer in unknown]
    assert {answer.json()["detail"] for answer in known} == {answer.json()["detail"] for answer in unknown}


async def test_a_whole_ipv6_network_is_one_address(api, ada):
    statuses = []
    for number in range(6):
        async with at(api, f"2001:db8:0:1::{number + 1:x}") as stranger:
            statuses.append((await attempt(stranger, ada, "guess")).status_code)
    assert 429 in statuses
    async with at(api, "2001:db8:0:2::1") as neighbour:
        assert (await attempt(neighbour, ada, "guess")).status_code == 401


async def test_guessing_a_keys_secret_keeps_the_system_in(api, admin):
    made = (await admin.post("/v1/keys", json={"name": "x", "scopes": ["models:read"]})).json()
    form = {"grant_type": "client_credentials", "client_id": made["id"]}
    async with at(api, "6.6.6.10") as stranger, at(api, WARD) as system:
        guesses = [await stranger.post("/v1/tokens", data={**form, "client_secret": "trab_x_y"}) for _ in range(5)]
        assert guesses[-1].status_code == 429
        assert (await system.post("/v1/tokens", data={**form, "client_secret": made["key"]})).status_code == 200


async def test_bad_credentials_leave_lines_and_have_a_rate(settings, api):
    from gateway.platform.database.tables import AuditRow

    address = "6.6.6.11"
    async with at(api, address) as stranger:
        bad = {"X-API-Key": "trab_00ff_guess"}
        statuses = [(await stranger.get("/v1/models", headers=bad)).status_code for _ in range(45)]
        assert statuses[0] == 401
        assert statuses[-1] == 429
        forged = {"Authorization": "Bearer eyJ.forged.token"}
        assert (await stranger.get("/v1/models", headers=forged)).status_code == 429
    async with rows_of(settings) as session:
        lines = (await session.scalars(select(AuditRow).where(AuditRow.address == address))).all()
    assert 0 < len(lines) <= 40
    assert {(line.action, line.outcome) for line in lines} == {("access", "refused")}
    assert (await api.get("/v1/models")).status_code == 200


async def aged(settings, **values):
    async with rows_of(settings) as session:
        await session.execute(update(SignInRow).values(**values))


async def test_a_session_ends_at_the_latest_after_its_hours(settings, api, ada, stranger):
    tokens = await tokens_of(stranger, ada)
    await aged(settings, ends_at=now())
    assert (await stranger.get("/v1/models", headers=bearer(tokens))).status_code == 401
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert (await stranger.post("/v1/tokens/refresh", data=refresh)).status_code == 401


async def test_renewing_a_session_does_not_move_its_end(settings, api, ada, stranger):
    tokens = await tokens_of(stranger, ada)
    end = now() + dt.timedelta(minutes=30)
    await aged(settings, ends_at=end)
    answer = await stranger.post("/v1/tokens/refresh", data={"refresh_token": tokens["refresh_token"]})
    assert answer.status_code == 200
    [session] = (await stranger.get("/v1/accounts/me/sessions", headers=bearer(answer.json()))).json()["items"][:1]
    assert dt.datetime.fromisoformat(session["ends_at"]) == end
    async with rows_of(settings) as database:
        unused = select(RefreshTokenRow).where(RefreshTokenRow.used_at.is_(None))
        ends = [row.expires_at for row in await database.scalars(unused) if str(row.family) == session["id"]]
    assert ends
    assert all(until <= end for until in ends)


async def test_a_session_that_is_not_used_ends(settings, api, ada, stranger):
    tokens = await tokens_of(stranger, ada)
    async with rows_of(settings) as session:
        rows = (await session.scalars(select(RefreshTokenRow))).all()
        newest = max(rows, key=lambda row: row.expires_at)
        idle = newest.expires_at - now()
        newest.expires_at = now()
    assert dt.timedelta(minutes=28) < idle <= dt.timedelta(minutes=30)
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert (await stranger.post("/v1/tokens/refresh", data=refresh)).status_code == 401


async def test_a_patients_session_may_last_for_days(settings, api):
    async with await registered(settings, api, "days@home.example") as patient:
        [session] = (await patient.get("/v1/accounts/me/sessions")).json()["items"]
    lasts = dt.datetime.fromisoformat(session["ends_at"]) - dt.datetime.fromisoformat(session["started_at"])
    assert lasts == dt.timedelta(days=14)


async def test_people_see_and_end_their_own_sessions_and_nobody_elses(api, admin, ada):
    async with at(api, WARD) as ward, at(api, HOME) as home:
        here, there = (await attempt(ward, ada)).json(), (await attempt(home, ada)).json()
        listed = (await ward.get("/v1/accounts/me/sessions", headers=bearer(here))).json()["items"]
        assert {session["address"] for session in listed} >= {WARD, HOME}
        other = next(session["id"] for session in listed if session["address"] == HOME)
        # Somebody else's request changes nothing, and does not tell that there is such a session.
        assert (await admin.delete(f"/v1/accounts/me/sessions/{other}")).status_code == 204
        assert (await home.get("/v1/models", headers=bearer(there))).status_code == 200
        assert (await ward.delete(f"/v1/accounts/me/sessions/{other}", headers=bearer(here))).status_code == 204
        assert (await home.get("/v1/models", headers=bearer(there))).status_code == 401
        refresh = {"refresh_token": there["refresh_token"]}
        assert (await home.post("/v1/tokens/refresh", data=refresh)).status_code == 401
        assert (await ward.get("/v1/models", headers=bearer(here))).status_code == 200
        assert (await ward.delete(f"/v1/accounts/me/sessions/{MADE_UP}", headers=bearer(here))).status_code == 204


async def browse(browser, path, **form):
    """A page, or with fields its form, as a browser sends it."""
    if not form:
        return await browser.get(path, headers={"Accept": "text/html"})
    token = (await browser.get("/session")).json()["form_token"]
    return await browser.post(path, data={**form, "csrf": token}, headers={"Accept": "text/html"})


async def test_a_password_that_was_printed_is_changed_first(tmp_path):
    settings = GatewaySettings(state_dir=tmp_path, lockout_failures=3, _env_file=None)
    async with open_gateway(settings, shared_services()) as api:
        made = await create_first_administrator(settings)
        async with at(api, WARD) as browser:
            signed = await browse(browser, "/sign-in", email=made["email"], password=made["password"])
            assert signed.status_code == 303
            for path in ("/work-list", "/administration", "/patients"):
                assert (await browse(browser, path)).headers["location"] == "/account?owed=1"
            blocked = await browse(browser, "/administration/keys", name="x", scopes="admin")
            assert blocked.headers["location"] == "/account?owed=1"
            page = await browse(browser, "/account?owed=1")
            assert "Choose a password of your own" in page.text
            # What the operator's own programs do with it goes on.
            tokens = await tokens_of(browser, made["email"], made["password"])
            assert (await browser.get("/v1/models", headers=bearer(tokens))).status_code == 200
            changed = await browse(browser, "/account/password", current=made["password"], password=NEW_PASSWORD)
            assert changed.status_code == 303
        async with at(api, WARD) as browser:
            await browse(browser, "/sign-in", email=made["email"], password=NEW_PASSWORD)
            assert (await browse(browser, "/work-list")).status_code == 200
        renewed = await reset_password(settings, made["email"])
        async with at(api, WARD) as browser:
            await browse(browser, "/sign-in", email=made["email"], password=renewed["password"])
            assert (await browse(browser, "/work-list")).headers["location"] == "/account?owed=1"


@pytest.mark.parametrize("given", ["by setting", "by command"])
async def test_a_password_that_was_chosen_is_not(tmp_path, given):
    password = SecretStr(PASSWORD) if given == "by setting" else None
    settings = GatewaySettings(state_dir=tmp_path, first_admin_password=password, _env_file=None)
    async with open_gateway(settings, shared_services()) as api, at(api, WARD) as browser:
        made = await (
            create_first_administrator(settings)
            if password
            else create_administrator(settings, "a@clinic.example", None)
        )
        await browse(browser, "/sign-in", email=made["email"], password=made["password"])
        assert (await browse(browser, "/work-list")).status_code == 200


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory):
    """A site whose staff need a second factor."""
    settings = GatewaySettings(
        state_dir=tmp_path_factory.mktemp("guarded"), second_factor="staff", lockout_failures=1000,
        logins_per_minute=1000, logins_per_address_per_minute=1000, _env_file=None,
    )  # fmt: skip
    async with open_gateway(settings, shared_services()) as api:
        yield settings, api


def code_of(secret, steps=0):
    return _totp(secret).generate((int(now().timestamp()) // STEP_S + steps) * STEP_S).decode()


async def enrolled(settings, api, email):
    """Somebody of staff with a second factor: the secret, and the recovery codes."""
    import base64

    await create_administrator(settings, email, PASSWORD)
    async with at(api, WARD) as browser:
        await browse(browser, "/sign-in", email=email, password=PASSWORD)
        assert (await browse(browser, "/work-list")).headers["location"] == "/account/second-factor"
        page = (await browse(browser, "/account/second-factor")).text
        text = re.search(r'name="secret" value="(\w+)"', page)[1]
        assert f"secret={text}" in page
        secret = base64.b32decode(text)
        wrong = await browse(browser, "/account/second-factor", secret=text, code="000000")
        assert wrong.status_code == 422
        done = await browse(browser, "/account/second-factor", secret=text, code=code_of(secret, -1))
        assert done.status_code == 200, done.text
        assert (await browse(browser, "/work-list")).status_code == 200
    return secret, re.findall(r"<code>([\w-]+)</code>", done.text)


async def test_staff_without_a_second_factor_do_nothing_else(guarded):
    settings, api = guarded
    await create_administrator(settings, "none@clinic.example", PASSWORD)
    async with at(api, WARD) as visitor:
        tokens = await tokens_of(visitor, "none@clinic.example")
        assert (await visitor.get("/v1/patients", headers=bearer(tokens))).status_code == 403
    async with await registered(settings, api, "pat@home.example") as patient:
        assert (await patient.get("/v1/models")).status_code == 200  # patients need none
    assert (await api.get("/v1/models")).status_code == 200  # nor do systems


async def test_a_password_alone_opens_nothing_once_there_is_a_second_factor(guarded):
    settings, api = guarded
    secret, recovery = await enrolled(settings, api, "two@clinic.example")
    assert len(recovery) == 8
    async with at(api, WARD) as visitor:
        refused = [await attempt(visitor, "two@clinic.example", second_factor=code) for code in
                   ("", "000000", "12345", code_of(secret, -5), code_of(secret, 5), code_of(secret, -1))]  # fmt: skip
        assert {answer.status_code for answer in refused} == {401}  # the last one was used to set it up
        wrong_password = await attempt(visitor, "two@clinic.example", "guess", second_factor=code_of(secret))
        assert wrong_password.json()["detail"] == refused[0].json()["detail"]
        code = code_of(secret, 1)
        assert (await attempt(visitor, "two@clinic.example", second_factor=code)).status_code == 200
        assert (await attempt(visitor, "two@clinic.example", second_factor=code)).status_code == 401  # once
        assert (await attempt(visitor, "two@clinic.example", second_factor=recovery[0].lower())).status_code == 200
        assert (await attempt(visitor, "two@clinic.example", second_factor=recovery[0])).status_code == 401
        # Another's recovery code opens nothing either.
        _, others = await enrolled(settings, api, "three@clinic.example")
        assert (await attempt(visitor, "two@clinic.example", second_factor=others[0])).status_code == 401


async def test_the_operator_takes_a_lost_second_factor_away(guarded):
    from gateway.platform.database.tables import AuditRow, RecoveryCodeRow

    settings, api = guarded
    _, recovery = await enrolled(settings, api, "lost@clinic.example")
    async with at(api, WARD) as visitor:
        tokens = (await attempt(visitor, "lost@clinic.example", second_factor=recovery[0])).json()
        made = await reset_second_factor(settings, "lost@clinic.example")
        assert (await visitor.get("/v1/models", headers=bearer(tokens))).status_code == 401
        assert (await attempt(visitor, "lost@clinic.example", second_factor=recovery[1])).status_code == 200
        tokens = (await attempt(visitor, "lost@clinic.example")).json()
        assert (await visitor.get("/v1/models", headers=bearer(tokens))).status_code == 403  # another is to be set up
    async with rows_of(settings) as session:
        left = (await session.scalars(select(RecoveryCodeRow))).all()
        lines = (await session.scalars(select(AuditRow).where(AuditRow.subject == f"account:{made['id']}"))).all()
        row = (await session.scalars(select(AccountRow).where(AccountRow.email == "lost@clinic.example"))).one()
    assert made["id"] not in {str(code.account_id) for code in left}
    assert row.totp_secret is None
    assert {"second factor set", "recovery code used", "second factor reset"} <= {line.action for line in lines}


async def test_a_second_factor_is_stored_encrypted_and_bound_to_its_account(guarded):
    settings, api = guarded
    secret, recovery = await enrolled(settings, api, "kept@clinic.example")
    whole = b"".join(file.read_bytes() for file in settings.state_dir.glob("trabecula.db*"))
    assert secret not in whole
    assert all(code.encode() not in whole for code in recovery)


def test_a_code_is_good_for_a_step_before_and_after_and_once():
    secret, moment = bytes(range(20)), dt.datetime(2026, 11, 27, 12, 0, tzinfo=dt.UTC)
    step = int(moment.timestamp()) // STEP_S
    codes = {offset: _totp(secret).generate((step + offset) * STEP_S).decode() for offset in (-2, -1, 0, 1, 2)}
    accepted = {offset for offset, code in codes.items() if matching_step(secret, code, moment, None) is not None}
    assert accepted == {-1, 0, 1}
    assert matching_step(secret, codes[0], moment, step) is None
    assert matching_step(secret, f"{codes[0][:3]} {codes[0][3:]}", moment, None) == step
    for bad in ("", "1", "١٢٣٤٥٦", "1234567", "abcdef"):
        assert matching_step(secret, bad, moment, None) is None
