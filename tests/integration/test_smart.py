"""SMART Backend Services: systems that sign with keys of their own get tokens, and nobody else does."""

import asyncio
import time

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr

from gateway.assessing.administration import create_api_key, revoke_api_key
from gateway.platform.identity import published_keys
from gateway.platform.identity.public_keys import MOST_KEYS, checked_key_set
from gateway.platform.identity.smart_scopes import SMART_SCOPES
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput
from tests.conftest import open_gateway, shared_services
from tests.integration.people import bearer, client, system_of
from tests.integration.signing import EC, RSA, claims, key_server, public, signed

ROOT = "https://trabecula.hospital.example"
TOKENS = f"{ROOT}/v1/tokens"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = "assessments:read assessments:write"
READ = "system/DiagnosticReport.rs"
FOREIGN = RSAKey.generate_key(2048, {"kid": "rsa"})
PEM = RSA.as_pem(private=False)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request, tmp_path_factory):
    url = SecretStr(request.getfixturevalue("new_postgres_database")()) if request.param == "postgres" else None
    return GatewaySettings(
        state_dir=tmp_path_factory.mktemp("smart"),
        database_url=url,
        public_url=ROOT,
        logins_per_minute=10_000,
        logins_per_address_per_minute=10_000,
        lockout_failures=10_000,
        allowed_private_networks=("127.0.0.0/8",),
        _env_file=None,
    )


@pytest.fixture
def keys_at():
    with key_server() as server:
        yield server


async def registered(settings, jwks=None, jwks_url=None, scopes=SCOPES):
    """A system that signs; its client_id."""
    jwks = public(RSA, EC) if jwks is None and jwks_url is None else jwks
    made = await create_api_key(settings, "ehr", scopes, None, None, checked_key_set(jwks, jwks_url))
    assert made["key"] is None
    return made["id"]


async def asked(stranger, assertion, scope=READ, **more):
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": scope,
        **more,
    }
    return await stranger.post("/v1/tokens", data={name: value for name, value in form.items() if value is not None})


def refused(answer, error="invalid_client", status=401):
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()["error_description"]


async def test_the_configuration_says_how_and_needs_no_credential(stranger):
    answer = await stranger.get("/fhir/.well-known/smart-configuration")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["token_endpoint"] == TOKENS
    assert found["issuer"] == f"{ROOT}/fhir"
    assert found["grant_types_supported"] == ["client_credentials"]
    assert found["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]
    assert {"client-confidential-asymmetric", "permission-v2"} <= set(found["capabilities"])
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert set(found["scopes_supported"]) == set(SMART_SCOPES)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS384"), (EC, "ES384")])
async def test_a_signed_assertion_gets_a_token_of_300_s_that_reads(settings, stranger, key, algorithm):
    system = await registered(settings)
    answer = await asked(stranger, signed(claims(system, TOKENS), key, algorithm))
    assert answer.status_code == 200, answer.text
    token = answer.json()
    assert (token["token_type"], token["scope"]) == ("bearer", READ)
    assert 290 <= token["expires_in"] <= 300
    assert "refresh_token" not in token
    assert (await stranger.get("/fhir/DiagnosticReport", headers=bearer(token))).status_code == 200
    # It was asked for reading alone.
    assert (await stranger.post("/fhir/$map", json={}, headers=bearer(token))).status_code == 403


async def test_what_smart_calls_creating_lets_a_system_assess(settings, stranger):
    system = await registered(settings)
    scope = "system/Observation.c system/Observation.rs"
    token = (await asked(stranger, signed(claims(system, TOKENS), RSA), scope, client_id=system)).json()
    assert token["scope"] == "system/Observation.c system/Observation.rs"
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1959-03-02"}}],
    }
    assert (await stranger.post("/fhir/$assess", json=bundle, headers=bearer(token))).status_code == 201


