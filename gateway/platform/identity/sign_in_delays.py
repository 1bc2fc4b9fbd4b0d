"""Who may try to sign in: first the network address is asked, then how it did with this very account.

Nothing here is the account's: a stranger delays nobody but the stranger's own address. An address that signed in to an
account before is known to it, and is let past what others of the same network use up.
"""

import datetime as dt
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from sqlalchemy.exc import IntegrityError

from gateway.platform.client_address import client_address
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import SignInDelayRow
from gateway.platform.identity.rate_limits import RateLimits
from gateway.platform.identity.secret_hash import digest
from shared.problems import TooManyAttempts

# How long an address stays known after it signed in, and how long its failures are remembered.
KNOWN = dt.timedelta(days=90)
REMEMBERED = dt.timedelta(days=1)
# One subscriber has a whole network of this length.
IPV6_PREFIX = 64


@dataclass(frozen=True)
class SignInDelays:
    """Counts attempts.

    Args:
        sessions: of the installation's database; addresses and accounts are there by a hash of both.
        limits: counts for all gateways on one database.
        per_account: attempts a minute at one account from one address.
        per_address: attempts a minute from one address.
        free: wrong passwords in a row that cost no delay.
        longest: the delay doubles with each further one, up to this.
    """

    sessions: Sessions
    limits: RateLimits
    per_account: int
    per_address: int
    free: int
    longest: dt.timedelta

    async def before(self, account: str) -> bool:
        """Ask before an attempt at an account (an e-mail address or a key's id); whether its address is known to it.

        Raises:
            TooManyAttempts: with the seconds until the next one is heard.
        """
        row = await self._row(account)
        is_known = row is not None and row.is_known
        if not is_known:
            await self.count_address()
        if row is not None and row.wait_until is not None and row.wait_until > now():
            raise _too_many((row.wait_until - now()).total_seconds())
        names = ("sign-in", account.strip().lower(), network())
        if wait_s := await self.limits.wait_s(RateLimitItemPerMinute(self.per_account), *names):
            raise _too_many(wait_s)
        return is_known

    async def count_address(self) -> None:
        """Count one attempt from the request's address, where no account is named.

        Raises:
            TooManyAttempts: there were as many within the minute.
        """
        if wait_s := await self.limits.wait_s(RateLimitItemPerMinute(self.per_address), "address", network()):
            raise _too_many(wait_s)

    async def failed(self, account: str) -> None:
        """A wrong password: from some in a row on, this address waits longer each time for this account."""

        def one_more(row: SignInDelayRow) -> None:
            row.failures += 1
            row.expires_at = now() + (KNOWN if row.is_known else REMEMBERED)
            if (beyond := row.failures - self.free) >= 0:
                delay = min(dt.timedelta(seconds=2 ** min(beyond + 1, 20)), self.longest)
                row.wait_until = now() + delay

        await self._change(account, one_more)

    async def succeeded(self, account: str) -> None:
        """The right password: the address is known from now on, and owes nothing."""

        def known(row: SignInDelayRow) -> None:
            row.failures, row.is_known, row.wait_until, row.expires_at = 0, True, None, now() + KNOWN

        await self._change(account, known)

    async def _change(self, account: str, change: Callable[[SignInDelayRow], None]) -> None:
        """Change the row of this address and account; of two that make it at the same time, one finds the other's."""
        for is_last in (False, True):
            try:
                async with self.sessions.begin() as session:
                    row = await session.get(SignInDelayRow, _key(account), with_for_update=True)
                    if row is None:
                        row = SignInDelayRow(key=_key(account), failures=0, is_known=False)
                        session.add(row)
                    change(row)
            except IntegrityError:
                if is_last:
                    raise
            else:
                return

    async def _row(self, account: str) -> SignInDelayRow | None:
        async with self.sessions() as session:
            row = await session.get(SignInDelayRow, _key(account))
        return row if row is not None and row.expires_at > now() else None


def network() -> str:
    """The request's address; of IPv6 the network that one subscriber has."""
    address = client_address() or "unknown"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


def _key(account: str) -> bytes:
    return digest(f"{account.strip().lower()}\n{network()}")


def _too_many(wait_s: float) -> TooManyAttempts:
    seconds = max(1, round(wait_s))
    return TooManyAttempts(f"Too many attempts: wait {seconds} s.", retry_after_s=seconds)
