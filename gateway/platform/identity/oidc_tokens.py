"""Tokens that the hospital's provider signs: who signed in (ID token), and who signed out there (logout token).

Every check of OpenID Connect Core 1.0, 3.1.3.7, and Back-Channel Logout 1.0, 2.6. Only signatures with a public key
count: an unsigned token, or one that is signed with a secret or with the public key taken for one, opens nothing.
"""

from typing import Any

from gateway.platform.clock import now
from gateway.platform.identity.oidc_provider import OidcProvider
from shared.problems import NotAuthenticated

# By the family of keys that each is of.
ALGORITHMS = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
SIZES = ("256", "384", "512")
CLOCKS_APART_S = 60
# Older ones were sent before; they come at once.
LOGOUT_TOKEN_S = 600
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LEAST_RSA_BITS, BITS_A_CHARACTER = 2048, 6  # a modulus is written in base64
LONGEST_TOKEN, LONGEST_NAME = 65_536, 255


async def id_token_claims(
    token: str, provider: OidcProvider, client_id: str, nonce: str | None, access_token: str | None
) -> dict[str, Any]:
    """What an ID token says.

    Args:
        nonce: that the sign-in was begun with; null where a session is renewed.
        access_token: that came with it.

    Raises:
        NotAuthenticated: forged, expired, for somebody else, or of another sign-in.
        ServiceUnavailable: the provider's keys cannot be had.
    """
    from authlib.oidc.core.claims import CodeIDToken  # here and below: a start without a provider does not wait for it
    from joserfc.errors import JoseError

    header, claims = await _signed(token, provider)
    if "events" in claims:
        raise _invalid("it is no ID token")
    params = {"client_id": client_id, "nonce": nonce, "access_token": access_token}
    try:
        CodeIDToken(claims, header, _options(provider.issuer, client_id), params).validate(leeway=CLOCKS_APART_S)
    except (JoseError, ValueError, TypeError) as error:
        raise _invalid(str(error)) from error
    if not _is_name(claims["sub"]):
        raise _invalid("its subject cannot be used")
    return claims


async def logout_token_claims(token: str, provider: OidcProvider, client_id: str) -> dict[str, Any]:
    """What a logout token says: whose sessions are over (`sub`), or which one (`sid`).

    Raises:
        NotAuthenticated: forged, too old, for somebody else, or no logout token.
        ServiceUnavailable: the provider's keys cannot be had.
    """
    from joserfc.errors import JoseError
    from joserfc.jwt import JWTClaimsRegistry

    _, claims = await _signed(token, provider)
    options = {**_options(provider.issuer, client_id), "jti": {"essential": True}, "iat": {"essential": True}}
    options.pop("sub")
    try:
        JWTClaimsRegistry(leeway=CLOCKS_APART_S, **options).validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise _invalid(str(error)) from error
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict) or "nonce" in claims:
        raise _invalid("it is no logout token")
    if now().timestamp() - claims["iat"] > LOGOUT_TOKEN_S:
        raise _invalid("it is too old")
    names = [claims[name] for name in ("sub", "sid") if claims.get(name) is not None]
    if not names or not all(map(_is_name, names)):
        raise _invalid("it names neither a person nor a session")
    return claims


async def _signed(token: str, provider: OidcProvider) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token that the provider signed with one of its keys."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jws import extract_compact

    try:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("it is too long")
        header = extract_compact(token.encode()).headers()
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or not (kid is None or isinstance(kid, str)):
            raise ValueError("its header cannot be used")
        kind = ALGORITHMS.get(algorithm[:2]) if algorithm[2:] in SIZES else None
        if kind is None:
            raise ValueError("it is not signed with a public key")
        keys = [key for key in await provider.keys(kid) if key.get("kty") == kind and key.get("use", "sig") == "sig"]
        if len(keys) != 1:
            raise ValueError(f"{len(keys)} keys of the provider could have signed it")
        return dict(header), jwt.decode(token, _public_key(keys[0]), [algorithm]).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _invalid(str(error)) from error


def _public_key(key: dict[str, Any]) -> Any:
    from joserfc.jwk import ECKey, RSAKey

    if key["kty"] == "EC":
        return ECKey.import_key({name: key[name] for name in ("kty", "crv", "x", "y")})
    if len(key["n"]) * BITS_A_CHARACTER < LEAST_RSA_BITS:
        raise ValueError("the provider's key is too short")
    return RSAKey.import_key({name: key[name] for name in ("kty", "n", "e")})


def _is_name(value: object) -> bool:
    """Whether a provider's name for something can be stored and looked for."""
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_NAME and value.isprintable()


def _options(issuer: str, client_id: str) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }


def _invalid(why: str) -> NotAuthenticated:
    return NotAuthenticated(f"The provider's token is not valid: {why[:200]}.")
