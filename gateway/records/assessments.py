"""Assessments in the database: encrypted with their owner's key, each visible to its own organisation only."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AssessmentRow, OrganisationRow, PatientRow, RenderingRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, paged
from gateway.records.alert_rules import NewAlerts
from gateway.records.alerts import add_alerts
from gateway.records.encrypted import (
    StoredAssessment,
    decrypt_assessment,
    encrypt_assessment,
    encrypt_rendering,
    key_of,
)
from gateway.records.idempotency import IdempotentRequest
from gateway.records.patients import KeyOwner, checked_key
from gateway.records.stored_risk import AnyRisk
from shared.contracts.assessment import Assessment
from shared.contracts.film import DicomIdentity
from shared.problems import Conflict, NotFound


@dataclass(frozen=True)
class NewRenderings:
    """PNGs to keep beside an assessment, by kind, and until when."""

    pngs: Mapping[str, bytes]
    expires_at: dt.datetime


@dataclass(frozen=True)
class NewAssessment:
    """An assessment to be stored, with everything that is stored in the same transaction."""

    assessment: Assessment
    risk: AnyRisk | None
    owner: KeyOwner
    idempotent: IdempotentRequest | None = None
    renderings: NewRenderings | None = None
    alerts: NewAlerts | None = None
    identity: DicomIdentity | None = None


class Assessments:
    """Stores assessments and finds them again.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def add(self, new: NewAssessment, who: Principal) -> Assessment:
        """Store an assessment, its renderings, its alerts and its line of the audit trail in one transaction.

        Returns:
            the assessment; the earlier one where the same request was stored meanwhile under the same key.

        Raises:
            Conflict: the patient was erased while the assessment was made.
        """
        assessment, owner = new.assessment, new.owner
        row = AssessmentRow(
            id=assessment.id,
            organisation_id=who.organisation_id,
            created_at=assessment.created_at,
            created_by=who.id,
            patient_id=owner.patient_id,
            content=encrypt_assessment(owner.key, assessment, new.risk, new.identity),
            idempotency_key=new.idempotent and new.idempotent.stored_key(who.id),
            request_hash=new.idempotent and new.idempotent.digest,
        )
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                await session.flush()
                await _not_erased(session, owner)
                session.add_all(_rendering_rows(assessment.id, owner.key, new.renderings))
                await add_alerts(session, new.alerts, who.organisation_id, assessment.id, who.id)
                session.add(audit_row(who.organisation_id, who.id, AuditAction.ASSESSMENT_MADE, str(assessment.id)))
        except IntegrityError:
            earlier = await self.answered_before(who, new.idempotent) if new.idempotent else None
            if earlier is None:
                raise
            return earlier
        return assessment

    async def answered_before(self, who: Principal, idempotent: IdempotentRequest) -> Assessment | None:
        """What was answered to the same request under the same key, if there was one.

        Raises:
            Conflict: the key was used for another request.
        """
        mine = (AssessmentRow.created_by == who.id) & (AssessmentRow.idempotency_key == idempotent.stored_key(who.id))
        async with self._sessions() as session:
            row = (await session.execute(_with_keys(mine))).one_or_none()
        if row is None:
            return None
        if row[0].request_hash != idempotent.digest:
            raise Conflict("This Idempotency-Key was used for another request: send a new key.")
        return self._decrypt_row(*row).assessment

    async def get(
        self, assessment_id: UUID, who: Principal, action: AuditAction = AuditAction.ASSESSMENT_READ
    ) -> StoredAssessment:
        """One assessment that the caller may see, read with a line in the audit trail.

        Raises:
            NotFound: there is none under this id, or it is another organisation's, or another patient's.
        """
        async with self._sessions.begin() as session:
            row = (await session.execute(_with_keys(_one(assessment_id, who)))).one_or_none()
            outcome: Outcome = "done" if row else "not found"
            session.add(audit_row(who.organisation_id, who.id, action, str(assessment_id), outcome))
        if row is None:
            raise _not_found(assessment_id)
        return self._decrypt_row(*row)

    async def page(
        self, who: Principal, limit: int, before: UUID | None = None, patient_id: UUID | None = None
    ) -> Page[StoredAssessment, UUID]:
        """Newest first; `before` is the last id of the page before."""
        condition = _visible(who)
        if patient_id is not None:
            condition &= AssessmentRow.patient_id == patient_id
        if before is not None:
            condition &= AssessmentRow.id < before
        async with self._sessions.begin() as session:
            newest = _with_keys(condition).order_by(AssessmentRow.id.desc()).limit(limit + 1)
            rows = (await session.execute(newest)).all()
            subject = str(patient_id) if patient_id else None
            session.add(audit_row(who.organisation_id, who.id, AuditAction.ASSESSMENTS_LISTED, subject))
        return paged(await self._decrypt_rows(rows), limit, lambda stored: stored.assessment.id)

    async def of_patient(self, patient_id: UUID, limit: int | None = None) -> list[StoredAssessment]:
        """A patient's assessments, oldest first, the last `limit` of them; the caller has audited why."""
        newest = _with_keys(AssessmentRow.patient_id == patient_id).order_by(AssessmentRow.id.desc()).limit(limit)
        async with self._sessions() as session:
            rows = (await session.execute(newest)).all()
        return await self._decrypt_rows(rows[::-1])

    async def release(self, assessment_id: UUID, who: Principal) -> StoredAssessment:
        """Show the medication items to the patient from now on. Releasing again changes nothing.

        Raises:
            NotFound: there is none under this id that the caller may see.
        """
        async with self._sessions.begin() as session:
            row = (await session.execute(_with_keys(_one(assessment_id, who)))).one_or_none()
            if row and row[0].released_at is None:
                row[0].released_at, row[0].released_by = now(), who.id
            outcome: Outcome = "done" if row else "not found"
            session.add(
                audit_row(who.organisation_id, who.id, AuditAction.ASSESSMENT_RELEASED, str(assessment_id), outcome)
            )
        if row is None:
            raise _not_found(assessment_id)
        return self._decrypt_row(*row)

    async def _decrypt_rows(self, rows: Sequence[Any]) -> list[StoredAssessment]:
        """Many rows, read beside the event loop: a patient may have hundreds."""
        return await anyio.to_thread.run_sync(lambda: [self._decrypt_row(*row) for row in rows])

    async def erase(self, assessment_id: UUID, who: Principal) -> None:
        """Delete an assessment with its renderings and alerts; the trail names it by its id.

        Raises:
            NotFound: there is none under this id that the caller may see.
        """
        async with self._sessions.begin() as session:
            mine = delete(AssessmentRow).where(_one(assessment_id, who)).returning(AssessmentRow.id)
            erased = await session.scalar(mine)
            outcome: Outcome = "done" if erased else "not found"
            action = AuditAction.ASSESSMENT_ERASED
            session.add(audit_row(who.organisation_id, who.id, action, str(assessment_id), outcome))
        if erased is None:
            raise _not_found(assessment_id)

    def _decrypt_row(
        self, row: AssessmentRow, patient: PatientRow | None, organisation_key: bytes | None
    ) -> StoredAssessment:
        patient_key = checked_key(self._kek, patient, row.organisation_id)
        return decrypt_assessment(key_of(row, patient_key, organisation_key, self._kek), row)