async def test_the_audience_is_no_name_that_a_request_brings_along(tmp_path):
    """Somebody who was sent a token for another server cannot use it here by naming that server in Host."""
    settings = GatewaySettings(state_dir=tmp_path, _env_file=None)
    async with open_gateway(settings, shared_services()) as api, client(api) as stranger:
        system = await registered(settings)
        for_evil = signed(claims(system, "https://evil.example/v1/tokens"), RSA)
        answer = await asked(stranger, for_evil)
        refused(answer, "temporarily_unavailable", 503)
        elsewhere = httpx.AsyncClient(transport=api._transport, base_url="https://evil.example")
        assert "TRABECULA_PUBLIC_URL" in refused(await asked(elsewhere, for_evil), "temporarily_unavailable", 503)
        here = httpx.AsyncClient(transport=api._transport, base_url="http://127.0.0.1:8080")
        good = signed(claims(system, "http://127.0.0.1:8080/v1/tokens"), RSA)
        assert (await asked(here, good)).status_code == 200


NOW = int(time.time())
WRONG = {
    "unsigned": lambda c: signed(c, b"", "none", kid="rsa"),
    "a secret": lambda c: signed(c, b"a secret of 32 characters, or more", "HS256", kid="rsa"),
    "the public key taken for a secret": lambda c: signed(c, PEM, "HS256", kid="rsa"),
    "the public key taken for a longer secret": lambda c: signed(c, PEM, "HS384", kid="rsa"),
    "a shorter hash": lambda c: signed(c, RSA, "RS256"),
    "a key of somebody else under the same kid": lambda c: signed(c, FOREIGN),
    "the family of the other key": lambda c: signed(c, RSA, kid="ec"),
    "no kid": lambda c: signed(c, RSA, kid=None),
    "a kid that nobody has": lambda c: signed(c, RSA, kid="other"),
    "a kid that is no text": lambda c: signed(c, RSA, kid=7),
    "another type": lambda c: signed(c, RSA, typ="at+jwt"),
    "no type": lambda c: signed(c, RSA, typ=None),
    "a header that has to be understood": lambda c: signed(c, RSA, crit=["b64"], b64=False),
    "an unknown header that has to be understood": lambda c: signed(c, RSA, crit=["exp"], exp=1),
    "another audience": lambda c: signed({**c, "aud": f"{ROOT}/fhir"}, RSA),
    "several audiences": lambda c: signed({**c, "aud": [TOKENS, "https://other.example"]}, RSA),
    "no audience": lambda c: signed({**c, "aud": None}, RSA),
    "another subject": lambda c: signed({**c, "sub": "somebody"}, RSA),
    "no subject": lambda c: signed({k: v for k, v in c.items() if k != "sub"}, RSA),
    "an issuer that nobody knows": lambda c: signed({**c, "iss": "0" * 16, "sub": "0" * 16}, RSA),
    "no issuer": lambda c: signed({k: v for k, v in c.items() if k != "iss"}, RSA),
    "an issuer with a NUL": lambda c: signed({**c, "iss": "a\x00b"}, RSA),
    "over": lambda c: signed({**c, "exp": NOW - 600}, RSA),
    "too long a life": lambda c: signed({**c, "exp": int(time.time()) + 310}, RSA),
    "an end that is no number": lambda c: signed({**c, "exp": "tomorrow"}, RSA),
    "an end beyond numbers": lambda c: signed({**c, "exp": 1e400}, RSA),
    "no end": lambda c: signed({k: v for k, v in c.items() if k != "exp"}, RSA),
    "not yet": lambda c: signed({**c, "nbf": int(time.time()) + 120}, RSA),
    "made in the future": lambda c: signed({**c, "iat": int(time.time()) + 120}, RSA),
    "no jti": lambda c: signed({k: v for k, v in c.items() if k != "jti"}, RSA),
    "an empty jti": lambda c: signed({**c, "jti": ""}, RSA),
    "too long a jti": lambda c: signed({**c, "jti": "x" * 501}, RSA),
    "too long": lambda c: signed({**c, "more": "x" * 16_384}, RSA),
    "no token at all": lambda _: "nonsense",
    "three parts of nothing": lambda _: "..",
    "claims that are a list": lambda c: signed([c], RSA),
    "a changed claim": lambda c: _with_other_claims(signed(c, RSA), c),
    "the address of other keys": lambda c: signed(c, FOREIGN, jku="https://evil.example/jwks.json"),
    "the address of other keys beside a good signature": lambda c: signed(c, RSA, jku="https://evil.example/jwks.json"),
    "a key of its own": lambda c: signed(c, FOREIGN, jwk=FOREIGN.as_dict(private=False)),
}


