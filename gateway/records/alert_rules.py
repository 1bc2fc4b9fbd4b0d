"""What a new assessment or measurement gives a clinic to look at: follow-ups with their dates, and what got worse."""

import calendar
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

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
AlertKind = Literal["follow_up", "worsening", "urgent"]
# How likely it has to be, by the probabilities of both readings, that a knee's grade rose: one step alone is mostly the
# network's own error (95 of 100 grades lie within one of a person's).
SURE_RISE = 0.9


class Change(BaseModel):
    """What changed, from what to what, and when each was found."""

    measure: Literal["t_score", "bone_density", "knee_grade", "category"]
    site: str | None = Field(None, description="Where it was measured; of a knee its side")
    before: str = Field(description="A number, or a category's name")
    after: str
    before_date: dt.date
    after_date: dt.date


@dataclass(frozen=True)
class NewAlert:
    """Something to look at, for the clinic and in the patient's words. A follow-up is overdue past its last day."""

    kind: AlertKind
    code: str
    text: str
    patient_text: str
    due_from: dt.date | None = None
    due_by: dt.date | None = None
    change: Change | None = None


@dataclass(frozen=True)
class NewAlerts:
    """What one assessment gives: its alerts, and whether they stand in for the follow-ups of earlier ones.

    Args:
        patient_id: null where no patient was named: there are only emergencies then, and none stands in for another.
        key: of the patient, or of the organisation.
    """

    alerts: list[NewAlert]
    replaces: bool
    patient_id: UUID | None
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


def emergency(assessment: Assessment) -> Iterator[NewAlert]:
    """That the answer advises an emergency: an alert that stays until somebody has seen to it."""
    consult = assessment.recommendation.consult if assessment.recommendation else None
    if consult is not None and consult.urgency == "emergency":
        text = consult.reason or "The answer advises to see to this at once."
        for_patient = consult.patient_reason or "Get medical help now."
        yield NewAlert("urgent", "emergency", text, for_patient)


def months_later(day: dt.date, months: float) -> dt.date:
    """The same day of the month so many months later, or the month's last; a part of a month in days."""
    whole = int(months)
    year, month = divmod(day.year * 12 + day.month - 1 + whole, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last)) + dt.timedelta(days=round((months - whole) * DAYS_A_MONTH))


def worsening(new: StoredAssessment, earlier: Sequence[StoredAssessment]) -> Iterator[NewAlert]:
    """What is worse than in the last of the earlier assessments (oldest first) that has the same."""
    yield from _category(new, earlier)
    yield from _knees(new, earlier)
    if earlier and (broken := _new_fractures(new, earlier[-1])):
        yield _worse("new_fracture", f"A new fracture since the last assessment: {', '.join(broken)}.")


def _category(new: StoredAssessment, earlier: Sequence[StoredAssessment]) -> Iterator[NewAlert]:
    now = new.assessment
    last = next((stored.assessment for stored in reversed(earlier) if stored.assessment.combined.category), None)
    category, before = now.combined.category, last.combined.category if last else None
    if last and category and before and RANK[category] > RANK[before]:
        change = Change(measure="category", before=before, after=category, before_date=_day(last), after_date=_day(now))
        yield _worse("category_rose", f"The risk category rose from {before} to {category}{_between(change)}.", change)


def bone_loss(before: Sequence[Entry], now: Sequence[Entry], lsc_percent: Mapping[str, float]) -> Iterator[NewAlert]:
    """A loss of bone density that reached the least significant change and had not before, at any number of sites.

    One decline gives one alert: a scan measures several sites, each in g/cm2 and as a T-score. It tells of the site
    that lost most for its own error, and names the others.
    """
    known = {trend.site for trend in trends(before, lsc_percent) if trend.is_loss}
    lost = [trend for trend in trends(now, lsc_percent) if trend.is_loss and trend.site not in known]
    if not lost:
        return
    # A T-score before the density that it was made from.
    lost.sort(
        key=lambda trend: (trend.measure != "t_score", -abs(trend.change) / (trend.least_significant_change or 1))
    )
    worst = lost[0]
    change = Change(
        measure=worst.measure,
        site=worst.site,
        before=f"{worst.points[0].value:g}",
        after=f"{worst.points[-1].value:g}",
        before_date=worst.points[0].date,
        after_date=worst.points[-1].date,
    )
    site, measure = worst.site.replace("_", " "), "T-score" if worst.measure == "t_score" else "bone density"
    text = (
        f"The {measure} at the {site} fell from {change.before} to {change.after}{_between(change)}, "
        f"by {abs(worst.change):.3g} {worst.unit}: more than its own error."
    )
    if others := sorted({trend.site.replace("_", " ") for trend in lost} - {site}):
        text += f" Also at the {', '.join(others)}."
    yield _worse("bone_loss", text, change)


def _worse(code: str, text: str, change: Change | None = None) -> NewAlert:
    return NewAlert("worsening", code, text, text, change=change)


def _day(assessment: Assessment) -> dt.date:
    return assessment.created_at.date()


def _between(change: Change) -> str:
    return f" between {change.before_date.isoformat()} and {change.after_date.isoformat()}"


def _knees(new: StoredAssessment, earlier: Sequence[StoredAssessment]) -> Iterator[NewAlert]:
    """A grade that rose on a side that was graded well both times, by more than the network's own error."""
    last = next((stored.assessment for stored in reversed(earlier) if stored.assessment.staging), None)
    if new.assessment.staging is None or last is None or last.staging is None:
        return
    before = _well_graded(last.staging.knees)
    for side, knee in _well_graded(new.assessment.staging.knees).items():
        was = before.get(side)
        if was and knee.stage > was.stage and rise_probability(was, knee) >= SURE_RISE:
            change = Change(
                measure="knee_grade",
                site=side,
                before=str(was.stage),
                after=str(knee.stage),
                before_date=_day(last),
                after_date=_day(new.assessment),
            )
            grades = f"from {was.stage} to {knee.stage}{_between(change)}"
            text = f"The {side} knee's Kellgren-Lawrence grade rose {grades} by the network."
            yield _worse("knee_grade_rose", text, change)


def rise_probability(before: Knee, after: Knee) -> float:
    """How likely the later reading's grade is above the earlier one's, the two readings erring independently."""
    higher = [sum(after.probabilities[grade + 1 :]) for grade in range(len(after.probabilities))]
    return sum(chance * above for chance, above in zip(before.probabilities, higher, strict=True))


def _well_graded(knees: Sequence[Knee]) -> dict[str, Knee]:
    return {knee.side: knee for knee in knees if knee.quality == "good" and knee.side != "unknown"}


def _new_fractures(new: StoredAssessment, last: StoredAssessment) -> list[str]:
    """The sites of fractures that lie between the two assessments by the record's own months."""
    months = (new.assessment.created_at - last.assessment.created_at).days / DAYS_A_MONTH
    record = new.risk.record if isinstance(new.risk, RiskRequest) else None
    fractures = record.prior_fractures if record and isinstance(record.prior_fractures, list) else []
    recent = [fracture for fracture in fractures if fracture.months_ago is not None and fracture.months_ago < months]
    return [str(fracture.site).replace("_", " ") for fracture in recent]
