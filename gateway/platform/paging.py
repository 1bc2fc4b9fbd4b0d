"""A page of a list: what every list answers with, and the one way to cut it.

Lists are paged by key (no offsets): a page names where the next one begins, so that rows that come meanwhile neither
repeat nor hide anything.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

Item = TypeVar("Item")
Changed = TypeVar("Changed")
Cursor = TypeVar("Cursor")
PageClass = TypeVar("PageClass", bound="Page[Any, Any]")


class Page(BaseModel, Generic[Item, Cursor]):
    """One page. Newest first, `next` is the `before` of the next page; with `after` oldest first, it is its `after`."""

    items: list[Item]
    next: Cursor | None

    def map(self, change: Callable[[Item], Changed]) -> "Page[Changed, Cursor]":
        """The same page with each item changed."""
        return Page.model_construct(items=[change(item) for item in self.items], next=self.next)

    def to(self, page: type[PageClass], view: Callable[[Item], Any]) -> PageClass:
        """The same page with each item in another shape."""
        return page(items=[view(item) for item in self.items], next=self.next)


@dataclass(frozen=True)
class Window(Generic[Cursor]):
    """Which part of a list is wanted; null is no limit.

    Args:
        before: what is older than this place, newest first.
        after: what is newer than this place, oldest first: for readers who go on from where they were.
        since, until: what was made from this moment on, and before that one.
    """

    before: Cursor | None = None
    after: Cursor | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def is_forward(self) -> bool:
        """Whether it goes from old to new."""
        return self.after is not None


def paged(rows: Sequence[Item], limit: int, cursor: Callable[[Item], Cursor]) -> Page[Item, Cursor]:
    """Cut what was found when asked for one row more than the page holds.

    Args:
        rows: up to `limit + 1` of them.
        limit: how many the page holds.
        cursor: what names the place of a row in the list.
    """
    kept = list(rows[:limit])
    # Rows come from the database, typed and checked: nothing is validated a second time.
    return Page.model_construct(items=kept, next=cursor(kept[-1]) if len(rows) > limit else None)
