"""Hospital systems: keys are made, rotated and revoked, and exchanged for access tokens that die with them."""

import base64

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from gateway.assessing.administration import create_api_key, revoke_api_key, rotate_api_key
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import ApiKeyRow
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput, NotFound
from tests.integration.people import bearer, system_of


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("keys"),
        database_url=url,
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


async def made_key(admin, *scopes, **more):
    body = {"name": "ward", "scopes": list(scopes or ("models:read",)), **more}
    answer = await admin.post("/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def status(stranger, made):
    return (await stranger.get("/v1/models", headers={"X-API-Key": made["key"]})).status_code


async def test_a_key_is_shown_once_and_listed_without_its_secret(admin, stranger):
    made = await made_key(admin, days=30)
    prefix, identity, secret = made["key"].split("_", 2)
    assert (prefix, identity) == ("trab", made["id"])
    assert await status(stranger, made) == 200
    answer = await admin.get("/v1/keys")
    assert secret not in answer.text
    [listed] = [item for item in answer.json()["items"] if item["id"] == made["id"]]
    assert listed["last_used_at"]
    assert listed["expires_at"]


async def test_a_revoked_key_is_out_at_once(admin, stranger):
    made = await made_key(admin)
    assert await status(stranger, made) == 200
    assert (await admin.delete(f"/v1/keys/{made['id']}")).status_code == 204
    assert await status(stranger, made) == 401
    assert (await admin.post(f"/v1/keys/{made['id']}/rotate")).status_code == 404


async def test_a_rotated_key_overlaps_and_stays_the_same_client(settings, admin, stranger):
    old = await made_key(admin)
    new = (await admin.post(f"/v1/keys/{old['id']}/rotate", json={"overlap_hours": 1})).json()
    assert new["id"] == old["id"]
    assert new["key"] != old["key"]
    assert [await status(stranger, made) for made in (old, new)] == [200, 200]
    database = database_of(settings)
    async with database.sessions.begin() as session:
        await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == old["id"]).values(previous_valid_until=now()))
    await database.close()
    assert [await status(stranger, made) for made in (old, new)] == [401, 200]
    last = (await admin.post(f"/v1/keys/{old['id']}/rotate", json={"overlap_hours": 0})).json()
    assert [await status(stranger, made) for made in (old, new, last)] == [401, 401, 200]


async def test_nobody_makes_a_key_that_can_do_more(settings, api):
    async with await system_of(settings, api, "admin models:read") as system:
        made = await made_key(system, "models:read")
        assert made["scopes"] == ["models:read"]
        refused = await system.post("/v1/keys", json={"name": "more", "scopes": ["audit:read"]})
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": "x"}, {"name": "", "scopes": ["admin"]}, {"name": "a\x00b", "scopes": ["admin"]},
        {"name": "a\nb", "scopes": ["admin"]}, {"name": "x" * 101, "scopes": ["admin"]},
        {"name": "x", "scopes": []}, {"name": "x", "scopes": ["root"]}, {"name": "x", "scopes": ["admin"], "days": 0},
    ],
)  # fmt: skip
async def test_bad_keys_are_not_made(admin, body):
    answer = await admin.post("/v1/keys", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def exchanged(stranger, made, **more):
    form = {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["key"], **more}
    return await stranger.post("/v1/tokens", data=form)


async def test_a_key_is_exchanged_for_a_token_that_dies_with_it(admin, stranger):
    made = await made_key(admin, "models:read", "assessments:read")
    answer = await exchanged(stranger, made)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert "refresh_token" not in tokens
    assert tokens["scope"] == "assessments:read models:read"
    assert (await stranger.get("/v1/models", headers=bearer(tokens))).status_code == 200
    assert (await stranger.get("/v1/accounts/me", headers=bearer(tokens))).json()["id"] == f"key:{made['id']}"
    await admin.delete(f"/v1/keys/{made['id']}")
    assert (await stranger.get("/v1/models", headers=bearer(tokens))).status_code == 401
    assert (await exchanged(stranger, made)).status_code == 401


async def test_a_token_can_do_less_than_its_key_and_never_more(admin, stranger):
    made = await made_key(admin, "models:read", "assessments:read")
    tokens = (await exchanged(stranger, made, scope="models:read")).json()
    assert tokens["scope"] == "models:read"
    assert (await stranger.get("/v1/assessments", headers=bearer(tokens))).status_code == 403
    assert (await exchanged(stranger, made, scope="models:read admin")).status_code == 403
    assert (await exchanged(stranger, made, scope="everything")).status_code == 422


def basic(identity, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{identity}:{secret}".encode()).decode()}


async def test_http_basic_does_as_well(admin, stranger):
    made, other = await made_key(admin), await made_key(admin)
    form = {"grant_type": "client_credentials"}
    answer = await stranger.post("/v1/tokens", data=form, headers=basic(made["id"], made["key"]))
    assert answer.status_code == 200, answer.text
    for headers, wanted in (
        (basic(other["id"], made["key"]), 401),
        (basic(made["id"], "trab_wrong"), 401),
        ({"Authorization": "Basic %%%"}, 401),
        ({}, 422),
    ):
        assert (await stranger.post("/v1/tokens", data=form, headers=headers)).status_code == wanted
    both = {**form, "client_id": made["id"], "client_secret": made["key"]}
    answer = await stranger.post("/v1/tokens", data=both, headers=basic(made["id"], made["key"]))
    assert answer.status_code == 422


async def test_the_operator_rotates_and_revokes(settings, stranger, api):
    made = await create_api_key(settings, "ward", "models:read", None)
    new = await rotate_api_key(settings, made["key"], 0)  # the whole key is as good as its id
    assert [await status(stranger, item) for item in (made, new)] == [401, 200]
    await revoke_api_key(settings, made["id"])
    assert await status(stranger, new) == 401
    with pytest.raises(NotFound):
        await rotate_api_key(settings, made["id"], 0)
    with pytest.raises(NotFound):
        await revoke_api_key(settings, "00ff")
    for bad in ("", "radiology", "'; DROP TABLE api_keys; --"):
        with pytest.raises(InvalidInput):
            await revoke_api_key(settings, bad)