def _with_other_claims(token, of):
    header, _, signature = token.split(".")
    return ".".join([header, signed({**of, "more": 1}, RSA).split(".")[1], signature])


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_assertion_gets_nothing(settings, stranger, name):
    system = await registered(settings)
    refused(await asked(stranger, WRONG[name](claims(system, TOKENS))))
    # And it has used nothing up.
    assert (await asked(stranger, signed(claims(system, TOKENS), RSA))).status_code == 200


async def test_an_assertion_is_good_once(settings, stranger):
    system = await registered(settings)
    assertion = signed(claims(system, TOKENS), RSA)
    assert (await asked(stranger, assertion)).status_code == 200
    assert "used before" in refused(await asked(stranger, assertion))
    # Signed again under the same id it is the same.
    jti = claims(system, TOKENS)["jti"]
    assert (await asked(stranger, signed(claims(system, TOKENS, jti=jti), RSA))).status_code == 200
    refused(await asked(stranger, signed(claims(system, TOKENS, jti=jti), EC, "ES384")))
    # Another system may have the same id.
    other = await registered(settings)
    assert (await asked(stranger, signed(claims(other, TOKENS, jti=jti), RSA))).status_code == 200


async def test_of_many_at_once_one_is_let_in_at_two_gateways(settings, api):
    system = await registered(settings)
    async with open_gateway(settings, shared_services()) as second, client(api) as here, client(second) as there:
        for _ in range(3):
            assertion = signed(claims(system, TOKENS), RSA)
            answers = await asyncio.gather(*(asked(one, assertion) for one in (here, there) * 6))
            assert sorted(answer.status_code for answer in answers) == [200] + [401] * 11


async def test_an_unknown_scope_or_more_than_the_key_has_is_invalid_scope(settings, stranger):
    system = await registered(settings, scopes="assessments:read")
    for scope in ("system/*.rs", "system/Patient.rs", "user/Observation.rs", "system/Observation.cruds", "root", ""):
        refused(await asked(stranger, signed(claims(system, TOKENS), RSA), scope), "invalid_scope", 400)
    for scope in ("system/Observation.c", "admin", f"{READ} admin"):
        refused(await asked(stranger, signed(claims(system, TOKENS), RSA), scope), "invalid_scope", 400)
    assert (await asked(stranger, signed(claims(system, TOKENS), RSA), "assessments:read")).status_code == 200


async def test_what_is_wrong_with_the_form_has_its_name_in_rfc_6749(settings, stranger):
    system = await registered(settings)

    def good():
        return signed(claims(system, TOKENS), RSA)

    for more, error in (
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "saml"}, "invalid_request"),
        ({"client_assertion_type": None}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_request"),
        ({"client_id": "0" * 16}, "invalid_request"),
        ({"scope": "x" * 2001}, "invalid_request"),
    ):
        form = {"assertion": good(), **more}
        assertion = form.pop("client_assertion", form.pop("assertion"))
        form.pop("assertion", None)
        refused(await asked(stranger, assertion, **form), error, 400)
    by_two = await stranger.post(
        "/v1/tokens",
        data={"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": good()},
        auth=(system, "secret"),
    )
    refused(by_two, "invalid_request", 400)
    # Without an assertion everything is as it was.
    assert (await stranger.post("/v1/tokens", data={"grant_type": "nonsense"})).status_code == 422
    assert (await asked(stranger, "x" * 40_000)).status_code == 413


async def test_a_revoked_system_is_out_and_so_are_its_tokens(settings, stranger):
    system = await registered(settings)
    token = (await asked(stranger, signed(claims(system, TOKENS), RSA))).json()
    await revoke_api_key(settings, system)
    refused(await asked(stranger, signed(claims(system, TOKENS), RSA)))
    assert (await stranger.get("/fhir/DiagnosticReport", headers=bearer(token))).status_code == 401


