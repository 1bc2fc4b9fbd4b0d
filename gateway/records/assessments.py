"""Assessments in the database: encrypted with their owner's key, each visible to its own organisation only."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
from sqlalchemy import ColumnElement, Select, delete, func, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.idempotency import IdempotentRequest, earlier, forget, remember
from gateway.platform.database.tables import (
    AssessmentReviewRow,
    AssessmentRow,
    OrganisationRow,
    PatientRow,
    RenderingRow,
)
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, Window, paged
from gateway.records.access import closed_patients, closed_to, restricted
from gateway.records.alert_rules import NewAlerts
from gateway.records.alerts import add_alerts
from gateway.records.encrypted import (
    StoredAssessment,
    decrypt_assessment,
    encrypt_assessment,
    encrypt_rendering,
    key_of,
)
from gateway.records.events import EventType, record_event
from gateway.records.list_columns import list_columns
from gateway.records.observations import observation_row
from gateway.records.patients import KeyOwner, checked_key, still_there
from gateway.records.stored_risk import AnyRisk
from gateway.records.windows import order_of, within
from shared.contracts.assessment import Assessment
from shared.contracts.film import DicomIdentity
from shared.contracts.order import Order
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
    image_sha256: str | None = None
    observation: Mapping[str, str] | None = None
    order: Order | None = None
    accession_hash: bytes | None = None


@dataclass(frozen=True)
class Selection:
    """Which assessments a list is of; what is left out selects nothing.

    Args:
        changed_from, changed_to: made, released or reviewed last within these moments, both included.
    """

    patient_id: UUID | None = None
    assessment_id: UUID | None = None
    status: str | None = None
    changed_from: dt.datetime | None = None
    changed_to: dt.datetime | None = None

    @property
    def names_one(self) -> bool:
        """Whether it is of one patient or one assessment: a closed record is then refused, and not left out."""
        return self.patient_id is not None or self.assessment_id is not None


EVERYTHING = Selection()
ALL_OF_IT: Window[UUID] = Window()


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
            Conflict: the patient was erased or merged while the assessment was made.
        """
        assessment, owner = new.assessment, new.owner
        row = AssessmentRow(
            id=assessment.id,
            organisation_id=who.organisation_id,
            created_at=assessment.created_at,
            created_by=who.id,
            status=assessment.status,
            is_test=who.is_test,
            patient_id=owner.patient_id,
            accession_hash=new.accession_hash,
            **list_columns(assessment),
            content=encrypt_assessment(owner.key, assessment, new.risk, new.identity, new.image_sha256, new.order),
        )
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                remember(session, "assessment", who.id, new.idempotent, row.id)
                await session.flush()
                if owner.patient_id is not None:
                    await still_there(session, owner.patient_id)
                session.add_all(_rendering_rows(assessment.id, owner.key, new.renderings))
                if new.observation is not None:
                    session.add(observation_row(who.organisation_id, new.observation))
                await add_alerts(session, new.alerts, who.organisation_id, assessment.id, who.id)
                made: EventType = "assessment.partial" if assessment.status == "partial" else "assessment.completed"
                await record_event(session, who.organisation_id, made, assessment.id, who.is_test)
                session.add(audit_row(who.organisation_id, who.id, AuditAction.ASSESSMENT_MADE, str(assessment.id)))
        except IntegrityError:
            before = await self.answered_before(who, new.idempotent) if new.idempotent else None
            if before is None:
                raise
            return before
        return assessment

    async def answered_before(self, who: Principal, idempotent: IdempotentRequest) -> Assessment | None:
        """What was answered to the same request under the same key, if there was one.

        Raises:
            Conflict: the key was used for another request.
        """
        async with self._sessions.begin() as session:
            known = await earlier(session, "assessment", who.id, idempotent)
            if known is None:
                return None
            mine = (AssessmentRow.created_by == who.id) & (AssessmentRow.id == UUID(known.subject))
            row = (await session.execute(with_keys(mine))).one_or_none()
            if row is None:  # a test that was deleted since: it is made anew
                await forget(session, [known.subject])
        return self._decrypt_row(*row).assessment if row else None

    async def get(
        self, assessment_id: UUID, who: Principal, action: AuditAction = AuditAction.ASSESSMENT_READ
    ) -> StoredAssessment:
        """One assessment that the caller may see, read with a line in the audit trail.

        Raises:
            NotFound: there is none under this id, or it is another organisation's, or another patient's.
            PatientRestricted: the caller has to open the patient's record first.
        """
        async with self._sessions.begin() as session:
            row, closed = await found_and_closed(session, assessment_id, who)
            session.add(audit_row(who.organisation_id, who.id, action, str(assessment_id), outcome_of(row, closed)))
        return self._decrypt_row(*opened(row, closed, assessment_id))

    async def of_sender(self, assessment_id: UUID, who: Principal) -> StoredAssessment:
        """What came of a case, for the answer to whoever sent it: a restriction does not close one's own answer.

        Raises:
            NotFound: the caller made none under this id.
        """
        mine = one_visible(assessment_id, who) & (AssessmentRow.created_by == who.id)
        async with self._sessions.begin() as session:
            row = (await session.execute(with_keys(mine))).one_or_none()
            action, outcome = AuditAction.ASSESSMENT_READ, outcome_of(row, set())
            session.add(audit_row(who.organisation_id, who.id, action, str(assessment_id), outcome))
        return self._decrypt_row(*opened(row, set(), assessment_id))

    async def page(
        self, who: Principal, limit: int, window: Window[UUID] = ALL_OF_IT, selection: Selection = EVERYTHING
    ) -> Page[StoredAssessment, UUID]:
        """A part of the list, without those of restricted patients.

        Raises:
            PatientRestricted: one assessment is wanted or one patient's, whose record the caller has to open first.
        """
        condition = visible(who) & _selected(selection)
        if not selection.names_one:
            condition &= ~closed_to(who, AssessmentRow.patient_id)
        condition &= within(window, AssessmentRow.id, AssessmentRow.created_at)
        async with self._sessions.begin() as session:
            query = with_keys(condition).order_by(order_of(window, AssessmentRow.id)).limit(limit + 1)
            rows = (await session.execute(query)).all()
            patient_id = selection.patient_id
            closed = await closed_patients(session, who, [patient_id, *(row[0].patient_id for row in rows[:limit])])
            subject = str(patient_id) if patient_id else None
            outcome: Outcome = "refused" if closed else "done"
            session.add(audit_row(who.organisation_id, who.id, AuditAction.ASSESSMENTS_LISTED, subject, outcome))
        if closed:
            raise restricted(closed.pop())
        return paged(await self._decrypt_rows(rows), limit, lambda stored: stored.assessment.id)

    async def of_patient(self, patient_id: UUID, limit: int | None = None) -> list[StoredAssessment]:
        """A patient's assessments, oldest first, the last `limit` of them; the caller has audited why."""
        newest = with_keys(AssessmentRow.patient_id == patient_id).order_by(AssessmentRow.id.desc()).limit(limit)
        async with self._sessions() as session:
            rows = (await session.execute(newest)).all()
        return await self._decrypt_rows(rows[::-1])

    async def release(self, assessment_id: UUID, who: Principal) -> StoredAssessment:
        """Show the medication items to the patient from now on. Releasing again changes nothing.

        Raises:
            NotFound: there is none under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
            Conflict: it was withdrawn.
        """
        async with self._sessions.begin() as session:
            row, closed = await found_and_closed(session, assessment_id, who)
            is_open = row is not None and not closed
            withdrawn = is_open and any(step.action == "withdrawn" for step in row[0].reviews)
            if is_open and not withdrawn and row[0].released_at is None:
                row[0].released_at, row[0].released_by = now(), who.id
            outcome: Outcome = "refused" if withdrawn else outcome_of(row, closed)
            session.add(
                audit_row(who.organisation_id, who.id, AuditAction.ASSESSMENT_RELEASED, str(assessment_id), outcome)
            )
        found = opened(row, closed, assessment_id)
        if withdrawn:
            raise Conflict("This assessment was withdrawn: nothing of it is released.")
        return self._decrypt_row(*found)

    async def _decrypt_rows(self, rows: Sequence[Any]) -> list[StoredAssessment]:
        """Many rows, read beside the event loop: a patient may have hundreds."""
        return await anyio.to_thread.run_sync(lambda: [self._decrypt_row(*row) for row in rows])

    async def erase(self, assessment_id: UUID, who: Principal) -> None:
        """Delete an assessment with its renderings and alerts; the trail names it by its id.

        Raises:
            NotFound: there is none under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
        """
        async with self._sessions.begin() as session:
            row, closed = await found_and_closed(session, assessment_id, who, for_update=True)
            if row and not closed:
                await forget(session, [assessment_id])
                await session.execute(delete(AssessmentRow).where(AssessmentRow.id == assessment_id))
            action, outcome = AuditAction.ASSESSMENT_ERASED, outcome_of(row, closed)
            session.add(audit_row(who.organisation_id, who.id, action, str(assessment_id), outcome))
        opened(row, closed, assessment_id)

    def _decrypt_row(
        self, row: AssessmentRow, patient: PatientRow | None, organisation_key: bytes | None
    ) -> StoredAssessment:
        return decrypt_assessment(opened_key(self._kek, row, patient, organisation_key), row)