def _with_keys(condition: ColumnElement[bool]) -> Select[AssessmentRow, PatientRow | None, bytes | None]:
    """Assessments with their patient, and the wrapped key of their organisation."""
    joined = select(AssessmentRow, PatientRow, OrganisationRow.data_key).outerjoin(
        PatientRow, PatientRow.id == AssessmentRow.patient_id
    )
    return joined.join(OrganisationRow, OrganisationRow.id == AssessmentRow.organisation_id).where(condition)


def _visible(who: Principal) -> ColumnElement[bool]:
    """The organisation's assessments; a patient's own account sees the patient's own."""
    ours = AssessmentRow.organisation_id == who.organisation_id
    return ours if who.patient_id is None else ours & (AssessmentRow.patient_id == who.patient_id)


def _one(assessment_id: UUID, who: Principal) -> ColumnElement[bool]:
    return (AssessmentRow.id == assessment_id) & _visible(who)


def _not_found(assessment_id: UUID) -> NotFound:
    return NotFound(f"There is no assessment {assessment_id}.")


def _rendering_rows(assessment_id: UUID, key: bytes, renderings: NewRenderings | None) -> list[RenderingRow]:
    if renderings is None:
        return []
    return [
        RenderingRow(
            assessment_id=assessment_id,
            kind=kind,
            content=encrypt_rendering(key, png, assessment_id, kind),
            expires_at=renderings.expires_at,
        )
        for kind, png in renderings.pngs.items()
    ]


async def _not_erased(session: AsyncSession, owner: KeyOwner) -> None:
    """Look once more, now that erasure has to wait for this transaction or is over."""
    if owner.patient_id is None:
        return
    erased_at = select(PatientRow.erased_at).where(PatientRow.id == owner.patient_id).with_for_update(read=True)
    if (await session.scalars(erased_at)).one() is not None:
        raise Conflict("The patient was erased while the assessment was made; nothing was stored.")
