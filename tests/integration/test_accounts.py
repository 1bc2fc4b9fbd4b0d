"""Patients register, staff are invited, passwords are guarded, administrators see to it all; on both databases."""

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from gateway.assessing.administration import reset_password
from gateway.platform.clock import now
from gateway.platform.database.engine import database_of
from gateway.platform.database.tables import InvitationRow
from gateway.settings import GatewaySettings
from tests.integration.people import (
    NEW_PASSWORD,
    PASSWORD,
    bearer,
    invited,
    signed_in,
    tokens_of,
)

MADE_UP = "0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    url = None
    if request.param == "postgres":
        url = SecretStr(request.getfixturevalue("new_postgres_database")())
    return GatewaySettings(
        state_dir=folder,
        database_url=url,
        logins_per_minute=1000,
        logins_per_address_per_minute=1000,
        lockout_failures=3,
        _env_file=None,
    )


async def test_a_patient_registers_signs_in_and_is_bound_to_a_patient(settings, stranger):
    body = {"email": "Pat@Home.example", "password": PASSWORD, "registration_code": settings.registration_secret()}
    made = await stranger.post("/v1/accounts", json=body)
    assert made.status_code == 202, made.text
    assert made.json() == {"email": "pat@home.example"}
    tokens = await tokens_of(stranger, "pat@home.example")
    own = (await stranger.get("/v1/accounts/me", headers=bearer(tokens))).json()
    assert own["role"] == "patient"
    assert own["patient_id"]
    assert set(own["scopes"]) == set(tokens["scope"].split())
    assert "admin" not in own["scopes"]


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("no address", PASSWORD), ("", PASSWORD), ("@", PASSWORD), ("a b@c", PASSWORD), ("a\x00@c", PASSWORD),
        ("a\nb@c", PASSWORD), ("x" * 250 + "@clinic.example", PASSWORD), ("weak@home.example", "short"),
        ("weak@home.example", "password12345"), ("weak@home.example", "x" * 1001), ("weak@home.example", ""),
    ],
)  # fmt: skip
async def test_bad_registrations_name_the_field(settings, stranger, email, password):
    body = {"email": email, "password": password, "registration_code": settings.registration_secret()}
    answer = await stranger.post("/v1/accounts", json=body)
    assert answer.status_code == 422
    assert ("email" if password == PASSWORD else "password") in answer.json()["detail"]


async def test_a_site_can_switch_registration_off(settings, stranger, monkeypatch):
    monkeypatch.setattr(settings, "registration", False)
    answer = await stranger.post(
        "/v1/accounts", json={"email": "late@home.example", "password": PASSWORD, "registration_code": "any"}
    )
    assert answer.status_code == 403
    assert "invitation" in answer.json()["detail"]


async def test_staff_are_invited_once(admin, api, stranger):
    body = {"email": "cli@clinic.example", "role": "clinician"}
    made = (await admin.post("/v1/invitations", json=body)).json()
    listed = (await admin.get("/v1/invitations")).json()["items"]
    assert [item["id"] for item in listed] == [made["id"]]
    assert "token" not in listed[0]
    weak = await stranger.post("/v1/invitations/accept", json={"token": made["token"], "password": "short"})
    assert weak.status_code == 422
    accept = {"token": made["token"], "password": PASSWORD}
    accepted = await stranger.post("/v1/invitations/accept", json=accept)
    assert accepted.status_code == 201, accepted.text
    assert accepted.json()["role"] == "clinician"
    assert (await stranger.post("/v1/invitations/accept", json=accept)).status_code == 404
    assert (await admin.get("/v1/invitations")).json()["items"] == []
    assert (await admin.post("/v1/invitations", json=body)).status_code == 409
    async with await signed_in(api, "cli@clinic.example") as clinician:
        assert (await clinician.get("/v1/accounts/me")).json()["patient_id"] is None
        # Clinicians invite patients, never staff.
        assert (await clinician.post("/v1/invitations", json={**body, "email": "d@c.example"})).status_code == 403


async def test_a_patient_is_invited_to_the_row_the_hospital_has(admin, api):
    body = {"email": "mrn@home.example", "role": "patient", "patient_number": "MRN-77"}
    async with await invited(admin, api, **body) as patient:
        own = (await patient.get("/v1/accounts/me")).json()
    again = await admin.post("/v1/invitations", json={**body, "email": "other@home.example"})
    assert own["patient_id"]
    assert again.status_code == 409
    without = await admin.post("/v1/invitations", json={"email": "o@home.example", "role": "patient"})
    assert without.json()["field"] == "patient_number"


