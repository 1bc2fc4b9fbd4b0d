"""How long a bone density scan stays current, and when the next one is due. One interval an answer.

Nothing over five years (NOGG 2024: reassessment within five years), from 80 nothing over two; one to two years where
bone is lost fast or the threshold is near. The measured 15 years for normal T-scores (Gourlay 2012) hold for untreated
women of 67 and over only and are an outer limit that this is kept well below.
"""

from dataclasses import dataclass
from typing import Literal

FIVE_YEARS, FOUR_YEARS, THREE_YEARS, TWO_YEARS, ONE_YEAR = 60.0, 48.0, 36.0, 24.0, 12.0
# From this T-score down a scan is due after three years and not four (house).
NEAR_LOW = -1.5
# A scan that is due now is due within this time (house).
DUE_NOW = 3.0
OLD_AGE = 80

IntervalBasis = Literal["treated", "fast_loss", "low_score", "old_age", "five_years", "in_doubt", "out_of_date"]


@dataclass(frozen=True)
class Interval:
    """From so many months, overdue past so many, and why."""

    after: float
    by: float
    basis: IntervalBasis

    def counted_from(self, elapsed: float) -> "Interval":
        """The same interval once part of it has passed."""
        return Interval(max(0.0, self.after - elapsed), max(0.0, self.by - elapsed), self.basis)


@dataclass(frozen=True)
class Course:
    """What decides how soon density is measured again."""

    age: float
    score: float
    is_t_score: bool
    treated: bool
    fast_loss: bool
    in_doubt: bool


def interval(course: Course) -> Interval:
    """The interval that a scan allows, counted from the scan."""
    if course.in_doubt:
        return Interval(0.0, ONE_YEAR, "in_doubt")
    if course.fast_loss:
        return Interval(ONE_YEAR, TWO_YEARS, "fast_loss")
    if course.treated:
        return Interval(ONE_YEAR, TWO_YEARS if course.age >= OLD_AGE else THREE_YEARS, "treated")
    if course.score <= -2.0:
        return Interval(ONE_YEAR, TWO_YEARS, "low_score")
    if course.age >= OLD_AGE:
        return Interval(ONE_YEAR, TWO_YEARS, "old_age")
    near = course.is_t_score and course.score < NEAR_LOW
    return Interval(THREE_YEARS if near else FOUR_YEARS, FIVE_YEARS, "five_years")
