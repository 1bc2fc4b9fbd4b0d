"""A patient's years in order: assessments, measured bone densities and fractures, each fact once."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.records.encrypted import StoredAssessment
from gateway.records.measurement import DensityMeasured, FractureSuffered, TScoreMeasured
from shared.clinic.scores import DAYS_A_MONTH
from shared.contracts.assessment import Assessment
from shared.contracts.findings import RiskCategory, WhoClass
from shared.contracts.record import DensityMeasurement, DensityScore
from shared.contracts.review import ReviewStatus
from shared.contracts.risk import RiskRequest

EntryKind = Literal["assessment", "t_score", "bone_density", "fracture"]


@dataclass(frozen=True)
class Measurement:
    """A measurement that was added by hand."""

    id: UUID
    measured: TScoreMeasured | DensityMeasured | FractureSuffered


class AssessmentInBrief(BaseModel):
    """What an assessment came to; the whole of it is under `/v1/assessments/{id}`."""

    id: UUID
    status: Literal["complete", "partial"]
    review: ReviewStatus = Field(description="What is withdrawn shows no findings")
    category: RiskCategory | None
    who_class: WhoClass | None
    image: str | None = Field(description="The radiograph's label; null without one")
    kl_grade: int | None


class Entry(BaseModel):
    """One thing that happened. `dated` is false where the record gave no date and the assessment's own stands in."""

    date: dt.date
    dated: bool
    kind: EntryKind
    site: str | None = None
    value: float | None = Field(None, description="T-score, or g/cm2 for a bone density")
    method: str | None = Field(None, description="How a T-score was measured, or the densitometer's make")
    low_trauma: bool | None = None
    age: float | None = Field(None, description="Years, at a fracture whose date is not known")
    is_near: bool = Field(False, description="`date` is not the day, but within weeks of it", exclude=True)
    assessment: AssessmentInBrief | None = None
    source: Literal["assessment", "measurement"]
    source_id: UUID

    def fact(self) -> tuple[Any, ...]:
        """What makes two entries the same fact, recorded twice."""
        day = self.date if self.dated else None
        return self.kind, day, self.site, self.value, self.method, self.age, self.assessment and self.assessment.id


def timeline(assessments: Sequence[StoredAssessment], measurements: Sequence[Measurement]) -> list[Entry]:
    """Everything in the order of its date. A fact that several records repeat is shown once."""
    entries = [entry for stored in assessments for entry in _of_assessment(stored)]
    return _in_order([*entries, *map(_of_measurement, measurements)])


def _in_order(entries: Sequence[Entry]) -> list[Entry]:
    facts: dict[tuple[Any, ...], Entry] = {}
    for entry in entries:
        facts.setdefault(entry.fact(), entry)
    return sorted(facts.values(), key=lambda entry: (entry.date, str(entry.source_id), entry.kind))


def with_measurement(entries: Sequence[Entry], measurement: Measurement) -> list[Entry]:
    """The timeline as it will be once this has been added."""
    return _in_order([*entries, _of_measurement(measurement)])


@dataclass(frozen=True)
class _Source:
    """Where entries come from, and the day that stands in for a date that was not given."""

    kind: Literal["assessment", "measurement"]
    id: UUID
    day: dt.date

    def entry(self, kind: EntryKind, date: dt.date | None = None, **facts: Any) -> Entry:
        """One entry from here."""
        return Entry(
            kind=kind, date=date or self.day, dated=date is not None, source=self.kind, source_id=self.id, **facts
        )

    def t_score(self, score: DensityScore) -> Entry:
        return self.entry("t_score", score.date, site=score.site, value=score.value, method=score.method)

    def bone_density(self, scan: DensityMeasurement) -> Entry:
        return self.entry("bone_density", scan.date, site=scan.site, value=scan.g_per_cm2, method=scan.device)


def _of_assessment(stored: StoredAssessment) -> Iterator[Entry]:
    assessment = stored.assessment
    source = _Source("assessment", assessment.id, assessment.created_at.date())
    yield source.entry("assessment", source.day, assessment=_in_brief(assessment))
    # What a withdrawn one was made from may be another patient's.
    if assessment.is_withdrawn or not isinstance(stored.risk, RiskRequest):
        return
    record = stored.risk.record
    for score in record.t_scores or []:
        yield source.t_score(score)
    for scan in record.bmd or []:
        yield source.bone_density(scan)
    fractures = record.prior_fractures
    for fracture in fractures if isinstance(fractures, list) else []:
        when = None
        if fracture.months_ago is not None:
            when = source.day - dt.timedelta(days=fracture.months_ago * DAYS_A_MONTH)
        age = fracture.age if when is None else None
        entry = source.entry("fracture", when, site=fracture.site, low_trauma=fracture.low_trauma, age=age)
        # "Four months ago" is no date of the day: two records of one fracture may differ by weeks.
        yield entry.model_copy(update={"dated": False, "is_near": when is not None})


def _in_brief(assessment: Assessment) -> AssessmentInBrief:
    if assessment.is_withdrawn:
        found = dict.fromkeys(("category", "who_class", "image", "kl_grade"))
        return AssessmentInBrief(id=assessment.id, status=assessment.status, review="withdrawn", **found)
    density = assessment.clinical.bone_density if assessment.clinical else None
    return AssessmentInBrief(
        id=assessment.id,
        status=assessment.status,
        review=assessment.review.status,
        category=assessment.combined.category,
        who_class=density.who_class if density else None,
        image=assessment.imaging.label if assessment.imaging else None,
        kl_grade=assessment.staging.kl_grade if assessment.staging else None,
    )


def _of_measurement(measurement: Measurement) -> Entry:
    measured = measurement.measured
    source = _Source("measurement", measurement.id, measured.date)
    if isinstance(measured, TScoreMeasured):
        return source.t_score(measured)
    if isinstance(measured, DensityMeasured):
        return source.bone_density(measured)
    return source.entry("fracture", measured.date, site=measured.site, low_trauma=measured.low_trauma)