async def test_published_keys_are_kept_and_asked_for_anew_for_an_unknown_kid_once(
    settings, stranger, keys_at, monkeypatch
):
    system = await registered(settings, jwks_url=keys_at.url)
    keys_at.document = public(RSA)
    for _ in range(3):
        assert (await asked(stranger, signed(claims(system, TOKENS), RSA, jku=keys_at.url))).status_code == 200
    assert keys_at.asked == 1
    # A new key is published; within the minute nobody makes the gateway ask again.
    keys_at.document = public(EC)
    for _ in range(3):
        refused(await asked(stranger, signed(claims(system, TOKENS), EC, "ES384")))
    assert keys_at.asked == 1
    monkeypatch.setattr(published_keys, "PAUSE_S", -1)
    assert (await asked(stranger, signed(claims(system, TOKENS), EC, "ES384"))).status_code == 200
    assert keys_at.asked == 2
    # The key that was taken back opens nothing any more.
    monkeypatch.setattr(published_keys, "PAUSE_S", 60)
    refused(await asked(stranger, signed(claims(system, TOKENS), RSA)))


@pytest.mark.parametrize(
    ("document", "status", "error"),
    [
        ({"keys": [RSA.as_dict(private=False), FOREIGN.as_dict(private=False)]}, 200, "invalid_client"),
        ({"keys": [RSA.as_dict(private=True)]}, 200, "invalid_client"),
        ({"keys": [{**RSA.as_dict(private=False), "use": "enc"}]}, 200, "invalid_client"),
        ({"keys": [{**RSA.as_dict(private=False), "alg": "RS256"}]}, 200, "invalid_client"),
        ({"keys": [{"kty": "oct", "kid": "rsa", "k": "c2VjcmV0"}]}, 200, "invalid_client"),
        ({"keys": [{"kty": "RSA", "kid": "rsa", "n": 7, "e": "AQAB"}]}, 200, "invalid_client"),
        ({"keys": [None, "x", 7]}, 200, "invalid_client"),
        ({"keys": [RSA.as_dict(private=False)] * (MOST_KEYS + 1)}, 200, "temporarily_unavailable"),
        ({"keys": [{"kid": "x" * 300_000}]}, 200, "temporarily_unavailable"),
        ({"keys": {}}, 200, "temporarily_unavailable"),
        ({}, 404, "temporarily_unavailable"),
    ],
)
async def test_a_key_set_that_cannot_be_used_opens_nothing(settings, stranger, keys_at, document, status, error):
    system = await registered(settings, jwks_url=keys_at.url)
    keys_at.document, keys_at.status = document, status
    answer = await asked(stranger, signed(claims(system, TOKENS), RSA))
    refused(answer, error, 401 if error == "invalid_client" else 503)


async def test_keys_at_a_private_address_are_asked_for_only_where_the_site_allows_it(tmp_path, keys_at):
    settings = GatewaySettings(state_dir=tmp_path, public_url=ROOT, _env_file=None)
    async with open_gateway(settings, shared_services()) as api, client(api) as stranger:
        for url in (keys_at.url, keys_at.url.replace("127.0.0.1", "localhost"), "https://10.0.0.1/jwks.json"):
            system = await registered(settings, jwks_url=url)
            detail = refused(await asked(stranger, signed(claims(system, TOKENS), RSA)), "temporarily_unavailable", 503)
            assert "private address" in detail
    assert keys_at.asked == 0


SHORT = {"kty": "RSA", "kid": "short", "n": "x" * 170, "e": "AQAB"}
CURVE = ECKey.generate_key("P-256", {"kid": "curve"})