def opened_key(
    kek: KeyEncryptionKey, row: AssessmentRow, patient: PatientRow | None, organisation_key: bytes | None
) -> bytes:
    """The key of an assessment, as `with_keys` found it.

    Raises:
        CannotDecrypt: somebody else wrote or moved a row.
    """
    return key_of(row, checked_key(kek, patient, row.organisation_id), organisation_key, kek)


def with_keys(condition: ColumnElement[bool]) -> Select[AssessmentRow, PatientRow | None, bytes | None]:
    """Assessments with their patient, and the wrapped key of their organisation."""
    joined = select(AssessmentRow, PatientRow, OrganisationRow.data_key).outerjoin(
        PatientRow, PatientRow.id == AssessmentRow.patient_id
    )
    return joined.join(OrganisationRow, OrganisationRow.id == AssessmentRow.organisation_id).where(condition)


def visible(who: Principal) -> ColumnElement[bool]:
    """The organisation's assessments, of a test key its test ones; a patient's own account sees the patient's own."""
    ours = (AssessmentRow.organisation_id == who.organisation_id) & (AssessmentRow.is_test == who.is_test)
    return ours if who.patient_id is None else ours & (AssessmentRow.patient_id == who.patient_id)


async def found_and_closed(
    session: AsyncSession, assessment_id: UUID, who: Principal, *, for_update: bool = False
) -> tuple[Any, set[UUID]]:
    """An assessment that the caller may see, with its keys, and its patient where the record is closed to the caller.

    The row is null where there is none. The caller writes the line of the trail, by `outcome_of`, and asks `opened` for
    the row once that line is stored.
    """
    query = with_keys(one_visible(assessment_id, who))
    row = (await session.execute(query.with_for_update(of=AssessmentRow) if for_update else query)).one_or_none()
    return row, await closed_patients(session, who, [row[0].patient_id]) if row else set()


