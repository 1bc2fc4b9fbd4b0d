"""What is stored about one patient beside the assessments, the lists of patients, and erasure."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import (
    AccountRow,
    AlertRow,
    AssessmentRow,
    BatchCaseRow,
    BatchRow,
    InvitationRow,
    MeasurementRow,
    PatientRow,
    RecoveryCodeRow,
    RefreshTokenRow,
    SignInRow,
)
from gateway.platform.encryption import decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, paged
from gateway.records.alert_rules import NewAlerts
from gateway.records.alerts import add_alerts
from gateway.records.measurement import read_measured_json
from gateway.records.patients import Patient, Patients, as_uuid
from gateway.records.timeline import Measurement
from shared.problems import NotFound

# An erased account keeps its row, which the trail names by its id, and loses everything else.
ERASED_PASSWORD = "erased"  # noqa: S105 -- no hash, so nothing matches it


@dataclass(frozen=True)
class PatientSummary:
    """A line of the list of patients."""

    id: UUID
    patient_number: str | None
    created_at: dt.datetime
    last_assessment_at: dt.datetime | None


class PatientRecords:
    """Reads, adds to and erases what is stored about patients.

    Args:
        sessions: of the installation's database.
        patients: find the patients and open their keys.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def page(self, who: Principal, limit: int, before: UUID | None) -> Page[PatientSummary, UUID]:
        """The organisation's patients, newest first; a patient's own account sees itself."""
        last = (
            select(func.max(AssessmentRow.created_at))
            .where(AssessmentRow.patient_id == PatientRow.id)
            .scalar_subquery()
        )
        query = select(PatientRow, last).where(
            PatientRow.organisation_id == who.organisation_id, PatientRow.erased_at.is_(None)
        )
        if who.patient_id is not None:
            query = query.where(PatientRow.id == who.patient_id)
        if before is not None:
            query = query.where(PatientRow.id < before)
        async with self._sessions.begin() as session:
            rows = (await session.execute(query.order_by(PatientRow.id.desc()).limit(limit + 1))).all()
            session.add(audit_row(who.organisation_id, who.id, AuditAction.PATIENTS_LISTED))
        patients = [PatientSummary(row.id, row.patient_number, row.created_at, moment) for row, moment in rows]
        return paged(patients, limit, lambda patient: patient.id)

    async def find(self, who: Principal, identity: str, action: AuditAction) -> Patient:
        """The patient of a hospital's own number or an id given here, looked up with a line in the audit trail.

        Raises:
            NotFound: there is none in the caller's organisation, or it is not the patient whose own account asks.
        """
        patient = await self._patients.by_number(who.organisation_id, identity)
        if patient is None and (patient_id := as_uuid(identity)):
            patient = await self._patients.by_id(who.organisation_id, patient_id)
        if patient is not None and who.patient_id not in (None, patient.id):
            patient = None
        outcome: Outcome = "done" if patient else "not found"
        async with self._sessions.begin() as session:
            subject = str(patient.id) if patient else None
            session.add(audit_row(who.organisation_id, who.id, action, subject, outcome))
        if patient is None:
            raise NotFound("There is no such patient.")
        return patient

    async def measurements(self, patient: Patient) -> list[Measurement]:
        """What was added by hand, oldest first."""
        query = select(MeasurementRow).where(MeasurementRow.patient_id == patient.id).order_by(MeasurementRow.id)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [
            Measurement(row.id, read_measured_json(decrypt(patient.data_key, row.content, row.id.bytes)))
            for row in rows
        ]

    async def add(self, patient: Patient, measurement: Measurement, new_alerts: NewAlerts, who: Principal) -> None:
        """Add a measurement, and the alerts that it gives, in one transaction."""
        identity = measurement.id
        row = MeasurementRow(
            id=identity,
            organisation_id=who.organisation_id,
            patient_id=patient.id,
            created_at=now(),
            created_by=who.id,
            content=encrypt(patient.data_key, measurement.measured.model_dump_json().encode(), identity.bytes),
        )
        async with self._sessions.begin() as session:
            session.add(row)
            await session.flush()
            await add_alerts(session, new_alerts, who.organisation_id, None, who.id)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.MEASUREMENT_ADDED, str(identity)))

    async def erase(self, patient: Patient, who: Principal) -> None:
        """Destroy the patient's key and delete every row about the patient; the trail, which names ids, stays whole.

        A backup from before still has the key: see docs/decisions/0008.
        """
        async with self._sessions.begin() as session:
            # First, so that nothing new can be stored for the patient while the rest goes on.
            emptied = {"patient_number": None, "account_id": None, "data_key": None, "seal": None, "erased_at": now()}
            await session.execute(update(PatientRow).where(PatientRow.id == patient.id).values(emptied))
            batches = select(BatchCaseRow.batch_id).where(BatchCaseRow.patient_id == patient.id)
            forgotten = update(BatchRow).where(BatchRow.id.in_(batches)).values(idempotency_key=None, request_hash=None)
            await session.execute(forgotten.execution_options(synchronize_session=False))
            for table in (AlertRow, MeasurementRow, BatchCaseRow, AssessmentRow):
                await session.execute(delete(table).where(table.patient_id == patient.id))
            await session.execute(delete(InvitationRow).where(InvitationRow.patient_id == patient.id))
            if patient.account_id is not None:
                await _empty_account(session, patient.account_id)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.PATIENT_ERASED, str(patient.id)))


async def _empty_account(session: AsyncSession, account_id: UUID) -> None:
    for table in (RefreshTokenRow, SignInRow, RecoveryCodeRow):
        await session.execute(delete(table).where(table.account_id == account_id))
    nobody = {"email": f"erased-{account_id}", "password_hash": ERASED_PASSWORD, "disabled_at": now()}
    await session.execute(update(AccountRow).where(AccountRow.id == account_id).values(nobody))
