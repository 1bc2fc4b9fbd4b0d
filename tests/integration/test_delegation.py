"""Nobody hands on more than they have: attacks on keys, rotations, invitations and tokens, on both databases."""

import asyncio
import datetime as dt
import json

import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from gateway.assessing.administration import create_api_key, revoke_api_key, rotate_api_key
from gateway.platform.clock import now
from gateway.platform.database.engine import MIGRATIONS
from gateway.platform.encryption import KeyEncryptionKey
from gateway.settings import GatewaySettings
from tests.integration.people import PASSWORD, administrator_of, bearer, client, invited

MANAGER = ("admin", "models:read", "patients:write")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("delegation"),
        database_url=url,
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        _env_file=None,
    )


async def key_of(maker, *scopes, **more):
    answer = await maker.post("/v1/keys", json={"name": "made", "scopes": list(scopes), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def holding(api, made):
    return client(api, **{"X-API-Key": made["key"]})


async def works(api, made):
    async with holding(api, made) as system:
        return (await system.get("/v1/accounts/me")).status_code == 200


async def test_a_broader_key_is_not_taken_over_by_renewing_it(api, admin):
    broad = await key_of(admin, "patients:read", "patients:write", "audit:read")
    narrow = await key_of(admin, "admin")
    async with holding(api, narrow) as system:
        refused = await system.post(f"/v1/keys/{broad['id']}/rotate", json={"overlap_hours": 24})
        assert refused.status_code == 403
        assert "key" not in refused.json()
        # The same through a token that its key was exchanged for, and for a token that says less than its key.
        form = {"grant_type": "client_credentials", "client_id": narrow["id"], "client_secret": narrow["key"]}
        token = bearer((await system.post("/v1/tokens", data=form)).json())
    async with client(api, **token) as system:
        assert (await system.post(f"/v1/keys/{broad['id']}/rotate")).status_code == 403
    assert await works(api, broad)
    lines = (await admin.get("/v1/audit", params={"subject": f"key:{broad['id']}"})).json()["items"]
    assert [line["outcome"] for line in lines if line["actor"] == f"key:{narrow['id']}"] == ["refused", "refused"]


async def test_a_token_hands_on_no_more_than_it_says_itself(api, admin):
    made = await key_of(admin, "admin", "audit:read")
    form = {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["key"]}
    async with client(api) as stranger:
        token = bearer((await stranger.post("/v1/tokens", data={**form, "scope": "admin"})).json())
    async with client(api, **token) as system:
        assert (await system.post("/v1/keys", json={"name": "x", "scopes": ["audit:read"]})).status_code == 403
        assert (await system.post(f"/v1/keys/{made['id']}/rotate")).status_code == 403


async def test_a_key_that_ends_makes_and_renews_nothing_that_ends_later(api, admin):
    mortal = await key_of(admin, *MANAGER, "assessments:write", "assessments:read", "patients:read", days=1)
    endless = await key_of(admin, "models:read")
    async with holding(api, mortal) as system:
        for days in ({}, {"days": 3650}):
            child = await key_of(system, "models:read", **days)
            assert child["expires_at"] == mortal["expires_at"]
        assert (await system.post(f"/v1/keys/{endless['id']}/rotate")).status_code == 403
        body = {"email": "long@home.example", "role": "patient", "patient_number": "MRN-LONG", "hours": 720}
        invitation = await system.post("/v1/invitations", json=body)
    assert invitation.status_code == 201, invitation.text
    assert invitation.json()["expires_at"] == mortal["expires_at"]


async def test_a_token_ends_with_its_key(settings, api, admin, stranger):
    from sqlalchemy import update

    from gateway.platform.database.engine import database_of
    from gateway.platform.database.tables import ApiKeyRow

    made = await key_of(admin, "models:read")
    database = database_of(settings)
    async with database.sessions.begin() as session:
        soon = now() + dt.timedelta(seconds=30)
        await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == made["id"]).values(expires_at=soon))
    await database.close()
    form = {"grant_type": "client_credentials", "client_id": made["id"], "client_secret": made["key"]}
    assert (await stranger.post("/v1/tokens", data=form)).json()["expires_in"] <= 30


