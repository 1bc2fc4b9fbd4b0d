"""The time: one place, so that everything counts alike.

What is stored and what programs get is UTC. People read times in the site's own zone: the one that it set, else the
machine's.
"""

import datetime as dt
from zoneinfo import ZoneInfo

_site_zone: ZoneInfo | None = None


def now() -> dt.datetime:
    """The time in UTC, with its zone."""
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """The day in UTC."""
    return now().date()


def use_zone(zone: ZoneInfo | None) -> None:
    """Show times in this zone from now on, in the whole process; null is the machine's."""
    global _site_zone
    _site_zone = zone


def at_site(moment: dt.datetime) -> dt.datetime:
    """The same moment by the site's clock, with its zone."""
    return moment.astimezone(_site_zone)
