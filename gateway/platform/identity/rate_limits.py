"""How often something may be done within some time: counted in memory, or in the database that gateways share."""

import datetime as dt
import math
import time
from typing import Any

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from sqlalchemy import case, delete, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from gateway.platform.clock import now
from gateway.platform.database.engine import Database, Sessions
from gateway.platform.database.tables import RateCountRow
from gateway.platform.identity.secret_hash import digest
from gateway.platform.rate_notes import RateNote


class RateLimits:
    """Counts what is done under a name, in windows of fixed length.

    Args:
        storage: where the counts are.
    """

    def __init__(self, storage: Storage) -> None:
        self._limiter = FixedWindowRateLimiter(storage)

    @classmethod
    def of_this_process(cls) -> "RateLimits":
        """Counts in memory: quick, for what every request is counted for."""
        return cls(MemoryStorage())

    @classmethod
    def shared(cls, database: Database) -> "RateLimits":
        """Counts that all gateways on one database share; with a SQLite file there is one gateway."""
        return cls(DatabaseStorage(database.sessions) if database.is_shared else MemoryStorage())

    async def wait_s(self, limit: RateLimitItem, *names: str) -> int | None:
        """Count one more; null where it is within the limit, else the seconds until the window is over."""
        if await self._limiter.hit(limit, *names):
            return None
        reset_at, _ = await self._limiter.get_window_stats(limit, *names)
        return max(1, math.ceil(reset_at - time.time()))

    async def left(self, name: str, limit: RateLimitItem, *names: str) -> RateNote:
        """How much of a limit is left; counts nothing."""
        reset_at, remaining = await self._limiter.get_window_stats(limit, *names)
        reset_s = max(0, math.ceil(reset_at - time.time()))
        return RateNote(name, limit.amount, limit.get_expiry(), max(0, remaining), reset_s)

    async def is_reached(self, limit: RateLimitItem, *names: str) -> bool:
        """Whether one more would be too many; counts nothing."""
        return not await self._limiter.test(limit, *names)

    async def forget(self, limit: RateLimitItem, *names: str) -> None:
        """Begin anew."""
        await self._limiter.clear(limit, *names)


class DatabaseStorage(Storage):
    """The counts as rows, under a hash of their names: an address or an account is not to be read there.

    Args:
        sessions: of the installation's database.
    """

    STORAGE_SCHEME = None

    def __init__(self, sessions: Sessions) -> None:
        super().__init__()
        self._sessions = sessions

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the database raises."""
        return SQLAlchemyError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """One more in one statement, so that no two gateways count the same; a window that is over begins anew."""
        moment = now()
        end, over = moment + dt.timedelta(seconds=expiry), RateCountRow.expires_at <= moment
        async with self._sessions.begin() as session:
            insert: Any = {"postgresql": postgresql_insert, "sqlite": sqlite_insert}[session.get_bind().dialect.name]
            added = insert(RateCountRow).values(key=digest(key), count=amount, expires_at=end)
            counted = added.on_conflict_do_update(
                index_elements=[RateCountRow.key],
                set_={
                    "count": case((over, amount), else_=RateCountRow.count + amount),
                    "expires_at": case((over, end), else_=RateCountRow.expires_at),
                },
            )
            return int((await session.execute(counted.returning(RateCountRow.count))).scalar_one())

    async def get(self, key: str) -> int:
        """The count within the window."""
        query = select(RateCountRow.count).where(RateCountRow.key == digest(key), RateCountRow.expires_at > now())
        async with self._sessions() as session:
            return await session.scalar(query) or 0

    async def get_expiry(self, key: str) -> float:
        """When the window ends, as a Unix time."""
        query = select(RateCountRow.expires_at).where(RateCountRow.key == digest(key))
        async with self._sessions() as session:
            end = await session.scalar(query)
        return end.timestamp() if end else time.time()

    async def check(self) -> bool:
        """Whether the database answers."""
        async with self._sessions() as session:
            return await session.scalar(select(func.count()).select_from(RateCountRow)) is not None

    async def reset(self) -> int | None:
        """Forget every count."""
        async with self._sessions.begin() as session:
            await session.execute(delete(RateCountRow))
        return None

    async def clear(self, key: str) -> None:
        """Forget one count."""
        async with self._sessions.begin() as session:
            await session.execute(delete(RateCountRow).where(RateCountRow.key == digest(key)))