async def test_whatever_was_made_with_a_key_goes_with_it(api, admin):
    parent = await key_of(admin, *MANAGER, "assessments:write", "assessments:read", "patients:read")
    async with holding(api, parent) as system:
        child = await key_of(system, "admin", "models:read")
        async with holding(api, child) as second:
            grandchild = await key_of(second, "models:read")
            # Renewing itself does not cut it loose from its maker, and it cannot renew its maker.
            assert (await second.post(f"/v1/keys/{parent['id']}/rotate")).status_code == 403
            child = (await second.post(f"/v1/keys/{child['id']}/rotate", json={"overlap_hours": 0})).json()
        body = {"email": "tree@home.example", "role": "patient", "patient_number": "MRN-TREE"}
        token = (await system.post("/v1/invitations", json=body)).json()["token"]
    assert [await works(api, made) for made in (parent, child, grandchild)] == [True] * 3
    assert (await admin.delete(f"/v1/keys/{parent['id']}")).status_code == 204
    assert [await works(api, made) for made in (parent, child, grandchild)] == [False] * 3
    async with client(api) as stranger:
        accept = {"token": token, "password": PASSWORD}
        assert (await stranger.post("/v1/invitations/accept", json=accept)).status_code == 404
    for made in (parent, child, grandchild):
        [line] = [
            line for line in (await admin.get("/v1/audit", params={"subject": f"key:{made['id']}"})).json()["items"]
            if line["action"] == "key revoked"
        ]  # fmt: skip
        assert line["outcome"] == "done"


async def test_two_keys_that_renew_each_other_do_not_outlive_their_maker(api, admin):
    parent = await key_of(admin, "admin", "models:read")
    async with holding(api, parent) as system:
        one, two = await key_of(system, "admin", "models:read"), await key_of(system, "admin", "models:read")
    async with holding(api, one) as system:
        two = (await system.post(f"/v1/keys/{two['id']}/rotate", json={"overlap_hours": 0})).json()
    async with holding(api, two) as system:
        assert (await system.post(f"/v1/keys/{one['id']}/rotate")).status_code == 403
    await admin.delete(f"/v1/keys/{parent['id']}")
    assert [await works(api, made) for made in (one, two)] == [False, False]


async def test_who_is_disabled_leaves_no_key_behind_but_what_others_took_over(settings, api, admin):
    leaver = await administrator_of(settings, api, "leaver@clinic.example")
    identity = (await leaver.get("/v1/accounts/me")).json()["id"].removeprefix("account:")
    kept, backdoor = await key_of(leaver, "models:read"), await key_of(leaver, *MANAGER)
    async with holding(api, backdoor) as system:
        second_backdoor = await key_of(system, "models:read")
    await leaver.post("/v1/invitations", json={"email": "friend@clinic.example", "role": "administrator"})
    taken_over = (await admin.post(f"/v1/keys/{kept['id']}/rotate", json={"overlap_hours": 24})).json()
    assert await works(api, kept)
    assert (await admin.patch(f"/v1/accounts/{identity}", json={"disabled": True})).status_code == 200
    alive = [await works(api, made) for made in (backdoor, second_backdoor, kept, taken_over)]
    assert alive == [False, False, False, True]
    addresses = {item["email"] for item in (await admin.get("/v1/invitations")).json()["items"]}
    assert "friend@clinic.example" not in addresses
    await leaver.aclose()


async def test_systems_invite_no_staff_and_nobody_who_can_do_more(api, admin):
    everything = await key_of(
        admin, "admin", "audit:read", "patients:write", "patients:read", "assessments:write", "assessments:read",
        "models:read",
    )  # fmt: skip
    async with holding(api, everything) as system:
        for role in ("administrator", "clinician"):
            refused = await system.post("/v1/invitations", json={"email": "evil@example.org", "role": role})
            assert refused.status_code == 403
            assert "token" not in refused.json()
    writer = await key_of(admin, "patients:write")
    body = {"email": "pat@home.example", "role": "patient", "patient_number": "MRN-NOBODY"}
    async with holding(api, writer) as system:
        # Its own account would read what the key may not.
        assert (await system.post("/v1/invitations", json=body)).status_code == 403
    assert (await admin.get("/v1/patients/MRN-NOBODY")).status_code == 404


async def test_a_system_does_not_bring_back_an_account_that_can_do_more(api, admin):
    async with await invited(admin, api, "away@clinic.example", "clinician") as person:
        identity = (await person.get("/v1/accounts/me")).json()["id"].removeprefix("account:")
    await admin.patch(f"/v1/accounts/{identity}", json={"disabled": True})
    async with holding(api, await key_of(admin, "admin")) as system:
        refused = await system.patch(f"/v1/accounts/{identity}", json={"disabled": False})
    assert refused.status_code == 403


