"""Assessments in the database: sealed with their owner's key, each visible to its own organisation only."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AssessmentRow, OrganisationRow, PatientRow, PictureRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.scopes import Principal
from gateway.records.alert_rules import NewAlerts
from gateway.records.alerts import add_alerts
from gateway.records.encrypted import (
    StoredAssessment,
    decrypt_assessment,
    encrypt_assessment,
    encrypt_rendering,
    key_of,
)
from gateway.records.patients import KeyOwner
from shared.contracts.assessment import Assessment
from shared.problems import Conflict, NotFound


@dataclass(frozen=True)
class IdempotentRequest:
    """An idempotency key with the digest of the request it was sent with."""

    key: str
    digest: bytes


@dataclass(frozen=True)
class Pictures:
    """PNGs to keep beside an assessment, by kind, and until when."""

    pngs: Mapping[str, bytes]
    expires_at: dt.datetime


class Assessments:
    """Stores assessments and finds them again.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def add(
        self, assessment: Assessment, record: dict[str, Any] | None, who: Principal, owner: KeyOwner,
        idempotent: IdempotentRequest | None = None, pictures: Pictures | None = None, watch: NewAlerts | None = None,
    ) -> Assessment:  # fmt: skip
        """Store an assessment, its pictures, its alerts and its line of the audit trail in one transaction.

        Returns:
            the assessment; the earlier one where the same request was stored meanwhile under the same key.

        Raises:
            Conflict: the patient was erased while the assessment was made.
        """
        row = AssessmentRow(
            id=assessment.id, organisation_id=who.organisation_id, created_at=assessment.created_at, created_by=who.id,
            patient=owner.patient, content=encrypt_assessment(owner.key, assessment, record),
            idempotency_key=idempotent and idempotent.key, request_hash=idempotent and idempotent.digest,
        )  # fmt: skip
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                await session.flush()
                await _not_erased(session, owner)
                session.add_all(_picture_rows(assessment.id, owner.key, pictures))
                await add_alerts(session, watch, who.organisation_id, assessment.id, who.id)
                session.add(audit_row(who.organisation_id, who.id, "assessment made", str(assessment.id)))
        except IntegrityError:
            earlier = await self.repeated(who, idempotent) if idempotent else None
            if earlier is None:
                raise
            return earlier
        return assessment

    async def repeated(self, who: Principal, idempotent: IdempotentRequest) -> Assessment | None:
        """What was answered to the same request under the same key, if there was one.

        Raises:
            Conflict: the key was used for another request.
        """
        mine = (AssessmentRow.created_by == who.id) & (AssessmentRow.idempotency_key == idempotent.key)
        async with self._sessions() as session:
            found = (await session.execute(_with_keys(mine))).one_or_none()
        if found is None:
            return None
        if found[0].request_hash != idempotent.digest:
            raise Conflict("This Idempotency-Key was used for another request: send a new key.")
        return self._decrypt_row(*found).assessment

    async def get(self, assessment_id: UUID, who: Principal, action: str = "assessment read") -> StoredAssessment:
        """One assessment that the caller may see, read with a line in the audit trail.

        Raises:
            NotFound: there is none under this id, or it is another organisation's, or another patient's.
        """
        async with self._sessions.begin() as session:
            found = (await session.execute(_with_keys(_one(assessment_id, who)))).one_or_none()
            outcome: Outcome = "done" if found else "not found"
            session.add(audit_row(who.organisation_id, who.id, action, str(assessment_id), outcome))
        if found is None:
            raise _not_found(assessment_id)
        return self._decrypt_row(*found)

    async def page(
        self, who: Principal, limit: int, before: UUID | None = None, patient: UUID | None = None
    ) -> list[StoredAssessment]:
        """Newest first; `before` is the last id of the page before, `patient` the internal id of one patient."""
        condition = _visible(who)
        if patient is not None:
            condition &= AssessmentRow.patient == patient
        if before is not None:
            condition &= AssessmentRow.id < before
        async with self._sessions.begin() as session:
            newest = _with_keys(condition).order_by(AssessmentRow.id.desc()).limit(limit)
            found = (await session.execute(newest)).all()
            session.add(audit_row(who.organisation_id, who.id, "assessments listed", str(patient) if patient else None))
        return [self._decrypt_row(*one) for one in found]

    async def of_patient(self, patient: UUID, limit: int | None = None) -> list[StoredAssessment]:
        """A patient's assessments, oldest first, the last `limit` of them; the caller has audited why."""
        newest = _with_keys(AssessmentRow.patient == patient).order_by(AssessmentRow.id.desc()).limit(limit)
        async with self._sessions() as session:
            found = (await session.execute(newest)).all()
        return [self._decrypt_row(*one) for one in reversed(found)]

    async def release(self, assessment_id: UUID, who: Principal) -> StoredAssessment:
        """Show the medication items to the patient from now on. Releasing again changes nothing.

        Raises:
            NotFound: there is none under this id that the caller may see.
        """
        async with self._sessions.begin() as session:
            found = (await session.execute(_with_keys(_one(assessment_id, who)))).one_or_none()
            if found and found[0].released_at is None:
                found[0].released_at, found[0].released_by = now(), who.id
            outcome: Outcome = "done" if found else "not found"
            session.add(audit_row(who.organisation_id, who.id, "assessment released", str(assessment_id), outcome))
        if found is None:
            raise _not_found(assessment_id)
        return self._decrypt_row(*found)

    def _decrypt_row(
        self, row: AssessmentRow, patient_key: bytes | None, organisation_key: bytes | None
    ) -> StoredAssessment:
        return decrypt_assessment(key_of(row, patient_key, organisation_key, self._kek), row)


Found = Select[AssessmentRow, bytes | None, bytes | None]


def _with_keys(condition: ColumnElement[bool]) -> Found:
    """Assessments with the wrapped keys of their patient and organisation."""
    joined = select(AssessmentRow, PatientRow.data_key, OrganisationRow.data_key).outerjoin(
        PatientRow, PatientRow.id == AssessmentRow.patient
    )
    return joined.join(OrganisationRow, OrganisationRow.id == AssessmentRow.organisation_id).where(condition)


def _visible(who: Principal) -> ColumnElement[bool]:
    """The organisation's assessments; a patient's own account sees the patient's own."""
    ours = AssessmentRow.organisation_id == who.organisation_id
    return ours if who.patient_id is None else ours & (AssessmentRow.patient == who.patient_id)


def _one(assessment_id: UUID, who: Principal) -> ColumnElement[bool]:
    return (AssessmentRow.id == assessment_id) & _visible(who)


def _not_found(assessment_id: UUID) -> NotFound:
    return NotFound(f"There is no assessment {assessment_id}.")


def _picture_rows(assessment_id: UUID, key: bytes, pictures: Pictures | None) -> list[PictureRow]:
    if pictures is None:
        return []
    return [
        PictureRow(
            assessment_id=assessment_id, kind=kind, content=encrypt_rendering(key, png, assessment_id, kind),
            expires_at=pictures.expires_at,
        )
        for kind, png in pictures.pngs.items()
    ]  # fmt: skip


async def _not_erased(session: AsyncSession, owner: KeyOwner) -> None:
    """Look once more, now that erasure has to wait for this transaction or is over."""
    if owner.patient is None:
        return
    there = select(PatientRow.erased_at).where(PatientRow.id == owner.patient).with_for_update(read=True)
    if (await session.scalars(there)).one() is not None:
        raise Conflict("The patient was erased while the assessment was made; nothing was stored.")
