"""What is stored about a patient beside assessments, measurements and alerts; the export leaves nothing out."""

import base64
import datetime as dt
import json
from dataclasses import dataclass
from uuid import UUID

import anyio
from sqlalchemy import select

from gateway.platform.audit import AuditLine, audit_line
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import (
    AccountRow,
    AlertRow,
    AssessmentRow,
    AuditRow,
    BatchCaseRow,
    FilmRow,
    InvitationRow,
    MeasurementRow,
    PatientRow,
    RenderingRow,
)
from gateway.platform.encryption import decrypt
from gateway.platform.identity.scopes import account_actor
from gateway.records.batches import case_bindings, decrypt_reference
from gateway.records.encrypted import decrypt_rendering
from gateway.records.films import keyed_hash
from gateway.records.orders import Orders
from gateway.records.patients import Patient, Patients
from gateway.records.stored_risk import AnyRisk, read_stored_risk
from shared.contracts.order import Order


@dataclass(frozen=True)
class StoredAccount:
    """A patient's own account."""

    id: UUID
    email: str
    created_at: dt.datetime
    disabled_at: dt.datetime | None


@dataclass(frozen=True)
class StoredInvitation:
    """An invitation to an account of the patient's own, whatever became of it."""

    id: UUID
    email: str
    created_by: str
    created_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None


@dataclass(frozen=True)
class StoredRendering:
    """A kept preview or heat map."""

    assessment_id: UUID
    kind: str
    expires_at: dt.datetime
    png_base64: str


@dataclass(frozen=True)
class WaitingCase:
    """A case of a batch; what was handed in is there until it has ended."""

    batch_id: UUID
    reference: str
    state: str
    risk: AnyRisk | None
    image_base64: str | None


@dataclass(frozen=True)
class WaitingFilm:
    """A film that came in by itself and waits, or was given up; afterwards it is deleted."""

    id: UUID
    source: str
    state: str
    arrived_at: dt.datetime
    dicom_base64: str


