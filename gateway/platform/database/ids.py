"""UUIDs that sort by time of making (version 7, RFC 9562), so that an index grows at its end."""

import datetime as dt
import secrets
import time
from uuid import UUID


def uuid7() -> UUID:
    """48 bits of Unix milliseconds, then random."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


def made_at(identity: UUID) -> dt.datetime:
    """When a version 7 UUID was made, to the millisecond; of any other UUID the result means nothing.

    A UUID that somebody made up may name a moment that no calendar has: that counts as the latest one.
    """
    try:
        return dt.datetime.fromtimestamp((identity.int >> 80) / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return dt.datetime.max.replace(tzinfo=dt.UTC)
