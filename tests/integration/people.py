"""Signing in and making credentials, for the tests of access."""

import httpx

from gateway.assessing.administration import create_administrator, create_api_key
from gateway.settings import GatewaySettings

PASSWORD = "orbit-lantern-cedar-42"
NEW_PASSWORD = "velvet-harbour-quill-7"


def client(api: httpx.AsyncClient, **headers: str) -> httpx.AsyncClient:
    """A client of the same gateway with other credentials, or none."""
    return httpx.AsyncClient(transport=api._transport, base_url="http://gateway", headers=headers)


async def tokens_of(stranger: httpx.AsyncClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    answer = await stranger.post("/v1/tokens", data={"username": email, "password": password})
    assert answer.status_code == 200, answer.text
    return answer.json()


def bearer(tokens: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def signed_in(api: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.AsyncClient:
    async with client(api) as stranger:
        return client(api, **bearer(await tokens_of(stranger, email, password)))


async def administrator_of(
    settings: GatewaySettings, api: httpx.AsyncClient, email: str, organisation: str | None = None
) -> httpx.AsyncClient:
    await create_administrator(settings, email, PASSWORD, organisation)
    return await signed_in(api, email)


async def invited(
    admin: httpx.AsyncClient, api: httpx.AsyncClient, email: str, role: str, **more: str
) -> httpx.AsyncClient:
    """Somebody who was invited, accepted and signed in."""
    made = await admin.post("/v1/invitations", json={"email": email, "role": role, **more})
    assert made.status_code == 201, made.text
    async with client(api) as stranger:
        accepted = await stranger.post(
            "/v1/invitations/accept", json={"token": made.json()["token"], "password": PASSWORD}
        )
        assert accepted.status_code == 201, accepted.text
    return await signed_in(api, email)


async def system_of(
    settings: GatewaySettings, api: httpx.AsyncClient, scopes: str, organisation: str | None = None
) -> httpx.AsyncClient:
    made = await create_api_key(settings, "system", scopes, None, organisation)
    return client(api, **{"X-API-Key": made["key"]})


async def registered(settings: GatewaySettings, api: httpx.AsyncClient, email: str) -> httpx.AsyncClient:
    """A patient who registered with the clinic's code and signed in."""
    body = {"email": email, "password": PASSWORD, "registration_code": settings.registration_secret()}
    async with client(api) as stranger:
        made = await stranger.post("/v1/accounts", json=body)
        assert made.status_code == 202, made.text
    return await signed_in(api, email)


async def browser_of(api: httpx.AsyncClient, email: str, **headers: str) -> httpx.AsyncClient:
    """Somebody's browser, signed in by the page, with the token of the forms as its header `X-Form`."""
    browser = client(api, **headers)
    token = (await browser.get("/session")).json()["form_token"]
    form = {"csrf": token, "email": email, "password": PASSWORD}
    assert (await browser.post("/sign-in", data=form)).status_code == 303
    browser.headers["X-Form"] = (await browser.get("/session")).json()["form_token"]
    return browser
