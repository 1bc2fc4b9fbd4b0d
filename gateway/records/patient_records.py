"""What is stored about one patient beside the assessments, the lists of patients, and erasure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.idempotency import IdempotentRequest, forget, remember
from gateway.platform.database.tables import (
    AccountRow,
    AlertRow,
    AssessmentRow,
    BatchCaseRow,
    EmergencyAccessRow,
    InvitationRow,
    MeasurementRow,
    PatientMergeRow,
    PatientRow,
    RecoveryCodeRow,
    RefreshTokenRow,
    SignInRow,
)
from gateway.platform.encryption import decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, paged
from gateway.records.access import closed_patients, closed_to, restricted
from gateway.records.alert_rules import NewAlerts
from gateway.records.alerts import add_alerts
from gateway.records.film_queue import forget_films
from gateway.records.measurement import read_measured_json
from gateway.records.orders import forget_orders
from gateway.records.patients import Patient, Patients, still_there
from gateway.records.timeline import Measurement
from gateway.records.windows import count_up_to_most
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
    restricted: bool = False
    merged_numbers: Sequence[str] = ()


class PatientRecords:
    """Reads, adds to and erases what is stored about patients.

    Args:
        sessions: of the installation's database.
        patients: find the patients and open their keys.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def page(
        self, who: Principal, limit: int, before: UUID | None, number: str = ""
    ) -> Page[PatientSummary, UUID]:
        """The organisation's patients, newest first; a patient's own account sees itself.

        Of a restricted patient there is the number, and nothing of the record.

        Args:
            number: a part of a patient number, one that was merged into another's included; empty is everybody.
        """
        last = (
            select(func.max(AssessmentRow.created_at))
            .where(AssessmentRow.patient_id == PatientRow.id)
            .scalar_subquery()
        )
        query = select(PatientRow, last, closed_to(who, PatientRow.id)).where(_listed(who, number))
        if before is not None:
            query = query.where(PatientRow.id < before)
        async with self._sessions.begin() as session:
            rows = (await session.execute(query.order_by(PatientRow.id.desc()).limit(limit + 1))).all()
            session.add(audit_row(who.organisation_id, who.id, AuditAction.PATIENTS_LISTED))
            numbers = await _merged_numbers(session, [row.id for row, _, _ in rows])
        patients = [
            PatientSummary(
                row.id,
                row.patient_number,
                row.created_at,
                None if closed else moment,
                row.restricted_at is not None,
                numbers.get(row.id, ()),
            )
            for row, moment, closed in rows
        ]
        return paged(patients, limit, lambda patient: patient.id)

    async def count(self, who: Principal, number: str = "") -> int | None:
        """How many patients `page` has in all; null where they are more than are counted."""
        async with self._sessions() as session:
            return await count_up_to_most(session, select(PatientRow.id).where(_listed(who, number)))

    async def find(self, who: Principal, identity: str | UUID, action: AuditAction) -> Patient:
        """The patient of an id given here, or of a text that is an id or the hospital's own number; with an audit line.

        Raises:
            NotFound: there is none in the caller's organisation, or it is not the patient whose own account asks.
            PatientRestricted: the caller has to open the record first.
        """
        patient = await self.known(who, identity)
        async with self._sessions.begin() as session:
            closed = await closed_patients(session, who, [patient.id]) if patient else set()
            outcome: Outcome = "refused" if closed else "done" if patient else "not found"
            subject = str(patient.id) if patient else None
            session.add(audit_row(who.organisation_id, who.id, action, subject, outcome))
        if patient is None:
            raise _no_such_patient()
        if closed:
            raise restricted(patient.id)
        return patient

    async def known(self, who: Principal, identity: str | UUID) -> Patient | None:
        """The patient of a number or an id in the caller's organisation; whether the record opens is not asked."""
        patient = await self._patients.find(who.organisation_id, identity)
        return patient if patient is not None and who.patient_id in (None, patient.id) else None

    async def restrict(self, who: Principal, identity: str | UUID) -> None:
        """Restrict a patient's record. Whoever does so need not be able to read it; again changes nothing.

        Raises:
            NotFound: there is no such patient in the caller's organisation.
        """
        patient = await self.known(who, identity)
        action = AuditAction.PATIENT_RESTRICTED
        async with self._sessions.begin() as session:
            outcome: Outcome = "done" if patient else "not found"
            subject = str(patient.id) if patient else None
            session.add(audit_row(who.organisation_id, who.id, action, subject, outcome))
            if patient is not None:
                row = await session.get_one(PatientRow, patient.id, with_for_update=True)
                self._patients.set_restricted(row, row.restricted_at or now())
        if patient is None:
            raise _no_such_patient()

    async def lift_restriction(self, who: Principal, identity: str | UUID) -> None:
        """Lift a restriction, as somebody to whom the record is open.

        Raises:
            NotFound: there is no such patient in the caller's organisation.
            PatientRestricted: the caller has to open the record first.
        """
        patient = await self.find(who, identity, AuditAction.PATIENT_RESTRICTION_LIFTED)
        async with self._sessions.begin() as session:
            row = await session.get_one(PatientRow, patient.id, with_for_update=True)
            self._patients.set_restricted(row, None)

    async def merged_numbers(self, patient: Patient) -> Sequence[str]:
        """Further numbers of a patient, which lead to this one."""
        async with self._sessions() as session:
            return (await _merged_numbers(session, [patient.id])).get(patient.id, ())

    async def measurements(self, patient: Patient) -> list[Measurement]:
        """What was added by hand, oldest first."""
        query = select(MeasurementRow).where(MeasurementRow.patient_id == patient.id).order_by(MeasurementRow.id)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [
            Measurement(row.id, read_measured_json(decrypt(patient.data_key, row.content, row.id.bytes)))
            for row in rows
        ]

    async def measurement(self, patient: Patient, identity: UUID) -> Measurement:
        """One of them.

        Raises:
            NotFound: the patient has none under this id.
        """
        for measured in await self.measurements(patient):
            if measured.id == identity:
                return measured
        raise NotFound("There is no such measurement.")

    async def add(
        self,
        patient: Patient,
        measurement: Measurement,
        new_alerts: NewAlerts,
        who: Principal,
        request: IdempotentRequest | None = None,
    ) -> None:
        """Add a measurement, and the alerts that it gives, in one transaction.

        Raises:
            Conflict: the patient was erased or merged meanwhile.
        """
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
            remember(session, "measurement", who.id, request, identity)
            await session.flush()
            await still_there(session, patient.id)
            await add_alerts(session, new_alerts, who.organisation_id, None, who.id)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.MEASUREMENT_ADDED, str(identity)))

    async def erase(self, patient: Patient, who: Principal) -> None:
        """Destroy the patient's key and delete every row about the patient; the trail, which names ids, stays whole.

        Whoever was merged into the patient goes too.

        A backup from before still has the key: see docs/decisions/0008.
        """
        organisation_key = await self._patients.organisation_key(patient.organisation_id)
        async with self._sessions.begin() as session:
            # First, so that nothing new can be stored for the patient while the rest goes on.
            emptied = {
                "patient_number": None,
                "account_id": None,
                "data_key": None,
                "seal": None,
                "restricted_at": None,
                "erased_at": now(),
            }
            opened = EmergencyAccessRow.patient_id == patient.id
            await session.execute(update(EmergencyAccessRow).where(opened).values(content=None))
            mine = (PatientRow.id == patient.id) | (PatientRow.merged_into == patient.id)
            of_them = select(PatientRow.id, PatientRow.account_id, PatientRow.patient_number).where(mine)
            known = (await session.execute(of_them)).all()
            ids = [row.id for row in known]
            await session.execute(update(PatientRow).where(PatientRow.id.in_(ids)).values(emptied))
            numbers = [row.patient_number for row in known if row.patient_number]
            await forget_films(session, patient.organisation_id, organisation_key, numbers)
            await forget_orders(session, patient.organisation_id, organisation_key, numbers)
            merges = PatientMergeRow.surviving_id.in_(ids) | PatientMergeRow.retired_id.in_(ids)
            await session.execute(update(PatientMergeRow).where(merges).values(note=None))
            await forget(session, await _made_for(session, patient.id))
            for table in (AlertRow, MeasurementRow, BatchCaseRow, AssessmentRow):
                await session.execute(delete(table).where(table.patient_id == patient.id))
            await session.execute(delete(InvitationRow).where(InvitationRow.patient_id == patient.id))
            for row in known:
                if row.account_id is not None:
                    await _empty_account(session, row.account_id)
                session.add(audit_row(who.organisation_id, who.id, AuditAction.PATIENT_ERASED, str(row.id)))


