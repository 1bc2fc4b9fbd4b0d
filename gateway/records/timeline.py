"""A patient's years in order: assessments, measured bone densities and fractures, each fact once."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.records.encrypted import StoredAssessment
from gateway.records.measurement import DensityMeasured, FractureSuffered, TScoreMeasured
from shared.clinic.density import DAYS_A_MONTH
from shared.contracts.findings import RiskCategory, WhoClass


@dataclass(frozen=True)
class Measurement:
    """A measurement that was added by hand."""

    id: UUID
    measured: TScoreMeasured | DensityMeasured | FractureSuffered


class AssessmentInBrief(BaseModel):
    """What an assessment came to; the whole of it is under `/v1/assessments/{id}`."""

    id: UUID
    status: Literal["complete", "partial"]
    category: RiskCategory | None
    who_class: WhoClass | None
    image: str | None = Field(description="The radiograph's label; null without one")
    kl_grade: int | None


class Entry(BaseModel):
    """One thing that happened. `dated` is false where the record gave no date and the assessment's own stands in."""

    date: dt.date
    dated: bool
    kind: Literal["assessment", "t_score", "bone_density", "fracture"]
    site: str | None = None
    value: float | None = Field(None, description="T-score, or g/cm2 for a bone density")
    method: str | None = Field(None, description="How a T-score was measured, or the densitometer's make")
    low_trauma: bool | None = None
    assessment: AssessmentInBrief | None = None
    source: Literal["assessment", "measurement"]
    source_id: UUID

    def fact(self) -> tuple[Any, ...]:
        """What makes two entries the same fact, told twice."""
        day = self.date if self.dated else None
        return self.kind, day, self.site, self.value, self.method, self.assessment and self.assessment.id


def timeline(assessments: Sequence[StoredAssessment], measurements: Sequence[Measurement]) -> list[Entry]:
    """Everything in the order of its date. A fact that several records repeat is shown once."""
    told: dict[tuple[Any, ...], Entry] = {}
    entries = [entry for stored in assessments for entry in _of_assessment(stored)]
    for entry in [*entries, *(_of_measurement(one) for one in measurements)]:
        told.setdefault(entry.fact(), entry)
    return sorted(told.values(), key=lambda entry: (entry.date, str(entry.source_id), entry.kind))


def _of_assessment(stored: StoredAssessment) -> Iterator[Entry]:
    made = stored.assessment
    density = made.clinical.bone_density if made.clinical else None
    brief = AssessmentInBrief(
        id=made.id, status=made.status, category=made.combined.category,
        who_class=density.who_class if density else None, image=made.imaging.label if made.imaging else None,
        kl_grade=made.staging.kl_grade if made.staging else None,
    )  # fmt: skip
    day, source = made.created_at.date(), {"source": "assessment", "source_id": made.id}
    yield Entry(date=day, dated=True, kind="assessment", assessment=brief, **source)
    record = (stored.record or {}).get("record", {})
    for one in record.get("t_scores") or []:
        parts = {"site": one["site"], "value": one["value"], "method": one.get("method", "dxa")}
        yield Entry(kind="t_score", **parts, **_day(one.get("date"), day), **source)
    for one in record.get("bmd") or []:
        parts = {"site": one["site"], "value": one["g_per_cm2"], "method": one.get("device")}
        yield Entry(kind="bone_density", **parts, **_day(one.get("date"), day), **source)
    fractures = record.get("prior_fractures")
    for one in fractures if isinstance(fractures, list) else []:
        months = one.get("months_ago")
        when = None if months is None else (day - dt.timedelta(days=months * DAYS_A_MONTH)).isoformat()
        # "Four months ago" is no date of the day: two records of one fracture may differ by weeks.
        entry = {"site": one["site"], "low_trauma": one.get("low_trauma"), **_day(when, day), "dated": False}
        yield Entry(kind="fracture", **entry, **source)


def _day(given: str | None, otherwise: dt.date) -> dict[str, Any]:
    return {"date": dt.date.fromisoformat(given) if given else otherwise, "dated": given is not None}


def _of_measurement(one: Measurement) -> Entry:
    measured = one.measured
    parts: dict[str, Any]
    if isinstance(measured, TScoreMeasured):
        parts = {"value": measured.value, "method": measured.method}
    elif isinstance(measured, DensityMeasured):
        parts = {"value": measured.g_per_cm2, "method": measured.device}
    else:
        parts = {"low_trauma": measured.low_trauma}
    return Entry(
        date=measured.date, dated=True, kind=measured.kind, site=measured.site, source="measurement", source_id=one.id,
        **parts,
    )  # fmt: skip
