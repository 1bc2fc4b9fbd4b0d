"""Signed tokens that were used: each is good once, whichever of the gateways on one database it is shown to."""

import datetime as dt
from typing import Any, Literal

from sqlalchemy.exc import IntegrityError

from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import UsedTokenRow
from gateway.platform.identity.assertions import CLOCKS_APART_S
from gateway.platform.identity.secret_hash import digest
from shared.problems import NotAuthenticated

Purpose = Literal["token request", "CDS call"]


class UsedTokens:
    """Remembers tokens until they have expired.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def use(self, purpose: Purpose, claims: dict[str, Any]) -> None:
        """Use one up. Of several that come at the same time, the database lets one in.

        Args:
            claims: verified; with `iss`, `jti` and `exp`.

        Raises:
            NotAuthenticated: it was used before.
        """
        over = dt.datetime.fromtimestamp(claims["exp"] + CLOCKS_APART_S, dt.UTC)
        # Length first, so that no other issuer and id come to the same text.
        name = f"{purpose}\n{len(claims['iss'])}\n{claims['iss']}\n{claims['jti']}"
        try:
            async with self._sessions.begin() as session:
                session.add(UsedTokenRow(key=digest(name), expires_at=over))
        except IntegrityError as error:
            raise NotAuthenticated("The signed token was used before: sign a new one, with a new `jti`.") from error
