"""The time: one place, so that everything counts alike."""

import datetime as dt


def now() -> dt.datetime:
    """The time in UTC, with its zone."""
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """The day in UTC."""
    return now().date()
