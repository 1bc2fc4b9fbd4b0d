"""Emergency access ("breaking the glass") in the database: who opened a restricted record, why, and who reviewed it."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Literal, cast, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.idempotency import IdempotentRequest, remember
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import EmergencyAccessRow, PatientRow
from gateway.platform.encryption import KeyEncryptionKey, decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, paged
from gateway.records.access import emergency_subject
from gateway.records.patients import Patient, checked_key
from shared.problems import Conflict, NotAuthorised, NotFound

EmergencyReason = Literal["emergency", "treatment", "cover", "opinion", "patient_request", "administration", "other"]
REASONS: tuple[EmergencyReason, ...] = get_args(EmergencyReason)
LONGEST_NOTE = 500


@dataclass(frozen=True)
class EmergencyAccess:
    """A restricted patient's record, opened by one person until `ends_at`. Notes are null once erased."""

    id: UUID
    patient_id: UUID
    patient_number: str | None
    opened_by: str
    opened_at: dt.datetime
    ends_at: dt.datetime
    reason: EmergencyReason
    note: str | None
    reviewed_at: dt.datetime | None
    reviewed_by: str | None
    review_note: str | None


class EmergencyAccesses:
    """Begins emergency accesses, lists them and keeps their review.

    Args:
        sessions: of the installation's database.
        kek: unwraps the patients' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def begin(
        self,
        who: Principal,
        patient: Patient,
        reason: EmergencyReason,
        note: str,
        lasts: dt.timedelta,
        request: IdempotentRequest | None = None,
    ) -> EmergencyAccess:
        """Open a restricted patient's record to one person."""
        identity, moment = uuid7(), now()
        row = EmergencyAccessRow(
            id=identity,
            organisation_id=who.organisation_id,
            patient_id=patient.id,
            opened_by=who.id,
            opened_at=moment,
            ends_at=moment + lasts,
            reason=reason,
            content=_encrypted(patient.data_key, identity, {"note": note}),
        )
        async with self._sessions.begin() as session:
            session.add(row)
            remember(session, "emergency access", who.id, request, identity)
            subjects = (emergency_subject(identity), str(patient.id))
            session.add_all(
                audit_row(who.organisation_id, who.id, AuditAction.EMERGENCY_ACCESS_BEGUN, subject)
                for subject in subjects
            )
        return _access(row, patient.patient_number, {"note": note})

    async def page(
        self, who: Principal, limit: int, before: UUID | None, reviewed: bool | None
    ) -> Page[EmergencyAccess, UUID]:
        """The organisation's, newest first; those that wait for their review, those that had it, or both (null)."""
        condition = EmergencyAccessRow.organisation_id == who.organisation_id
        if reviewed is not None:
            condition &= EmergencyAccessRow.reviewed_at.is_not(None) == reviewed
        if before is not None:
            condition &= EmergencyAccessRow.id < before
        async with self._sessions.begin() as session:
            found = await self._select(session, condition, limit + 1)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.EMERGENCY_ACCESSES_LISTED))
        return paged(found, limit, lambda access: access.id)

    async def get(self, patient: Patient, access_id: UUID) -> EmergencyAccess:
        """One of a patient's record; whether the caller may see it was asked before.

        Raises:
            NotFound: there is none under this id.
        """
        for access in await self.of_patient(patient):
            if access.id == access_id:
                return access
        raise NotFound(f"There is no emergency access {access_id}.")

    async def of_patient(self, patient: Patient) -> list[EmergencyAccess]:
        """Every one of a patient's record, newest first; whether the caller may see the patient was asked before."""
        async with self._sessions() as session:
            return await self._select(session, EmergencyAccessRow.patient_id == patient.id, None)

    async def open_until(self, who: Principal, patient_id: UUID) -> dt.datetime | None:
        """Until when a patient's record is open to somebody by emergency access; null where it is not."""
        mine = (EmergencyAccessRow.opened_by == who.id) & (EmergencyAccessRow.patient_id == patient_id)
        query = select(func.max(EmergencyAccessRow.ends_at)).where(mine, EmergencyAccessRow.ends_at > now())
        async with self._sessions() as session:
            return await session.scalar(query)

    async def waiting(self, organisation_id: UUID) -> int:
        """How many of the organisation's wait for their review."""
        unreviewed = EmergencyAccessRow.reviewed_at.is_(None)
        ours = select(func.count()).where(EmergencyAccessRow.organisation_id == organisation_id, unreviewed)
        async with self._sessions() as session:
            return await session.scalar(ours) or 0

    async def review(self, access_id: UUID, who: Principal, note: str) -> EmergencyAccess:
        """Say what came of looking into one. The note is encrypted like the reason, and goes with the patient.

        Raises:
            NotFound: the organisation has none under this id.
            NotAuthorised: it is the reviewer's own.
            Conflict: it was reviewed before.
        """
        mine = (EmergencyAccessRow.id == access_id) & (EmergencyAccessRow.organisation_id == who.organisation_id)
        async with self._sessions.begin() as session:
            query = select(EmergencyAccessRow).where(mine).with_for_update()
            row = (await session.scalars(query)).one_or_none()
            is_own, is_done = (
                row is not None and row.opened_by == who.id,
                row is not None and row.reviewed_at is not None,
            )
            if row is not None and not is_own and not is_done:
                row.reviewed_at, row.reviewed_by = now(), who.id
                patient = await session.get_one(PatientRow, row.patient_id)
                if row.content is not None and (key := self._key(patient, row)):
                    row.content = _encrypted(key, row.id, {**_decrypted(key, row), "review_note": note})
            outcome: Outcome = "not found" if row is None else "refused" if is_own or is_done else "done"
            action = AuditAction.EMERGENCY_ACCESS_REVIEWED
            session.add(audit_row(who.organisation_id, who.id, action, emergency_subject(access_id), outcome))
            found = await self._select(session, mine, 1) if outcome == "done" else []
        if row is None:
            raise NotFound(f"There is no emergency access {access_id}.")
        if is_own:
            raise NotAuthorised("Somebody else reviews your own emergency access.")
        if is_done:
            raise Conflict("This emergency access was reviewed before.")
        return found[0]

    async def _select(
        self, session: AsyncSession, condition: ColumnElement[bool], limit: int | None
    ) -> list[EmergencyAccess]:
        await session.flush()
        query = select(EmergencyAccessRow, PatientRow).join(PatientRow, PatientRow.id == EmergencyAccessRow.patient_id)
        newest = query.where(condition).order_by(EmergencyAccessRow.id.desc()).limit(limit)
        found = []
        for row, patient in (await session.execute(newest)).all():
            key = self._key(patient, row)
            texts = _decrypted(key, row) if key is not None and row.content is not None else {}
            found.append(_access(row, patient.patient_number, texts))
        return found

    def _key(self, patient: PatientRow, row: EmergencyAccessRow) -> bytes | None:
        """The key of the patient; null once erased."""
        if patient.data_key is None:
            return None
        wrapped = checked_key(self._kek, patient, row.organisation_id)
        return self._kek.unwrap(wrapped, patient.id) if wrapped else None


def access_binding(access_id: UUID) -> bytes:
    """What the words of an access are bound to."""
    return access_id.bytes + b"emergency"


def _encrypted(key: bytes, access_id: UUID, texts: dict[str, str]) -> bytes:
    return encrypt(key, json.dumps(texts).encode(), access_binding(access_id))


def _decrypted(key: bytes, row: EmergencyAccessRow) -> dict[str, str]:
    assert row.content is not None  # noqa: S101 -- asked for before
    texts: dict[str, str] = json.loads(decrypt(key, row.content, access_binding(row.id)))
    return texts


def _access(row: EmergencyAccessRow, patient_number: str | None, texts: dict[str, str]) -> EmergencyAccess:
    return EmergencyAccess(
        row.id,
        row.patient_id,
        patient_number,
        row.opened_by,
        row.opened_at,
        row.ends_at,
        cast(EmergencyReason, row.reason),
        texts.get("note"),
        row.reviewed_at,
        row.reviewed_by,
        texts.get("review_note"),
    )