async def test_invitations_end(settings, admin, stranger):
    body = {"email": "late@clinic.example", "role": "clinician"}
    made = (await admin.post("/v1/invitations", json=body)).json()
    assert (await admin.delete(f"/v1/invitations/{made['id']}")).status_code == 204
    assert (await admin.delete(f"/v1/invitations/{made['id']}")).status_code == 404
    accept = {"token": made["token"], "password": PASSWORD}
    assert (await stranger.post("/v1/invitations/accept", json=accept)).status_code == 404
    late = (await admin.post("/v1/invitations", json=body)).json()
    database = database_of(settings)
    async with database.sessions.begin() as session:
        await session.execute(update(InvitationRow).values(expires_at=now()))
    await database.close()
    accept = {"token": late["token"], "password": PASSWORD}
    assert (await stranger.post("/v1/invitations/accept", json=accept)).status_code == 404


async def test_a_new_password_ends_every_sign_in(admin, api, stranger):
    await (await invited(admin, api, "new@clinic.example", "clinician")).aclose()
    first = await tokens_of(stranger, "new@clinic.example")
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

    async def put(**changed):
        return await stranger.put("/v1/accounts/me/password", json={**change, **changed}, headers=bearer(first))

    assert (await put(current_password="something else")).status_code == 401
    assert (await put(new_password="password1234")).status_code == 422
    assert (await put()).status_code == 204
    assert (await stranger.get("/v1/models", headers=bearer(first))).status_code == 401
    refresh = {"refresh_token": first["refresh_token"]}
    assert (await stranger.post("/v1/tokens/refresh", data=refresh)).status_code == 401
    await tokens_of(stranger, "new@clinic.example", NEW_PASSWORD)


async def test_a_system_has_no_password(api):
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await api.put("/v1/accounts/me/password", json=change)).status_code == 403


async def test_signing_out_ends_the_access_token_too(admin, api, stranger):
    await (await invited(admin, api, "out@clinic.example", "clinician")).aclose()
    only, other = await tokens_of(stranger, "out@clinic.example"), await tokens_of(stranger, "out@clinic.example")
    assert (await stranger.post("/v1/tokens/revoke", data={"token": only["refresh_token"]})).status_code == 204
    assert (await stranger.get("/v1/models", headers=bearer(only))).status_code == 401
    assert (await stranger.get("/v1/models", headers=bearer(other))).status_code == 200


async def test_a_disabled_account_is_out_at_once(admin, api, stranger):
    async with await invited(admin, api, "gone@clinic.example", "clinician") as clinician:
        [found] = [
            account for account in (await admin.get("/v1/accounts?limit=100")).json()["items"]
            if account["email"] == "gone@clinic.example"
        ]  # fmt: skip
        address = f"/v1/accounts/{found['id']}"
        assert (await admin.patch(address, json={"disabled": True})).json()["disabled_at"]
        assert (await clinician.get("/v1/models")).status_code == 401
    refused = await stranger.post("/v1/tokens", data={"username": "gone@clinic.example", "password": PASSWORD})
    assert refused.status_code == 401
    assert (await admin.patch(address, json={"disabled": False})).json()["disabled_at"] is None
    await tokens_of(stranger, "gone@clinic.example")
    own = (await admin.get("/v1/accounts/me")).json()["id"].removeprefix("account:")
    assert (await admin.patch(f"/v1/accounts/{own}", json={"disabled": True})).status_code == 409
    assert (await admin.patch(f"/v1/accounts/{MADE_UP}", json={"disabled": True})).status_code == 404


async def test_accounts_come_in_pages(admin, api):
    whole = (await admin.get("/v1/accounts?limit=100")).json()["items"]
    seen, before = [], None
    while True:
        page = (await admin.get("/v1/accounts", params={"limit": 2, **({"before": before} if before else {})})).json()
        seen += page["items"]
        if (before := page["next"]) is None:
            break
    assert seen == whole
    assert len(whole) > 2


async def test_the_operator_helps_who_forgot(settings, admin, api, stranger):
    await (await invited(admin, api, "forgot@clinic.example", "clinician")).aclose()
    made = await reset_password(settings, "Forgot@clinic.example")
    await tokens_of(stranger, "forgot@clinic.example", made["password"])


async def test_two_who_accept_at_once_make_one_account(admin, api, stranger):
    import asyncio

    made = (await admin.post("/v1/invitations", json={"email": "race@clinic.example", "role": "clinician"})).json()
    accept = {"token": made["token"], "password": PASSWORD}
    answers = await asyncio.gather(*(stranger.post("/v1/invitations/accept", json=accept) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) in ([201, 404, 404], [201, 404, 409], [201, 409, 409])
