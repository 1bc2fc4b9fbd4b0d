"""What is answered about patients, to programs and in the export: the same from the API and from the pages."""

import datetime as dt
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.platform.identity.scopes import Principal
from gateway.records.alert_rules import Change
from gateway.records.alerts import Alert, AlertState
from gateway.records.emergency_accesses import EmergencyAccess, EmergencyReason
from gateway.records.encrypted import StoredAssessment
from gateway.records.measurement import Measured
from gateway.records.patient_records import PatientSummary
from gateway.records.stored_risk import as_sent
from gateway.records.timeline import Entry, Measurement
from gateway.records.trend import Trend
from shared.clinic.drug_names import bone_drug_named
from shared.contracts.assessment import Assessment
from shared.contracts.film import DicomIdentity
from shared.contracts.order import Order


class PatientView(BaseModel):
    """A patient: `patient_number` is the hospital's own, `id` (elsewhere `patient_id`) is given here."""

    id: UUID
    patient_number: str | None
    created_at: dt.datetime
    last_assessment_at: dt.datetime | None
    restricted: bool = Field(description="Whether emergency access is needed to read the record")
    merged_numbers: list[str] = Field(description="Further numbers of the patient, which lead here")

    @classmethod
    def of(cls, patient: PatientSummary) -> "PatientView":
        """As it travels."""
        return cls.model_validate(patient, from_attributes=True)


class TimelineView(BaseModel):
    """A patient's years in the order of their dates, and how each measured bone density went."""

    patient_number: str | None
    entries: list[Entry]
    trends: list[Trend]


class MeasurementView(BaseModel):
    """A measurement that was added by hand."""

    id: UUID
    measured: Measured

    @classmethod
    def of(cls, measurement: Measurement) -> "MeasurementView":
        """As it travels."""
        return cls(id=measurement.id, measured=measurement.measured)


class AlertView(BaseModel):
    """Something to look at. `due` from `due_from` on, `overdue` past `due_by`; `urgent` and `worsening` have no dates.

    `urgent`: the assessment advises an emergency. It stays open until somebody closes it, or its case on the work list;
    where no clinician acknowledges it in time, a second alarm goes out.
    """

    id: UUID
    patient_id: UUID | None = Field(description="Null where the case named nobody: `assessment_id` leads to it")
    patient_number: str | None
    status: AlertState
    code: str = Field(description="The rule's id, or what got worse")
    text: str = Field(description="A patient's account gets the patient's words")
    due_from: dt.date | None
    due_by: dt.date | None
    assessment_id: UUID | None
    created_at: dt.datetime
    change: Change | None = Field(description="Of what got worse; null otherwise, and in alerts of earlier versions")
    restricted: bool = Field(description="The record is closed to this caller: what the alert is about is left out")
    acknowledged_at: dt.datetime | None = Field(description="When a clinician said to be looking at the emergency")
    acknowledged_by: str | None = Field(description="As the audit trail names the person; left out for a patient")
    escalated_at: dt.datetime | None = Field(description="When a second alarm went out, as nobody had")

    @classmethod
    def of(cls, alert: Alert, who: Principal) -> Self:
        """As it travels to this caller."""
        fields = {name: value for name, value in vars(alert).items() if name in cls.model_fields}
        if who.is_patient:
            code = "follow_up" if bone_drug_named(alert.code) else alert.code
            fields |= {"text": alert.patient_text, "code": code, "acknowledged_by": None}
        return cls(**fields)


class EmergencyAccessView(BaseModel):
    """A restricted patient's record, opened by one person for some hours, and what somebody else said to it later."""

    id: UUID
    patient_id: UUID
    patient_number: str | None = Field(description="Null where the patient was erased since")
    opened_by: str = Field(description="As the audit trail names the person")
    opened_at: dt.datetime
    ends_at: dt.datetime
    reason: EmergencyReason
    note: str | None = Field(description="The person's own words; null where the patient was erased since")
    reviewed_at: dt.datetime | None
    reviewed_by: str | None
    review_note: str | None

    @classmethod
    def of(cls, access: EmergencyAccess) -> "EmergencyAccessView":
        """As it travels."""
        return cls.model_validate(access, from_attributes=True)


class AssessmentWithRecordView(BaseModel):
    """An assessment and the record it was made from."""

    assessment: Assessment
    record: dict[str, Any] | None
    identity: Annotated[
        DicomIdentity | None, Field(description="Whom and what the radiograph's DICOM file said it was of")
    ] = None
    order: Annotated[Order | None, Field(description="That the radiograph was taken for")] = None

    @classmethod
    def of(cls, stored: StoredAssessment, visible: Assessment) -> "AssessmentWithRecordView":
        """As it travels; `visible` is the part of the assessment that the caller may see."""
        record = as_sent(stored.risk)
        return cls(assessment=visible, record=record, identity=stored.identity, order=stored.order)
