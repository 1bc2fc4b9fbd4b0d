"""A page of a list: what every list answers with, and the one way to cut it.

Lists are paged by key (no offsets): a page names where the next one begins, so that rows that come meanwhile neither
repeat nor hide anything.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

Item = TypeVar("Item")
Changed = TypeVar("Changed")
Cursor = TypeVar("Cursor")
PageClass = TypeVar("PageClass", bound="Page[Any, Any]")


class Page(BaseModel, Generic[Item, Cursor]):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""

    items: list[Item]
    next: Cursor | None

    def map(self, change: Callable[[Item], Changed]) -> "Page[Changed, Cursor]":
        """The same page with each item changed."""
        return Page.model_construct(items=[change(item) for item in self.items], next=self.next)

    def to(self, page: type[PageClass], view: Callable[[Item], Any]) -> PageClass:
        """The same page with each item in another shape."""
        return page(items=[view(item) for item in self.items], next=self.next)


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
