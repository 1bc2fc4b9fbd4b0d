"""Access tokens: signed, good for some minutes, naming nobody but by id."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import jwt

from gateway.platform.clock import now
from gateway.platform.identity.scopes import account_actor, key_actor
from shared.problems import NotAuthenticated

ALGORITHM = "HS256"
AUDIENCE = ISSUER = "trabecula"
INVALID_TOKEN = "The access token is not valid or has expired: sign in or refresh it."  # noqa: S105 -- words


@dataclass(frozen=True)
class Person:
    """What a person's token says: the account, and the sign-in that it came of."""

    account_id: UUID
    sign_in: UUID


@dataclass(frozen=True)
class ApiClient:
    """What a hospital system's token says: the key, and what it may do at most."""

    key_id: str
    scopes: frozenset[str]


class AccessTokens:
    """Issues and verifies access tokens (RFC 7519).

    Args:
        key: signs the tokens.
        lifetime: how long a token is good for.
    """

    def __init__(self, key: str, lifetime: dt.timedelta) -> None:
        self._key, self.lifetime = key, lifetime

    def for_person(self, person: Person) -> str:
        """A token for one account, which ends with its sign-in."""
        claims = {"sub": account_actor(person.account_id), "sid": str(person.sign_in)}
        return self._issue(claims, now() + self.lifetime)

    def for_client(self, system: ApiClient, end: dt.datetime) -> str:
        """A token for one hospital system until a time that is no later than its key's end."""
        return self._issue({"sub": key_actor(system.key_id), "scope": " ".join(sorted(system.scopes))}, end)

    def verified(self, token: str) -> Person | ApiClient:
        """What a token says.

        Raises:
            NotAuthenticated: forged, expired, for somebody else or malformed.
        """
        try:
            claims = jwt.decode(
                token,
                self._key,
                [ALGORITHM],
                {"require": ["exp", "sub", "aud", "iss"]},
                audience=AUDIENCE,
                issuer=ISSUER,
            )
            kind, _, identity = claims["sub"].partition(":")
            if kind == "account":
                return Person(UUID(identity), UUID(claims["sid"]))
            if kind == "key":
                return ApiClient(identity, frozenset(claims["scope"].split()))
        except (jwt.InvalidTokenError, KeyError, ValueError, AttributeError) as error:
            raise NotAuthenticated(INVALID_TOKEN) from error
        raise NotAuthenticated(INVALID_TOKEN)

    def _issue(self, claims: dict[str, str], end: dt.datetime) -> str:
        whole = {**claims, "aud": AUDIENCE, "iss": ISSUER, "iat": now(), "exp": end}
        return jwt.encode(whole, self._key, ALGORITHM)
