"""How often somebody may try a password: so many times a minute for one account and for one address."""

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from shared.problems import TooManyAttempts


class Attempts:
    """Counts attempts in a moving minute, in this process's memory.

    Args:
        per_minute: for one account and for one address each.
    """

    def __init__(self, per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerMinute(per_minute)

    async def count(self, email: str, address: str) -> None:
        """Count one attempt.

        Raises:
            TooManyAttempts: there were as many within the last minute.
        """
        for key in (("account", email.strip().lower()), ("address", address)):
            if not await self._limiter.hit(self._limit, *key):
                raise TooManyAttempts("Too many sign-in attempts: wait a minute.", retry_after_s=60)
