"""Which part of a list is wanted, as the database is asked for it."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.paging import Window

# More are not counted: nobody reads that far, and counting costs as much as there is.
MOST_COUNTED = 1000


async def count_up_to_most(session: AsyncSession, wanted: Select[Any]) -> int | None:
    """How many rows a query has; null where they are more than `MOST_COUNTED`."""
    counted = wanted.limit(MOST_COUNTED + 1).subquery()
    count = await session.scalar(select(func.count()).select_from(counted)) or 0
    return count if count <= MOST_COUNTED else None


def within(window: Window[Any], place: Any, made_at: Any) -> ColumnElement[bool]:
    """The condition that a row lies in a window.

    Args:
        place: the column that orders the list, from old to new.
        made_at: the column of the time.
    """
    condition: ColumnElement[bool] = true()
    if window.before is not None:
        condition &= place < window.before
    if window.after is not None:
        condition &= place > window.after
    if window.since is not None:
        condition &= made_at >= window.since
    if window.until is not None:
        condition &= made_at < window.until
    return condition


def order_of(window: Window[Any], place: Any) -> Any:
    """How the list is ordered: newest first, or from the place on where the reader was."""
    return place.asc() if window.is_forward else place.desc()
