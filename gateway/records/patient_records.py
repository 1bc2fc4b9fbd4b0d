"""What is stored about one patient beside the assessments, the lists of patients, and erasure."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import (
    AccountRow,
    AlertRow,
    AssessmentRow,
    AuditRow,
    BatchCaseRow,
    InvitationRow,
    MeasurementRow,
    PatientRow,
    RefreshTokenRow,
)
from gateway.platform.encryption import decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.records.alert_rules import NewAlerts
from gateway.records.alerts import add_alerts
from gateway.records.measurement import DensityMeasured, FractureSuffered, TScoreMeasured, read_measured_json
from gateway.records.patients import Patient, Patients
from gateway.records.timeline import Measurement
from shared.problems import NotFound

# An erased account keeps its row, which the trail names by its id, and loses everything else.
ERASED_PASSWORD = "erased"  # noqa: S105 -- no hash, so nothing matches it


@dataclass(frozen=True)
class PatientInBrief:
    """A line of the list of patients."""

    id: UUID
    reference: str | None
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

    async def page(self, who: Principal, limit: int, before: UUID | None) -> list[PatientInBrief]:
        """The organisation's patients, newest first; a patient's own account sees itself."""
        last = (
            select(func.max(AssessmentRow.created_at)).where(AssessmentRow.patient == PatientRow.id).scalar_subquery()
        )
        query = select(PatientRow, last).where(
            PatientRow.organisation_id == who.organisation_id, PatientRow.erased_at.is_(None)
        )
        if who.patient_id is not None:
            query = query.where(PatientRow.id == who.patient_id)
        if before is not None:
            query = query.where(PatientRow.id < before)
        async with self._sessions.begin() as session:
            rows = (await session.execute(query.order_by(PatientRow.id.desc()).limit(limit))).all()
            session.add(audit_row(who.organisation_id, who.id, "patients listed"))
        return [PatientInBrief(row.id, row.reference, row.created_at, moment) for row, moment in rows]

    async def find(self, who: Principal, identity: str, action: str) -> Patient:
        """The patient of a hospital's own reference or an internal id, looked up with a line in the audit trail.

        Raises:
            NotFound: there is none in the caller's organisation, or it is not the patient whose own account asks.
        """
        found = await self._patients.known(who.organisation_id, identity)
        if found is None and (as_id := _uuid(identity)):
            found = await self._patients.by_id(who.organisation_id, as_id)
        if found is not None and who.patient_id not in (None, found.id):
            found = None
        outcome: Outcome = "done" if found else "not found"
        async with self._sessions.begin() as session:
            session.add(audit_row(who.organisation_id, who.id, action, str(found.id) if found else None, outcome))
        if found is None:
            raise NotFound("There is no such patient.")
        return found

    async def measurements(self, patient: Patient) -> list[Measurement]:
        """What was added by hand, oldest first."""
        query = select(MeasurementRow).where(MeasurementRow.patient == patient.id).order_by(MeasurementRow.id)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [
            Measurement(row.id, read_measured_json(decrypt(patient.data_key, row.content, row.id.bytes)))
            for row in rows
        ]

    async def add(
        self,
        patient: Patient,
        measured: TScoreMeasured | DensityMeasured | FractureSuffered,
        watch: NewAlerts,
        who: Principal,
    ) -> Measurement:
        """Add a measurement, and the alerts that it gives, in one transaction."""
        identity = uuid7()
        row = MeasurementRow(
            id=identity, organisation_id=who.organisation_id, patient=patient.id, created_at=now(), created_by=who.id,
            content=encrypt(patient.data_key, measured.model_dump_json().encode(), identity.bytes),
        )  # fmt: skip
        async with self._sessions.begin() as session:
            session.add(row)
            await session.flush()
            await add_alerts(session, watch, who.organisation_id, None, who.id)
            session.add(audit_row(who.organisation_id, who.id, "measurement added", str(identity)))
        return Measurement(identity, measured)

    async def trail(self, patient: Patient, assessments: list[UUID]) -> list[AuditRow]:
        """Who read or wrote what of this patient, oldest first."""
        subjects = [str(patient.id), *map(str, assessments)]
        query = select(AuditRow).where(
            AuditRow.organisation_id == patient.organisation_id, AuditRow.subject.in_(subjects)
        )
        async with self._sessions() as session:
            return list(await session.scalars(query.order_by(AuditRow.sequence)))

    async def erase(self, patient: Patient, who: Principal) -> None:
        """Destroy the patient's key and delete every row about the patient; the trail, which names ids, stays whole.

        What is sealed with the key stays unreadable in old backups, too.
        """
        async with self._sessions.begin() as session:
            # First, so that nothing new can be stored for the patient while the rest goes on.
            emptied = {"reference": None, "account_id": None, "data_key": None, "erased_at": now()}
            await session.execute(update(PatientRow).where(PatientRow.id == patient.id).values(emptied))
            for table in (AlertRow, MeasurementRow, BatchCaseRow, AssessmentRow):
                await session.execute(delete(table).where(table.patient == patient.id))
            await session.execute(delete(InvitationRow).where(InvitationRow.patient_id == patient.id))
            if patient.account_id is not None:
                await _empty_account(session, patient.account_id)
            session.add(audit_row(who.organisation_id, who.id, "patient erased", str(patient.id)))


async def _empty_account(session: AsyncSession, account_id: UUID) -> None:
    await session.execute(delete(RefreshTokenRow).where(RefreshTokenRow.account_id == account_id))
    nobody = {"email": f"erased-{account_id}", "password_hash": ERASED_PASSWORD, "disabled_at": now()}
    await session.execute(update(AccountRow).where(AccountRow.id == account_id).values(nobody))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
