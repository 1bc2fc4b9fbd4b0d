"""The short-lived token by which a service knows that a request comes from its own gateway."""

import time

import jwt

from shared.problems import NotAuthenticated

HEADER = "x-internal-token"
ALGORITHM = "HS256"
LIFETIME_S = 60
# Clocks of two machines differ a little.
LEEWAY_S = 10


def issue(secret: str, audience: str) -> str:
    """A token for a service, good for a minute."""
    now = int(time.time())
    claims = {"iss": "gateway", "aud": audience, "iat": now, "exp": now + LIFETIME_S}
    return jwt.encode(claims, secret, ALGORITHM)


def verify(secret: str, audience: str, token: str | None) -> None:
    """Accept a token that this installation's gateway issued for this service.

    Raises:
        NotAuthenticated: none, a forged one, an old one, or one for another service.
    """
    try:
        jwt.decode(
            token or "",
            secret,
            [ALGORITHM],
            {"require": ["exp", "aud", "iss"]},
            audience=audience,
            issuer="gateway",
            leeway=LEEWAY_S,
        )
    except jwt.InvalidTokenError as error:
        raise NotAuthenticated(f"The {audience} service answers its own gateway only.") from error
