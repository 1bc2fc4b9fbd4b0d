"""What is wrong with a table of labels: faults that name line and cure, and the checks that every such table shares."""

from dataclasses import dataclass
from typing import Any

# Beyond these a T-score is a slip of the pen, or another unit.
T_SCORES = (-8.0, 6.0)
# How many faults are listed; the rest are counted.
MOST_LISTED = 20


@dataclass(frozen=True)
class Fault:
    """Something wrong with the data. A notice stops nothing."""

    message: str
    notice: bool = False


def listed(faults: list[Fault]) -> str:
    """The faults for people, one a line; of very many the first ones."""
    lines = [("notice: " if fault.notice else "wrong:  ") + fault.message for fault in faults]
    more = len(lines) - MOST_LISTED
    return "\n".join(lines[:MOST_LISTED] + ([f"... and {more} more"] if more > 0 else []))


def wrong_t_score(written: str) -> str | None:
    """What is wrong with a T-score as it is written; nothing where it is empty or right."""
    try:
        value: Any = float(written or 0)
    except ValueError:
        return f"t_score '{written}' is no number: write it with a point, as -2.5."
    low, high = T_SCORES
    return None if low <= value <= high else f"t_score {written} is not between {low} and {high}: is it a T-score?"