def outcome_of(row: Any, closed: set[UUID]) -> Outcome:
    """How the trail names what came of asking for an assessment."""
    return "refused" if closed else "done" if row else "not found"


def opened(row: Any, closed: set[UUID], assessment_id: UUID) -> Any:
    """The assessment that was found, if the caller may have it.

    Raises:
        NotFound: there is none.
        PatientRestricted: the patient's record is closed.
    """
    if row is None:
        raise NotFound(f"There is no assessment {assessment_id}.")
    if closed:
        raise restricted(closed.pop())
    return row


def _selected(selection: Selection) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = true()
    if selection.patient_id is not None:
        condition &= AssessmentRow.patient_id == selection.patient_id
    if selection.assessment_id is not None:
        condition &= AssessmentRow.id == selection.assessment_id
    if selection.status is not None:
        condition &= AssessmentRow.status == selection.status
    reviewed = AssessmentRow.reviews.any
    if (first := selection.changed_from) is not None:
        since = (AssessmentRow.created_at >= first) | (AssessmentRow.released_at >= first)
        condition &= since | reviewed(AssessmentReviewRow.at >= first)
    if (last := selection.changed_to) is not None:
        until = (AssessmentRow.created_at <= last) & func.coalesce(AssessmentRow.released_at <= last, true())
        condition &= until & ~reviewed(AssessmentReviewRow.at > last)
    return condition


def one_visible(assessment_id: UUID, who: Principal) -> ColumnElement[bool]:
    """The assessment of this id, if the caller may see it."""
    return (AssessmentRow.id == assessment_id) & visible(who)


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
