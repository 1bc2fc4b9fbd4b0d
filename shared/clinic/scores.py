"""One T- or Z-score, printed on a report or computed: the same everywhere."""

import datetime as dt
from dataclasses import dataclass

from shared.contracts.record import BoneSite

DAYS_A_MONTH = 30.4375


@dataclass(frozen=True)
class Score:
    """One T- or Z-score that counts: of a DXA at a diagnostic site, not dated in the future.

    Attributes:
        value: standard deviations.
        note: how it was computed, where it was not printed on the report.
    """

    site: BoneSite
    value: float
    date: dt.date | None
    note: str = ""

    def months_old(self, as_of: dt.date) -> float:
        """Months since the scan; one without a date is read as of today."""
        return 0.0 if self.date is None else max(0.0, (as_of - self.date).days / DAYS_A_MONTH)
