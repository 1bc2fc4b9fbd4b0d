"""Access tokens: signed, good for some minutes, naming nothing but the account."""

import datetime as dt
from uuid import UUID

import jwt

from shared.problems import NotAuthenticated

ALGORITHM = "HS256"
AUDIENCE = "trabecula"


class AccessTokens:
    """Issues and verifies access tokens (RFC 7519).

    Args:
        key: signs the tokens.
        lifetime: how long a token is good for.
    """

    def __init__(self, key: str, lifetime: dt.timedelta) -> None:
        self._key, self.lifetime = key, lifetime

    def issue(self, account_id: UUID) -> str:
        """A token for one account."""
        moment = dt.datetime.now(dt.UTC)
        claims = {"sub": str(account_id), "aud": AUDIENCE, "iat": moment, "exp": moment + self.lifetime}
        return jwt.encode(claims, self._key, ALGORITHM)

    def account_of(self, token: str) -> UUID:
        """The account that a token was issued to.

        Raises:
            NotAuthenticated: forged, expired or malformed.
        """
        try:
            claims = jwt.decode(token, self._key, [ALGORITHM], {"require": ["exp", "sub", "aud"]}, audience=AUDIENCE)
            return UUID(claims["sub"])
        except (jwt.InvalidTokenError, ValueError) as error:
            raise NotAuthenticated("The access token is not valid or has expired: sign in or refresh it.") from error
