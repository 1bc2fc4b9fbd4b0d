"""Limits: how much one account may ask for, counted for all gateways on one database, and what registering gives."""

import asyncio
import re

import pytest
from limits import RateLimitItemPerMinute
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from gateway.assessing.administration import prepare
from gateway.platform.database.engine import Database, database_of
from gateway.platform.database.tables import RateCountRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.rate_limits import DatabaseStorage, RateLimits
from gateway.settings import GatewaySettings
from tests.integration.people import PASSWORD, bearer, client, invited, registered, tokens_of

CASE = {"clinical": (None, '{"age": 67, "gender": "female"}')}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("starves"), database_url=url, logins_per_minute=1000,
        logins_per_address_per_minute=1000, patient_assessments_per_hour=3, patient_requests_per_minute=30,
        _env_file=None,
    )  # fmt: skip


async def test_a_patients_account_has_so_many_assessments_and_no_more(settings, api, stranger):
    async with await registered(settings, api, "many@home.example") as patient:
        answers = [await patient.post("/v1/assessments", files=CASE) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
        assert answers[-1].json()["type"] == "urn:trabecula:problem:too-many-requests"
        assert 0 < int(answers[-1].headers["retry-after"]) <= 3600
        # Refused before any of an upload is read, and nobody else is.
        assert (await patient.post("/v1/assessments", content=b"x" * 1_000_000)).status_code == 429
    assert (await api.post("/v1/assessments", files=CASE)).status_code == 201


async def test_a_patients_account_asks_so_often_and_no_more(settings, api):
    async with await registered(settings, api, "often@home.example") as patient:
        statuses = [(await patient.get("/v1/assessments?limit=100")).status_code for _ in range(35)]
    assert statuses[:29] == [200] * 29
    assert statuses[-1] == 429
    assert (await api.get("/v1/assessments")).status_code == 200


async def test_gateways_on_one_database_count_together(database_url, tmp_path):
    settings = GatewaySettings(state_dir=tmp_path, database_url=SecretStr(database_url), _env_file=None)
    prepare(settings)
    databases = [database_of(settings) for _ in range(2)]
    gateways, limit = (
        [RateLimits(DatabaseStorage(database.sessions)) for database in databases],
        RateLimitItemPerMinute(10),
    )
    asked = [gateways[number % 2].wait_s(limit, "sign-in", "ada@clinic.example") for number in range(16)]
    waits = await asyncio.gather(*asked)
    assert sum(wait is None for wait in waits) == 10
    assert all(0 < wait <= 60 for wait in waits if wait is not None)
    assert await gateways[0].wait_s(limit, "sign-in", "bob@clinic.example") is None
    async with databases[0].sessions() as session:
        rows = (await session.scalars(select(RateCountRow))).all()
    assert all(len(row.key) == 32 for row in rows)  # a hash: no address is to be read there
    await gateways[1].forget(limit, "sign-in", "ada@clinic.example")
    assert await gateways[0].wait_s(limit, "sign-in", "ada@clinic.example") is None
    for database in databases:
        await database.close()


def test_a_server_is_shared_and_a_file_is_not(database_url):
    assert Database(database_url, KeyEncryptionKey("s" * 32)).is_shared is database_url.startswith("postgresql")


async def test_registering_needs_the_code_and_tells_nobody_who_has_an_account(settings, admin, api, stranger):
    code = settings.registration_secret()
    assert re.fullmatch(r"(\w{4}-){2}\w{4}", code)
    body = {"email": "new@home.example", "password": PASSWORD}
    for wrong in ("", "AAAA-AAAA-AAAA", code[:-1], "\u0000" * 14):
        refused = await stranger.post("/v1/accounts", json={**body, "registration_code": wrong})
        assert refused.status_code == 403, refused.text
        assert code not in refused.text
    assert (await stranger.post("/v1/accounts", json=body)).status_code == 422
    await (await invited(admin, api, "taken@clinic.example", "clinician")).aclose()
    answers = [
        await stranger.post("/v1/accounts", json={**body, "email": email, "registration_code": f" {code.lower()} "})
        for email in ("new@home.example", "taken@clinic.example")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [set(answer.json()) for answer in answers] == [{"email"}, {"email"}]
    # Whoever had the address still has it, with the password that they had, and is still staff.
    own = (
        await stranger.get("/v1/accounts/me", headers=bearer(await tokens_of(stranger, "taken@clinic.example")))
    ).json()
    assert own["role"] == "clinician"


async def test_who_registered_is_bound_to_no_record_of_the_hospitals(settings, api, admin):
    assert (await api.post("/v1/assessments", files={**CASE, "patient_number": (None, "MRN-1")})).status_code == 201
    async with await registered(settings, api, "own@home.example") as patient:
        assert (await patient.get("/v1/assessments")).json()["items"] == []
        assert (await patient.get("/v1/patients/MRN-1")).status_code == 404
        named = await patient.post("/v1/assessments", files={**CASE, "patient_number": (None, "MRN-1")})
        assert named.status_code == 403
        [self] = (await patient.get("/v1/patients")).json()["items"]
    assert self["patient_number"] is None


async def test_administrators_alone_are_shown_the_code(settings, api, admin):
    code = settings.registration_secret()
    async with await invited(admin, api, "nurse@clinic.example", "clinician") as clinician:
        for caller, shown in ((admin, True), (clinician, False)):
            token = caller.headers["Authorization"].removeprefix("Bearer ")
            async with client(api, Accept="text/html") as browser:
                browser.cookies.set("trab_access", token)
                assert (code in (await browser.get("/administration")).text) is shown


@pytest.mark.parametrize(("given", "is_open"), [
    ({}, True), ({"host": "0.0.0.0"}, False), ({"host": "0.0.0.0", "registration": True}, True),  # noqa: S104
    ({"registration": False}, False), ({"services": "urls"}, False),
    ({"services": "urls", "registration": True, "registration_code": "K7QM-3XWD"}, True),
])  # fmt: skip
def test_registration_is_on_where_the_machine_is_ones_own(tmp_path, given, is_open):
    urls = dict.fromkeys(("imaging", "staging", "clinical", "recommender"), "http://x")
    given = {**given, **({"services": urls} if "services" in given else {})}
    assert GatewaySettings(state_dir=tmp_path, _env_file=None, **given).is_registration_open() is is_open


def test_gateways_that_take_registrations_share_a_code(tmp_path):
    urls = dict.fromkeys(("imaging", "staging", "clinical", "recommender"), "http://x")
    with pytest.raises(ValidationError, match="TRABECULA_REGISTRATION_CODE"):
        GatewaySettings(state_dir=tmp_path, registration=True, services=urls, _env_file=None)
