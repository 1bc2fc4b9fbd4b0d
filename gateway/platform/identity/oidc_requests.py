"""Sign-ins by the hospital's provider that were begun: each is finished once, soon, and in the browser it began in."""

import datetime as dt
import secrets

from sqlalchemy import delete

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import ProviderRequestRow
from gateway.platform.identity.oidc_client import SignInRequest
from gateway.platform.identity.secret_hash import digest
from shared.problems import NotAuthenticated

LIFETIME = dt.timedelta(minutes=10)


class SignInRequests:
    """Keeps what a sign-in was begun with until its browser comes back."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def keep(self, request: SignInRequest, onward: str) -> str:
        """Keep one; gives the secret that the browser has to show when it comes back."""
        browser = secrets.token_urlsafe(32)
        row = ProviderRequestRow(
            state_hash=digest(request.state),
            browser_hash=digest(browser),
            nonce=request.nonce,
            verifier=request.verifier,
            onward=onward,
            expires_at=now() + LIFETIME,
        )
        async with self._sessions.begin() as session:
            session.add(row)
        return browser

    async def take(self, state: str, browser: str) -> tuple[SignInRequest, str]:
        """Use one up; gives it with the page that the person wanted to see.

        Raises:
            NotAuthenticated: unknown, used, too old, or begun in another browser.
        """
        mine = (ProviderRequestRow.state_hash == digest(state)) & (ProviderRequestRow.browser_hash == digest(browser))
        taken = delete(ProviderRequestRow).where(mine, ProviderRequestRow.expires_at > now())
        async with self._sessions.begin() as session:
            row = (await session.scalars(taken.returning(ProviderRequestRow))).one_or_none()
        if row is None:
            raise NotAuthenticated("This sign-in was begun elsewhere, took too long, or is finished: begin it again.")
        return SignInRequest(state, row.nonce, row.verifier), row.onward
