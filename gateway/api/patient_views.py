"""What the patients' routes answer."""

import datetime as dt
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.platform.identity.scopes import Principal
from gateway.records.alerts import Alert, AlertState
from gateway.records.measurement import Measured
from gateway.records.patient_records import PatientInBrief
from gateway.records.timeline import Entry
from gateway.records.trend import Trend
from shared.clinic.drug_names import bone_drug_named
from shared.contracts.assessment import Assessment


class PatientAnswer(BaseModel):
    """A patient: `patient_id` is the hospital's own reference, `id` the one given here."""

    id: UUID
    patient_id: str | None
    created_at: dt.datetime
    last_assessment_at: dt.datetime | None

    @classmethod
    def of(cls, found: PatientInBrief) -> "PatientAnswer":
        """As it travels."""
        return cls(
            id=found.id, patient_id=found.reference, created_at=found.created_at,
            last_assessment_at=found.last_assessment_at,
        )  # fmt: skip


class PatientPage(BaseModel):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""

    items: list[PatientAnswer]
    next: UUID | None


class Timeline(BaseModel):
    """A patient's years in the order of their dates, and how each measured bone density went."""

    patient_id: str | None
    entries: list[Entry]
    trends: list[Trend]


class MeasurementAnswer(BaseModel):
    """A measurement that was added by hand."""

    id: UUID
    measured: Measured


class AlertAnswer(BaseModel):
    """Something to look at. `due` from `due_from` on, `overdue` past `due_by`; `worsening` has no dates."""

    id: UUID
    patient: UUID
    patient_id: str | None
    state: AlertState
    code: str = Field(description="The rule's id, or what got worse")
    text: str = Field(description="A patient's account gets the patient's words")
    due_from: dt.date | None
    due_by: dt.date | None
    assessment_id: UUID | None
    created_at: dt.datetime

    @classmethod
    def of(cls, alert: Alert, who: Principal) -> "AlertAnswer":
        """As it travels to this caller."""
        fields = {name: value for name, value in vars(alert).items() if name not in ("reference", "patient_text")}
        if who.patient_id is not None:
            code = "follow_up" if bone_drug_named(alert.code) else alert.code
            fields |= {"text": alert.patient_text, "code": code}
        return cls(**fields, patient_id=alert.reference)


class AlertPage(BaseModel):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""

    items: list[AlertAnswer]
    next: UUID | None


class TrailLine(BaseModel):
    """Who did what to one of the patient's records."""

    at: dt.datetime
    actor: str
    action: str
    outcome: str
    subject: str | None


class AssessmentWithRecord(BaseModel):
    """An assessment and the record it was made from."""

    assessment: Assessment
    record: dict[str, Any] | None


class PatientExport(BaseModel):
    """Everything that is stored about one patient. Kept pictures are fetched from each assessment."""

    exported_at: dt.datetime
    id: UUID
    patient_id: str | None
    created_at: dt.datetime
    assessments: list[AssessmentWithRecord]
    measurements: list[MeasurementAnswer]
    alerts: list[AlertAnswer]
    trail: list[TrailLine]
