"""Everything that is stored about one patient, as it is taken away (GDPR, article 20)."""

import datetime as dt
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.assessing.patient_views import (
    AlertView,
    AssessmentWithRecordView,
    EmergencyAccessView,
    MeasurementView,
)
from gateway.platform.audit import AuditLine
from gateway.records.patient_merges import MergeStatus, PatientMerge
from gateway.records.shadow_answers import StoredShadowAnswer
from gateway.records.stored_data import StoredRendering, WaitingCase, WaitingFilm
from gateway.records.stored_risk import as_sent
from shared.contracts.feedback import StoredFeedback
from shared.contracts.order import Order
from shared.contracts.shadow import ShadowAnswer


class PatientAuditLineView(BaseModel):
    """Who did what to one of the patient's records, or what the patient's own account did."""

    at: dt.datetime
    actor: str
    action: str
    outcome: str
    subject: str | None
    address: str | None

    @classmethod
    def of(cls, line: AuditLine) -> "PatientAuditLineView":
        """As it travels."""
        return cls.model_validate(line, from_attributes=True)


class ExportedAlertView(AlertView):
    """An alert, with who closed it."""

    closed_at: dt.datetime | None
    closed_by: str | None


class ExportedRenderingView(BaseModel):
    """A kept preview or heat map."""

    assessment_id: UUID
    kind: str
    expires_at: dt.datetime
    png_base64: str

    @classmethod
    def of(cls, rendering: StoredRendering) -> "ExportedRenderingView":
        """As it travels."""
        return cls.model_validate(rendering, from_attributes=True)


class ExportedAccountView(BaseModel):
    """The patient's own account."""

    id: UUID
    email: str
    created_at: dt.datetime
    disabled_at: dt.datetime | None


class ExportedInvitationView(BaseModel):
    """An invitation to an account of the patient's own."""

    id: UUID
    email: str
    created_by: str
    created_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None


class ExportedShadowAnswerView(BaseModel):
    """What a version of a model that was only on trial answered; it counted for nothing, and no clinician saw it."""

    assessment_id: UUID
    service: str
    version: str
    at: dt.datetime
    answer: ShadowAnswer

    @classmethod
    def of(cls, stored: StoredShadowAnswer) -> "ExportedShadowAnswerView":
        """As it travels."""
        return cls.model_validate(stored, from_attributes=True)


class ExportedCaseView(BaseModel):
    """A case of a batch; what was handed in is kept only while it waits."""

    batch_id: UUID
    reference: str
    status: str
    record: dict[str, Any] | None
    image_base64: str | None

    @classmethod
    def of(cls, case: WaitingCase) -> "ExportedCaseView":
        """As it travels."""
        return cls(
            batch_id=case.batch_id,
            reference=case.reference,
            status=case.state,
            record=as_sent(case.risk),
            image_base64=case.image_base64,
        )


class ExportedFilmView(BaseModel):
    """A film that came in by itself and waits, or was given up."""

    id: UUID
    source: str
    state: str
    arrived_at: dt.datetime
    dicom_base64: str

    @classmethod
    def of(cls, film: WaitingFilm) -> "ExportedFilmView":
        """As it travels."""
        return cls(
            id=film.id,
            source=film.source,
            state=film.state,
            arrived_at=film.arrived_at,
            dicom_base64=film.dicom_base64,
        )


class ExportedMergeView(BaseModel):
    """Two numbers that were said to be this patient's, and what came of it."""

    id: UUID
    status: MergeStatus
    surviving_id: UUID
    surviving_number: str | None
    retired_id: UUID
    retired_number: str | None
    note: str | None
    proposed_at: dt.datetime
    proposed_by: str
    decided_at: dt.datetime | None
    decided_by: str | None
    undone_at: dt.datetime | None
    undone_by: str | None

    @classmethod
    def of(cls, merge: PatientMerge) -> "ExportedMergeView":
        """As it travels."""
        return cls(**vars(merge))


class PatientExportView(BaseModel):
    """Everything that is stored about one patient."""

    exported_at: dt.datetime
    id: UUID
    patient_number: str | None
    created_at: dt.datetime
    account: ExportedAccountView | None = Field(description="The patient's own")
    merged_accounts: list[ExportedAccountView] = Field(description="Of further numbers that were merged into this one")
    invitations: list[ExportedInvitationView]
    assessments: list[AssessmentWithRecordView]
    feedback: list[StoredFeedback] = Field(description="What clinicians knew better of the assessments")
    shadow_answers: list[ExportedShadowAnswerView] = Field(
        description="What versions of models on trial answered; they counted for nothing"
    )
    pictures: list[ExportedRenderingView]
    measurements: list[MeasurementView]
    alerts: list[ExportedAlertView] = Field(description="Open and closed ones")
    emergency_accesses: list[EmergencyAccessView] = Field(description="Who opened the restricted record, and why")
    merges: list[ExportedMergeView] = Field(description="Further numbers of the patient, as proposed and decided")
    batch_cases: list[ExportedCaseView]
    films: list[ExportedFilmView] = Field(description="Films that came in by themselves and were not assessed yet")
    orders: list[Order] = Field(description="Orders that were announced and whose films have not come yet")
    trail: list[PatientAuditLineView]
