"""How often somebody may try: so many times a minute for one account and for one address."""

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gateway.platform.client_address import client_address
from shared.problems import TooManyAttempts


class Attempts:
    """Counts attempts in a moving minute, in this process's memory.

    Args:
        per_minute: for one account and for one address each.
    """

    def __init__(self, per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerMinute(per_minute)

    async def count(self, account: str) -> None:
        """Count one attempt at an account (an e-mail address or a key's id), from the request's address.

        Raises:
            TooManyAttempts: there were as many within the last minute.
        """
        await self._hit("account", account.strip().lower())
        await self.count_address()

    async def count_address(self) -> None:
        """Count one attempt from the request's address, where no account is named.

        Raises:
            TooManyAttempts: there were as many within the last minute.
        """
        await self._hit("address", client_address() or "unknown")

    async def _hit(self, kind: str, value: str) -> None:
        if not await self._limiter.hit(self._limit, kind, value):
            raise TooManyAttempts("Too many attempts: wait a minute.", retry_after_s=60)
