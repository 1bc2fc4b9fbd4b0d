"""How JSON is read: what is parsed and checked in one go holds up everybody else, so it is counted first."""

from collections import Counter
from typing import Any

# A record of a patient has some forty fields; a batch of the most cases, each with a whole record, stays below.
MOST_VALUES_IN_RECORD, MOST_VALUES_IN_MANIFEST = 1_000, 60_000
MOST_NAMED = 5


def may_hold_more(text: str | bytes, most: int) -> bool:
    """Whether a JSON text could hold more values than this, by its commas and brackets, without parsing it."""
    if isinstance(text, bytes):
        return sum(map(text.count, (b",", b"{", b"["))) > most
    return sum(map(text.count, (",", "{", "["))) > most


def holds_more(value: Any, most: int) -> bool:
    """Whether what was parsed holds more values than this, objects and lists counted with what is in them."""
    seen, waiting = 0, [value]
    while waiting and seen <= most:
        found = waiting.pop()
        seen += 1
        if isinstance(found, dict):
            waiting += list(found.values())[: most + 1]
        elif isinstance(found, list):
            waiting += found[: most + 1]
    return seen > most


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, for `json.loads`; a name given twice would otherwise silently lose its first value.

    Raises:
        ValueError: one is.
    """
    whole = dict(pairs)
    if len(whole) < len(pairs):
        repeated = sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ValueError(f"{', '.join(repeated[:MOST_NAMED])} is given more than once")
    return whole
