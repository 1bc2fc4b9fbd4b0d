"""Strangers are refused everywhere, and each organisation sees its own."""

import datetime as dt
import re
from uuid import UUID

import jwt
import pytest
from sqlalchemy import select

from gateway.assessing.administration import create_administrator, create_api_key
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import AuditRow, OrganisationRow
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.refresh_tokens import RefreshTokens, SessionLength
from gateway.platform.identity.scopes import operator_of
from gateway.settings import GatewaySettings
from shared.problems import Conflict, InvalidInput

RECORD = {"clinical": (None, '{"age": 67, "gender": "female"}')}
OPEN = {
    "get /health/live", "get /health/ready", "post /v1/tokens", "post /v1/tokens/refresh", "post /v1/tokens/revoke",
    "post /v1/accounts", "post /v1/invitations/accept", "post /v1/provider/sign-out",
    "get /fhir/metadata", "get /fhir/CodeSystem/finding", "get /fhir/.well-known/smart-configuration",
    "get /v1/problems", "get /cds-services",
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(state_dir=tmp_path_factory.mktemp("access"), logins_per_minute=5, _env_file=None)


async def test_every_operation_but_health_and_sign_in_refuses_strangers(stranger):
    document = (await stranger.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method in set(operations) & {"get", "post", "put", "patch", "delete"}:
            if f"{method} {path}" in OPEN:
                continue
            answer = await stranger.request(method, re.sub("{.*?}", "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d", path))
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "not-authenticated" in answer.text


@pytest.mark.parametrize(
    "bad", ["", "trab", "trab_0_0", "other_0011223344556677_abc", "trab_" + "0" * 16 + "_" + "x" * 43]
)
async def test_keys_that_are_none(stranger, bad):
    assert (await stranger.get("/v1/models", headers={"X-API-Key": bad})).status_code == 401


async def test_a_key_does_what_its_scopes_say(settings, api, stranger):
    made = await create_api_key(settings, "reader", "assessments:read", None)
    headers = {"X-API-Key": made["key"]}
    assert (await stranger.get("/v1/assessments", headers=headers)).status_code == 200
    refused = await stranger.post("/v1/assessments", files=RECORD, headers=headers)
    assert refused.status_code == 403
    assert refused.json()["scope"] == "assessments:write"


async def test_an_expired_key_opens_nothing(settings, api, stranger):
    made = await create_api_key(settings, "old", "models:read", -1)
    assert (await stranger.get("/v1/models", headers={"X-API-Key": made["key"]})).status_code == 401


async def test_another_organisation_sees_nothing_of_ours(settings, api, stranger):
    from gateway.platform.clock import now

    ours = (await api.post("/v1/assessments", files=RECORD)).json()["id"]
    database = database_of(settings)
    async with database.sessions.begin() as session:
        other = OrganisationRow(name="Another clinic", created_at=now())
        session.add(other)
        await session.flush()
        theirs = other.id
    made = await ApiKeys(database.sessions).add("other", ["assessments:read"], operator_of(theirs))
    await database.close()
    headers = {"X-API-Key": made.key}
    assert (await stranger.get(f"/v1/assessments/{ours}", headers=headers)).status_code == 404
    assert (await stranger.get("/v1/assessments", headers=headers)).json()["items"] == []


async def test_a_person_signs_in_stays_and_leaves(settings, api, stranger):
    made = await create_administrator(settings, "Ada@Clinic.example", None)
    form = {"username": "ada@clinic.example", "password": made["password"]}
    tokens = (await stranger.post("/v1/tokens", data=form)).json()
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 900
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await stranger.get("/v1/models", headers=bearer)).status_code == 200
    both = {**bearer, "X-API-Key": "trab_x_y"}
    assert (await stranger.get("/v1/models", headers=both)).status_code == 401

    renewed = await stranger.post("/v1/tokens/refresh", data={"refresh_token": tokens["refresh_token"]})
    assert renewed.status_code == 200
    reused = await stranger.post("/v1/tokens/refresh", data={"refresh_token": tokens["refresh_token"]})
    assert reused.status_code == 401
    # The stolen one was used twice, so its replacement is void as well.
    replacement = {"refresh_token": renewed.json()["refresh_token"]}
    assert (await stranger.post("/v1/tokens/refresh", data=replacement)).status_code == 401


async def test_signing_out_ends_the_refresh_token(settings, api, stranger):
    made = await create_administrator(settings, "bea@clinic.example", "a password of some length")
    form = {"username": made["email"], "password": made["password"]}
    refresh = (await stranger.post("/v1/tokens", data=form)).json()["refresh_token"]
    assert (await stranger.post("/v1/tokens/revoke", data={"token": refresh})).status_code == 204
    assert (await stranger.post("/v1/tokens/refresh", data={"refresh_token": refresh})).status_code == 401
    assert (await stranger.post("/v1/tokens/revoke", data={"token": "unknown"})).status_code == 204


@pytest.mark.parametrize(
    "changed",
    [
        {}, {"exp": 1}, {"aud": "elsewhere"}, {"iss": "elsewhere"},
        {"sub": "account:0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d"},
        {"sub": "key:0011223344556677", "scope": "admin"}, {"key": "another key that is long enough to sign"},
        {"algorithm": "none", "key": None}, {"algorithm": "none", "key": None, "sub": "key:00ff", "scope": "admin"},
    ],
)  # fmt: skip
async def test_forged_expired_and_foreign_tokens_open_nothing(settings, api, stranger, changed):
    me = await create_administrator(settings, f"{abs(hash(str(changed)))}@clinic.example", None)
    signing = {"key": settings.token_key(), "algorithm": "HS256"}
    database, hour = database_of(settings), dt.timedelta(hours=1)
    session = (await RefreshTokens(database.sessions).begin(UUID(me["id"]), SessionLength(hour, hour))).family
    await database.close()
    claims = {
        "sub": f"account:{me['id']}", "sid": str(session), "aud": "trabecula", "iss": "trabecula", "exp": 2**31,
    }  # fmt: skip
    for name, value in changed.items():
        (signing if name in signing else claims)[name] = value
    token = jwt.encode(claims, **signing)
    answer = await stranger.get("/v1/models", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == (401 if changed else 200)


async def test_guessing_is_slowed_down(api, stranger):
    form = {"username": "nobody@clinic.example", "password": "guess"}
    answers = [await stranger.post("/v1/tokens", data=form) for _ in range(8)]
    assert 401 in {answer.status_code for answer in answers}
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_bad_accounts_are_not_made(settings, api):
    with pytest.raises(InvalidInput):
        await create_administrator(settings, "nobody", None)
    with pytest.raises(InvalidInput):
        await create_administrator(settings, "c@clinic.example", "short")
    await create_administrator(settings, "c@clinic.example", None)
    with pytest.raises(Conflict):
        await create_administrator(settings, "C@clinic.example", None)


async def test_the_trail_tells_who_did_what_and_holds_no_record(settings, api):
    made = (await api.post("/v1/assessments", files=RECORD)).json()["id"]
    await api.get(f"/v1/assessments/{made}")
    database = database_of(settings)
    async with database.sessions() as session:
        rows = (await session.scalars(select(AuditRow).where(AuditRow.subject == made).order_by(AuditRow.id))).all()
    await database.close()
    assert [row.action for row in rows] == ["assessment made", "assessment read"]
    assert all(row.actor.startswith("key:") and row.request_id for row in rows)