class StoredData:
    """Reads what is stored about a patient; whether the caller may see the patient was asked before.

    Args:
        sessions: of the installation's database.
        patients: know the organisation's key, which senders' names for cases are encrypted with.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def account(self, patient: Patient) -> StoredAccount | None:
        """The patient's own account, if there is one."""
        if patient.account_id is None:
            return None
        async with self._sessions() as session:
            row = await session.get_one(AccountRow, patient.account_id)
        return StoredAccount(row.id, row.email, row.created_at, row.disabled_at)

    async def merged_accounts(self, patient: Patient) -> list[StoredAccount]:
        """The accounts of whoever was merged into the patient, oldest first."""
        merged = select(PatientRow.account_id).where(PatientRow.merged_into == patient.id)
        query = select(AccountRow).where(AccountRow.id.in_(merged)).order_by(AccountRow.id)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [StoredAccount(row.id, row.email, row.created_at, row.disabled_at) for row in rows]

    async def invitations(self, patient: Patient) -> list[StoredInvitation]:
        """Invitations to an account of the patient's own, oldest first."""
        query = select(InvitationRow).where(InvitationRow.patient_id == patient.id).order_by(InvitationRow.id)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [
            StoredInvitation(
                row.id, row.email, row.created_by, row.created_at, row.expires_at, row.used_at, row.revoked_at
            )
            for row in rows
        ]

    async def renderings(self, patient: Patient) -> list[StoredRendering]:
        """Kept previews and heat maps, oldest first."""
        mine = select(AssessmentRow.id).where(AssessmentRow.patient_id == patient.id)
        query = select(RenderingRow).where(RenderingRow.assessment_id.in_(mine))
        async with self._sessions() as session:
            rows = (await session.scalars(query.order_by(RenderingRow.assessment_id, RenderingRow.kind))).all()
        return await anyio.to_thread.run_sync(lambda: [_rendering(row, patient.data_key) for row in rows])

    async def batch_cases(self, patient: Patient) -> list[WaitingCase]:
        """The patient's cases of batches."""
        organisation_key = await self._patients.organisation_key(patient.organisation_id)
        query = select(BatchCaseRow).where(BatchCaseRow.patient_id == patient.id).order_by(BatchCaseRow.id)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return await anyio.to_thread.run_sync(lambda: [_case(row, patient.data_key, organisation_key) for row in rows])

    async def films(self, patient: Patient) -> list[WaitingFilm]:
        """The patient's films that wait to be assessed, or were given up; by each of the patient's numbers."""
        key, numbers = await self._patients.organisation_key(patient.organisation_id), await self._numbers(patient)
        hashes = [keyed_hash(key, "patient", number.strip()) for number in numbers]
        async with self._sessions() as session:
            mine = (FilmRow.organisation_id == patient.organisation_id) & FilmRow.patient_hash.in_(hashes)
            rows = (await session.scalars(select(FilmRow).where(mine).order_by(FilmRow.id))).all()
        return await anyio.to_thread.run_sync(lambda: [_film(row, key) for row in rows])

    async def orders(self, patient: Patient) -> list[Order]:
        """The orders that wait for the patient's films, by each of the patient's numbers."""
        orders = Orders(self._sessions, self._patients)
        return await orders.of_patient(patient.organisation_id, await self._numbers(patient))

    async def _numbers(self, patient: Patient) -> list[str]:
        theirs = (PatientRow.id == patient.id) | (PatientRow.merged_into == patient.id)
        async with self._sessions() as session:
            return [n for n in await session.scalars(select(PatientRow.patient_number).where(theirs)) if n]

    async def trail(self, patient: Patient) -> list[AuditLine]:
        """Who read or wrote what of this patient, and what the patient's own account did, oldest first."""
        subjects: list[str] = []
        async with self._sessions() as session:
            for table in (AssessmentRow, MeasurementRow, AlertRow):
                subjects += map(str, await session.scalars(select(table.id).where(table.patient_id == patient.id)))
            batches = select(BatchCaseRow.batch_id).where(BatchCaseRow.patient_id == patient.id).distinct()
            subjects += map(str, await session.scalars(batches))
            invitations = select(InvitationRow.id).where(InvitationRow.patient_id == patient.id)
            subjects += [f"invitation:{identity}" for identity in await session.scalars(invitations)]
            mine = (PatientRow.id == patient.id) | (PatientRow.merged_into == patient.id)
            known = (await session.execute(select(PatientRow.id, PatientRow.account_id).where(mine))).all()
            subjects += [str(row.id) for row in known]
            own = [account_actor(row.account_id) for row in known if row.account_id is not None]
            about = AuditRow.subject.in_([*subjects, *own]) | AuditRow.actor.in_(own)
            query = select(AuditRow).where(AuditRow.organisation_id == patient.organisation_id, about)
            return [audit_line(row) for row in await session.scalars(query.order_by(AuditRow.sequence))]


def _rendering(row: RenderingRow, key: bytes) -> StoredRendering:
    png = decrypt_rendering(key, row.content, row.assessment_id, row.kind)
    return StoredRendering(row.assessment_id, row.kind, row.expires_at, base64.b64encode(png).decode())


def _film(row: FilmRow, key: bytes) -> WaitingFilm:
    data = decrypt(key, row.content, row.id.bytes + b"film") if row.content else b""
    return WaitingFilm(row.id, row.source, row.state, row.arrived_at, base64.b64encode(data).decode())


def _case(row: BatchCaseRow, key: bytes, organisation_key: bytes) -> WaitingCase:
    bound_to = case_bindings(row.id)
    content = json.loads(decrypt(key, row.record, bound_to["record"])) if row.record else {"risk": None}
    image = decrypt(key, row.image, bound_to["image"]) if row.image else None
    shown = base64.b64encode(image).decode() if image is not None else None
    reference = decrypt_reference(organisation_key, row)
    return WaitingCase(row.batch_id, reference, row.state, read_stored_risk(content["risk"]), shown)
