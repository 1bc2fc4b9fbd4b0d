"""What a new assessment or measurement gives a clinic to look at: follow-ups with their dates, and what got worse."""

import calendar
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from gateway.records.encrypted import StoredAssessment
from gateway.records.timeline import Entry
from gateway.records.trend import trends
from shared.clinic.scores import DAYS_A_MONTH
from shared.contracts.assessment import Assessment
from shared.contracts.findings import Knee
from shared.contracts.risk import RiskRequest

RANK = {"low": 0, "moderate": 1, "high": 2}
# What a patient reads of a follow-up that has no words of the patient's own.
ASK_THE_CLINIC = "A check-up is planned: ask your clinic about it."
AlertKind = Literal["follow_up", "worsening"]


@dataclass(frozen=True)
class NewAlert:
    """Something to look at, for the clinic and in the patient's words. A follow-up is overdue past its last day."""

    kind: AlertKind
    code: str
    text: str
    patient_text: str
    due_from: dt.date | None = None
    due_by: dt.date | None = None


@dataclass(frozen=True)
class NewAlerts:
    """What one assessment gives: its alerts, and whether they stand in for the follow-ups of earlier ones."""

    alerts: list[NewAlert]
    replaces: bool
    patient_id: UUID
    key: bytes


def follow_ups(assessment: Assessment) -> Iterator[NewAlert]:
    """The recommendations with a set time, as days."""
    day = assessment.created_at.date()
    for item in assessment.recommendation.items if assessment.recommendation else []:
        if item.interval:
            first, last = item.interval.after_months, item.interval.by_months
            # An alert is not released, so the patient's words of a medicine stay out of it.
            for_patient = ASK_THE_CLINIC if item.kind == "medication" else item.patient_text
            yield NewAlert(
                "follow_up", item.id, item.text, for_patient, months_later(day, first), months_later(day, last)
            )


def months_later(day: dt.date, months: float) -> dt.date:
    """The same day of the month so many months later, or the month's last; a part of a month in days."""
    whole = int(months)
    year, month = divmod(day.year * 12 + day.month - 1 + whole, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last)) + dt.timedelta(days=round((months - whole) * DAYS_A_MONTH))


def worsening(new: StoredAssessment, earlier: Sequence[StoredAssessment]) -> Iterator[NewAlert]:
    """What is worse than in the last of the earlier assessments (oldest first) that has the same."""
    category = new.assessment.combined.category
    categories = (stored.assessment.combined.category for stored in reversed(earlier))
    before = next((known for known in categories if known), None)
    if category and before and RANK[category] > RANK[before]:
        yield _worse("category_rose", f"The risk category rose from {before} to {category}.")
    yield from _knees(new, earlier)
    if earlier and (broken := _new_fractures(new, earlier[-1])):
        yield _worse("new_fracture", f"A new fracture since the last assessment: {', '.join(broken)}.")


def bone_loss(before: Sequence[Entry], now: Sequence[Entry], lsc_percent: Mapping[str, float]) -> Iterator[NewAlert]:
    """A loss of bone density that reached the least significant change and had not before."""
    known = {trend.series for trend in trends(before, lsc_percent) if trend.is_loss}
    for trend in trends(now, lsc_percent):
        if trend.is_loss and trend.series not in known:
            site, measure = trend.site.replace("_", " "), trend.measure.replace("_", " ")
            text = f"The {measure} at the {site} fell by {abs(trend.change):.3g} {trend.unit}, more than its own error."
            yield _worse("bone_loss", text)


def _worse(code: str, text: str) -> NewAlert:
    return NewAlert("worsening", code, text, text)


def _knees(new: StoredAssessment, earlier: Sequence[StoredAssessment]) -> Iterator[NewAlert]:
    """A grade that rose on a side that was graded well both times; one step may be the network's own error."""
    graded = next((stored.assessment.staging for stored in reversed(earlier) if stored.assessment.staging), None)
    if new.assessment.staging is None or graded is None:
        return
    before = _well_graded(graded.knees)
    for side, knee in _well_graded(new.assessment.staging.knees).items():
        if side in before and knee.stage > before[side].stage:
            was = before[side].stage
            text = f"The {side} knee's Kellgren-Lawrence grade rose from {was} to {knee.stage} by the network."
            yield _worse("knee_grade_rose", text)


def _well_graded(knees: Sequence[Knee]) -> dict[str, Knee]:
    return {knee.side: knee for knee in knees if knee.quality == "good" and knee.side != "unknown"}


def _new_fractures(new: StoredAssessment, last: StoredAssessment) -> list[str]:
    """The sites of fractures that lie between the two assessments by the record's own months."""
    months = (new.assessment.created_at - last.assessment.created_at).days / DAYS_A_MONTH
    record = new.risk.record if isinstance(new.risk, RiskRequest) else None
    fractures = record.prior_fractures if record and isinstance(record.prior_fractures, list) else []
    recent = [fracture for fracture in fractures if fracture.months_ago is not None and fracture.months_ago < months]
    return [str(fracture.site).replace("_", " ") for fracture in recent]
