"""Signed tokens by which another system says who it is: client assertions of SMART Backend Services (RFC 7523), and
the tokens of CDS clients.

What a token says is believed after its signature alone. Only signatures with a public key that is registered here for
its issuer count: no unsigned token, none that is signed with a secret or with the public key taken for one, and no key
that the token itself brings or names (`jwk`, `x5c`, `x5u`; `jku` only where it is the registered address, and even
then that address is asked because it is registered).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from gateway.platform.clock import now
from gateway.platform.identity.public_keys import ALGORITHMS, KeySet, signing_key
from shared.problems import NotAuthenticated

LONGEST_TOKEN, LONGEST_NAME = 16_384, 500
LONGEST_LIFE_S = 300
# How far clocks may be apart, for what lies in the past or the future. How long a token may live is not stretched.
CLOCKS_APART_S = 30


@dataclass(frozen=True)
class Assertion:
    """A token whose signature nobody has looked at yet: its issuer is a claim, by which the keys are found."""

    token: str
    algorithm: str
    kid: str
    jku: str | None
    issuer: str


def read_assertion(token: str) -> Assertion:
    """What a token says of itself.

    Raises:
        NotAuthenticated: it is no signed token, or not signed in a way that counts.
    """
    from joserfc.errors import JoseError
    from joserfc.jws import extract_compact

    try:
        if len(token) > LONGEST_TOKEN:
            raise ValueError(f"it has more than {LONGEST_TOKEN} characters")
        parts = extract_compact(token.encode())
        header, claims = parts.headers(), json.loads(parts.payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _invalid(str(error) or "it is no JWT") from error
    algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _invalid(f"its `alg` is not one of {', '.join(ALGORITHMS)}")
    if str(header.get("typ", "")).upper() != "JWT" or "b64" in header:
        raise _invalid("its header `typ` is not JWT")
    if not _is_name(kid):
        raise _invalid("its header has no `kid`")
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not _is_name(issuer):
        raise _invalid("its `iss` is missing")
    return Assertion(token, algorithm, kid, jku if isinstance(jku, str) else None, issuer)


def require_registered_address(assertion: Assertion, registered: KeySet) -> None:
    """See that a `jku`, where there is one, is the address that was registered. It is compared and never asked.

    Raises:
        NotAuthenticated: it is another one.
    """
    if assertion.jku is not None and assertion.jku != registered.jwks_url:
        raise _invalid("its header `jku` is not the address that is registered for this system")


def verified_claims(
    assertion: Assertion, keys: Sequence[Any], *audiences: str, subject: str | None = None, dated: bool = False
) -> dict[str, Any]:
    """What a token says, once it is known to be its issuer's and for us: signature, names, audience, times.

    Args:
        keys: registered for its issuer.
        audiences: the addresses, of which it has to be for one, exactly.
        subject: whom it has to be about; null where that is nobody's concern.
        dated: whether it has to say when it was made (`iat`), and that within the last five minutes.

    Raises:
        NotAuthenticated: with the first thing that is wrong.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jws import JWSRegistry

    try:
        key = signing_key(keys, assertion.kid, assertion.algorithm)
        registry = JWSRegistry(algorithms=[assertion.algorithm], strict_check_header=False)
        claims = jwt.decode(assertion.token, key, registry=registry).claims
    except (JoseError, ValueError, TypeError) as error:
        raise _invalid(str(error)) from error
    if claims.get("iss") != assertion.issuer or (subject is not None and claims.get("sub") != subject):
        raise _invalid("`iss` and `sub` are not the client_id")
    if claims.get("aud") not in (*audiences, *([audience] for audience in audiences)):
        raise _invalid(f"its `aud` is not {' or '.join(audiences)}")
    _require_times(claims, dated)
    if not _is_name(claims.get("jti")):
        raise _invalid("its `jti` is missing, or longer than 500 characters")
    return claims


def _require_times(claims: dict[str, Any], dated: bool) -> None:
    moment = now().timestamp()
    exp, nbf, iat = (claims.get(name) for name in ("exp", "nbf", "iat"))
    if not _is_time(exp) or exp <= moment - CLOCKS_APART_S:
        raise _invalid("its `exp` is missing or over")
    if exp > moment + LONGEST_LIFE_S:
        raise _invalid(f"its `exp` is more than {LONGEST_LIFE_S} s away")
    for name, value in (("nbf", nbf), ("iat", iat)):
        if value is not None and (not _is_time(value) or value > moment + CLOCKS_APART_S):
            raise _invalid(f"its `{name}` lies in the future")
    if dated and (not _is_time(iat) or iat < moment - LONGEST_LIFE_S - CLOCKS_APART_S):
        raise _invalid(f"its `iat` is missing, or more than {LONGEST_LIFE_S} s ago")


def _is_time(value: Any) -> TypeGuard[float]:
    """Whether it is a NumericDate (RFC 7519) that a clock could show."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_NAME and value.isprintable()


def _invalid(why: str) -> NotAuthenticated:
    return NotAuthenticated(f"The signed token is not valid: {why[:200]}.")