def _listed(who: Principal, number: str) -> ColumnElement[bool]:
    ours = PatientRow.organisation_id == who.organisation_id
    condition = ours & PatientRow.erased_at.is_(None) & PatientRow.merged_into.is_(None)
    if who.patient_id is not None:
        condition &= PatientRow.id == who.patient_id
    if number:
        like = ours & PatientRow.patient_number.icontains(number, autoescape=True)
        condition &= PatientRow.id.in_(select(func.coalesce(PatientRow.merged_into, PatientRow.id)).where(like))
    return condition


async def _merged_numbers(session: AsyncSession, patient_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The numbers of whoever was merged into each of these patients."""
    query = select(PatientRow.merged_into, PatientRow.patient_number).where(PatientRow.merged_into.in_(patient_ids))
    found: dict[UUID, list[str]] = {}
    for survivor, number in await session.execute(query.order_by(PatientRow.id)):
        if survivor is not None and number is not None:
            found.setdefault(survivor, []).append(number)
    return found


def _no_such_patient() -> NotFound:
    return NotFound("There is no such patient.")


async def _made_for(session: AsyncSession, patient_id: UUID) -> list[UUID]:
    """Ids of what requests made for a patient, and of the batches that had a case of theirs."""
    tables = (AssessmentRow, MeasurementRow, InvitationRow, EmergencyAccessRow)
    queries = [select(table.id).where(table.patient_id == patient_id) for table in tables]
    queries.append(select(BatchCaseRow.batch_id).where(BatchCaseRow.patient_id == patient_id))
    return [identity for query in queries for identity in await session.scalars(query)]


async def _empty_account(session: AsyncSession, account_id: UUID) -> None:
    for table in (RefreshTokenRow, SignInRow, RecoveryCodeRow):
        await session.execute(delete(table).where(table.account_id == account_id))
    nobody = {"email": f"erased-{account_id}", "password_hash": ERASED_PASSWORD, "disabled_at": now()}
    await session.execute(update(AccountRow).where(AccountRow.id == account_id).values(nobody))