@pytest.mark.parametrize(
    ("jwks", "words"),
    [
        ({}, "JWK Set"), ({"keys": []}, "1 to 20"), ([], "JWK Set"), ({"keys": [7]}, "kty"),
        (public(*[RSA] * 21), "1 to 20"), ({"keys": [RSA.as_dict(private=True)]}, "private part"),
        (public(RSA, FOREIGN), "same kid"), ({"keys": [SHORT]}, "2048"), (public(CURVE), "P-384"),
        ({"keys": [{**RSA.as_dict(private=False), "kid": ""}]}, "kid"),
        ({"keys": [{**RSA.as_dict(private=False), "use": "enc"}]}, "signatures"),
        ({"keys": [{**EC.as_dict(private=False), "alg": "ES256"}]}, "ES384"),
        ({"keys": [{**EC.as_dict(private=False), "x": "AAAA"}]}, "none"),
        ({"keys": [{"kty": "oct", "kid": "s", "k": "c2VjcmV0"}]}, "RSA or EC"),
    ],
)  # fmt: skip
async def test_keys_that_cannot_be_used_are_refused_by_name(admin, jwks, words):
    made = (await admin.post("/v1/keys", json={"name": "ehr", "scopes": ["assessments:read"]})).json()
    answer = await admin.put(f"/v1/keys/{made['id']}/jwks", json={"jwks": jwks})
    assert answer.status_code == 422, answer.text
    if isinstance(jwks, dict):
        assert answer.json()["field"] == "jwks"
        assert words in answer.json()["detail"]
    with pytest.raises(InvalidInput):
        checked_key_set(jwks, None)


@pytest.mark.parametrize("url", ["http://keys.example/jwks", "ftp://x", "https://u:p@keys.example/", "x", ""])
async def test_an_address_of_keys_has_to_be_encrypted(admin, url):
    made = (await admin.post("/v1/keys", json={"name": "ehr", "scopes": ["assessments:read"]})).json()
    answer = await admin.put(f"/v1/keys/{made['id']}/jwks", json={"jwks_url": url})
    assert (answer.status_code, answer.json()["field"]) == (422, "jwks_url")
    both = {"jwks": public(RSA), "jwks_url": "https://keys.example/jwks"}
    for body in (both, {}):
        assert (await admin.put(f"/v1/keys/{made['id']}/jwks", json=body)).status_code == 422


async def test_an_administrator_gives_a_system_keys_of_its_own_and_its_secret_ends(settings, api, admin, stranger):
    made = (await admin.post("/v1/keys", json={"name": "ehr", "scopes": ["assessments:read"]})).json()
    where, secret = f"/v1/keys/{made['id']}/jwks", {"X-API-Key": made["key"]}
    assert (await admin.get(where)).json() == {"jwks": None, "jwks_url": None}
    assert (await stranger.get("/v1/assessments", headers=secret)).status_code == 200
    assert (await admin.put(where, json={"jwks": public(RSA)})).status_code == 200
    assert (await stranger.get("/v1/assessments", headers=secret)).status_code == 401
    assert (await admin.get(where)).json() == {"jwks": {"keys": public(RSA)["keys"]}, "jwks_url": None}
    assert (await asked(stranger, signed(claims(made["id"], TOKENS), RSA))).status_code == 200
    # Other keys take their place; a new secret is not to be had.
    assert (await admin.put(where, json={"jwks": public(EC)})).status_code == 200
    refused(await asked(stranger, signed(claims(made["id"], TOKENS), RSA)))
    assert (await asked(stranger, signed(claims(made["id"], TOKENS), EC, "ES384"))).status_code == 200
    assert (await admin.post(f"/v1/keys/{made['id']}/rotate")).status_code == 409
    lines = (await admin.get("/v1/audit", params={"subject": f"key:{made['id']}"})).json()["items"]
    assert {"key set stored", "key set read", "key rotated"} <= {line["action"] for line in lines}
    # A system hands on no more than it has.
    async with await system_of(settings, api, "admin") as lesser:
        assert (await lesser.put(where, json={"jwks": public(RSA)})).status_code == 403


async def test_wrong_assertions_are_counted_and_told_of_in_the_trail(tmp_path):
    settings = GatewaySettings(state_dir=tmp_path, public_url=ROOT, logins_per_address_per_minute=5, _env_file=None)
    async with open_gateway(settings, shared_services()) as api, client(api) as stranger:
        system = await registered(settings)
        answers = [await asked(stranger, signed(claims(system, TOKENS), FOREIGN)) for _ in range(7)]
        assert {answer.status_code for answer in answers} == {401, 429}
        assert answers[-1].json()["error"] == "temporarily_unavailable"
        assert int(answers[-1].headers["Retry-After"]) >= 1