async def test_nothing_is_made_beside_a_revocation(settings, api, admin):
    """A child that is asked for at the same moment is either refused or revoked with its parent."""
    for _ in range(5):
        parent = await key_of(admin, "admin", "models:read")
        async with holding(api, parent) as system:
            asked = [system.post("/v1/keys", json={"name": "x", "scopes": ["models:read"]}) for _ in range(4)]
            *made, revoked = await asyncio.gather(*asked, admin.delete(f"/v1/keys/{parent['id']}"))
        assert revoked.status_code == 204
        assert {answer.status_code for answer in made} <= {201, 401}
        assert not any([await works(api, answer.json()) for answer in made if answer.status_code == 201])


async def test_the_operator_hands_on_by_the_same_rule(settings, api, admin):
    made = await create_api_key(settings, "ward", "admin models:read", None)
    async with holding(api, made) as system:
        child = await key_of(system, "models:read")
    renewed = await rotate_api_key(settings, made["id"], 0)
    assert await works(api, renewed)
    await revoke_api_key(settings, made["id"])
    assert [await works(api, item) for item in (renewed, child)] == [False, False]


def test_older_keys_learn_their_maker_from_the_trail_and_forget_it_again(database_url):
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    config.attributes.update(url=database_url, kek=KeyEncryptionKey("s" * 32))
    command.upgrade(config, "0006")
    url = make_url(database_url)
    engine = create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")))
    organisation, moment = "0199f7a07b1c7c3e8f003a5d9b1e2c4d", now().replace(tzinfo=None)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.execute(
            text("INSERT INTO organisations (id, name, created_at) VALUES (:id, 'Clinic', :at)"),
            {"id": organisation, "at": moment},
        )
        for identity in ("aa", "bb"):
            connection.execute(
                text(
                    "INSERT INTO api_keys (id, organisation_id, name, secret_hash, scopes, created_at)"
                    " VALUES (:id, :organisation, 'ward', :hash, :scopes, :at)"
                ),
                {"id": identity, "organisation": organisation, "hash": bytes(32), "scopes": json.dumps([]),
                 "at": moment},
            )  # fmt: skip
        connection.execute(
            text(
                "INSERT INTO audit (id, at, actor, action, subject, outcome, sequence, previous, hash)"
                " VALUES (:id, :at, 'key:bb', 'key made', 'key:aa', 'done', 1, :previous, :hash)"
            ),
            {"id": organisation, "at": moment, "previous": bytes(32), "hash": bytes(32)},
        )
    command.upgrade(config, "0007")
    with engine.connect() as connection:
        parents = dict(tuple(row) for row in connection.execute(text("SELECT id, parent FROM api_keys")))
    assert parents == {"aa": "key:bb", "bb": None}
    command.downgrade(config, "0006")
    with engine.connect() as connection:
        columns = connection.execute(text("SELECT * FROM api_keys")).keys()
    assert "parent" not in columns
    engine.dispose()


async def test_a_stream_ends_with_its_key(settings, api, admin):
    from gateway.platform.database.engine import database_of
    from gateway.platform.database.ids import uuid7
    from gateway.platform.database.tables import ApiKeyRow, BatchCaseRow, BatchRow

    made, batch = await key_of(admin, "assessments:read"), uuid7()
    database = database_of(settings)
    async with database.sessions.begin() as session:  # one that goes on for as long as anybody looks
        owner = (await session.get_one(ApiKeyRow, made["id"])).organisation_id
        session.add(BatchRow(id=batch, organisation_id=owner, created_at=now(), created_by="key:x"))
        await session.flush()
        later = now() + dt.timedelta(days=1)
        session.add(
            BatchCaseRow(
                id=uuid7(), batch_id=batch, position=0, reference_encrypted=b"-", state="waiting", not_before=later
            )
        )
    await database.close()
    async with holding(api, made) as system:
        stream = asyncio.create_task(system.get(f"/v1/batches/{batch}/events"))
        await asyncio.sleep(1)
        assert not stream.done()
        assert (await admin.delete(f"/v1/keys/{made['id']}")).status_code == 204
        async with asyncio.timeout(15):
            answer = await stream
    assert answer.text.count("event: progress") == 1
