"""How a patient's measured bone density changes, and whether the change is more than the measurement's own error.

Only dated DXA measurements count, site by site; densities of densitometers of different makes are never compared.

A change is significant where it reaches the least significant change, 2.77 times the precision error (ISCD). Every
centre has to know its own; until a site sets it, the largest precision errors that ISCD accepts stand in: 1.9 % at the
lumbar spine, 1.8 % at the total hip, 2.5 % at the femoral neck, which makes 5.3, 5.0 and 6.9 %.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import linear_regression
from typing import Literal

from pydantic import BaseModel, Field

from gateway.records.timeline import Entry
from shared.clinic.density import HIP_SITES
from shared.clinic.reference import HOLOGIC, YoungReference

DAYS_A_YEAR = 365.25
LARGEST_ACCEPTED_PERCENT = {"lumbar_spine": 5.3, "total_hip": 5.0, "femoral_neck": 6.9}
# A share of bone density is expressed in T-scores where every maker has the same reference; the spine has none.
REFERENCE: dict[str, YoungReference] = {site: HOLOGIC[site] for site in HIP_SITES}


class Point(BaseModel):
    """One measurement."""

    date: dt.date
    value: float


class Trend(BaseModel):
    """How one measure at one site went, from the first measurement to the last."""

    site: str
    measure: Literal["t_score", "bone_density"]
    unit: Literal["standard deviations", "g/cm2"]
    device: str | None = Field(description="Make of the densitometer; null for T-scores and where it is not known")
    points: list[Point]
    change: float = Field(description="Last minus first, in `unit`")
    per_year: float | None = Field(description="Slope of the line of best fit; null where all are of one day")
    least_significant_change: float | None = Field(description="In `unit`; null where none can be stated")
    significant: bool | None = Field(description="Whether `change` reaches it; null where none can be stated")
    summary: str

    @property
    def is_loss(self) -> bool:
        """Whether bone density fell by more than the measurement's own error."""
        return bool(self.significant) and self.change < 0


def trends(entries: Sequence[Entry], lsc_percent: Mapping[str, float]) -> list[Trend]:
    """The trend of each site that was measured at least twice.

    Args:
        entries: the patient's timeline.
        lsc_percent: the centre's own least significant change, per cent of the first density, by site.
    """
    series: dict[tuple[str, str, str | None], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.dated and entry.kind == "t_score" and entry.method == "dxa":
            series[str(entry.site), entry.kind, None].append(entry)
        if entry.dated and entry.kind == "bone_density":
            series[str(entry.site), entry.kind, entry.method].append(entry)
    percents = {**LARGEST_ACCEPTED_PERCENT, **lsc_percent}
    return [
        _trend(key[0], measured, percents.get(key[0]))
        for key, measured in sorted(series.items(), key=str)
        if len(measured) > 1
    ]


def _trend(site: str, entries: Sequence[Entry], percent: float | None) -> Trend:
    points = [Point(date=entry.date, value=entry.value or 0.0) for entry in entries]
    is_t_score = entries[0].kind == "t_score"
    change = round(points[-1].value - points[0].value, 4)
    least = _least(site, points[0].value, is_t_score, percent)
    significant = None if least is None else abs(change) >= least
    return Trend(
        site=site,
        measure="t_score" if is_t_score else "bone_density",
        unit="standard deviations" if is_t_score else "g/cm2",
        device=None if is_t_score else entries[0].method,
        points=points,
        change=change,
        per_year=_per_year(points),
        least_significant_change=least,
        significant=significant,
        summary=_summary(change, significant),
    )


def _least(site: str, first: float, is_t_score: bool, percent: float | None) -> float | None:
    """The least significant change in the measure's own unit, from a share of the first density."""
    if percent is None or (is_t_score and site not in REFERENCE):
        return None
    if not is_t_score:
        return round(first * percent / 100, 4)
    young = REFERENCE[site]
    return round((young.mean + first * young.sd) * percent / 100 / young.sd, 4)


def _per_year(points: Sequence[Point]) -> float | None:
    years = [(point.date - points[0].date).days / DAYS_A_YEAR for point in points]
    if len(set(years)) < 2:
        return None
    return round(linear_regression(years, [point.value for point in points]).slope, 4)


def _summary(change: float, significant: bool | None) -> str:
    if significant is None:
        return (
            "Whether this is more than the measurement's own error cannot be said: send the density in g/cm2 as well."
        )
    if not significant:
        return "No change beyond the measurement's own error."
    return f"A {'loss' if change < 0 else 'gain'} beyond the measurement's own error."
