"""What clinicians knew better of stored assessments; encrypted as the assessment is, added to and never changed."""

import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
from sqlalchemy import ColumnElement, exists, select

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AssessmentFeedbackRow, AssessmentReviewRow, AssessmentRow
from gateway.platform.encryption import KeyEncryptionKey, decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.records.access import closed_to
from gateway.records.assessments import found_and_closed, opened, opened_key, outcome_of, with_keys
from gateway.records.encrypted import StoredAssessment, decrypt_assessment, feedback_binding
from shared.contracts.assessment import Assessment
from shared.contracts.feedback import Answered, Feedback, StoredFeedback

# So many assessments are decrypted at a time: a gateway that others wait for does not stand still, nor fill up.
AT_A_TIME = 200


@dataclass(frozen=True)
class GivenFeedback:
    """Feedback with the moment of the assessment that it is about."""

    stored: StoredFeedback
    assessed_at: dt.datetime


@dataclass(frozen=True)
class JudgedAssessment:
    """An assessment with everything that was said of it."""

    of: StoredAssessment
    feedback: Sequence[StoredFeedback]


class FeedbackStore:
    """Stores feedback and finds it again.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def add(
        self,
        assessment_id: UUID,
        who: Principal,
        feedback: Feedback,
        answered: Callable[[Assessment], Answered | None],
    ) -> StoredFeedback:
        """Store feedback with its line in the trail.

        Args:
            answered: what the software had answered to the same question; may refuse the feedback with an error.

        Raises:
            NotFound: there is no assessment under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
        """
        async with self._sessions.begin() as session:
            found, closed = await found_and_closed(session, assessment_id, who)
            if found is not None and not closed:
                key = opened_key(self._kek, *found)
                said = answered(decrypt_assessment(key, found[0]).assessment)
                stored = StoredFeedback(
                    id=uuid7(), assessment_id=assessment_id, at=now(), by=who.id, feedback=feedback, answered=said
                )
                session.add(_row(stored, key))
            outcome = outcome_of(found, closed)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.FEEDBACK_GIVEN, str(assessment_id), outcome))
        opened(found, closed, assessment_id)
        return stored

    async def of_assessment(self, assessment_id: UUID, who: Principal) -> list[StoredFeedback]:
        """What was said of an assessment, oldest first, read with a line in the trail.

        Raises:
            NotFound, PatientRestricted: as `add`.
        """
        async with self._sessions.begin() as session:
            found, closed = await found_and_closed(session, assessment_id, who)
            rows: Sequence[AssessmentFeedbackRow] = []
            if found is not None and not closed:
                rows = (
                    await session.scalars(feedback_where(AssessmentFeedbackRow.assessment_id == assessment_id))
                ).all()
            outcome = outcome_of(found, closed)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.FEEDBACK_READ, str(assessment_id), outcome))
        key = opened_key(self._kek, *opened(found, closed, assessment_id))
        return [decrypt_feedback(row, key) for row in rows]

    async def of_patient(self, patient_id: UUID, key: bytes) -> list[StoredFeedback]:
        """Everything that was said of a patient's assessments, oldest first; the caller has audited why."""
        mine = select(AssessmentRow.id).where(AssessmentRow.patient_id == patient_id)
        async with self._sessions() as session:
            rows = (await session.scalars(feedback_where(AssessmentFeedbackRow.assessment_id.in_(mine)))).all()
        return await anyio.to_thread.run_sync(lambda: [decrypt_feedback(row, key) for row in rows])

    async def all(self, who: Principal) -> list[GivenFeedback]:
        """Every piece of feedback of the organisation, oldest first, for figures that name nobody.

        That of withdrawn assessments is left out, and that of records that are closed to the caller.
        """
        found = []
        async for rows in self._parts(who):
            found += await anyio.to_thread.run_sync(self._given, rows)
        return sorted(found, key=lambda given: given.stored.id)

    async def judged(self, who: Principal) -> list[JudgedAssessment]:
        """The same with the assessments that it is about, in their order."""
        found = []
        async for rows in self._parts(who):
            found += await anyio.to_thread.run_sync(self._judged, rows)
        return found

    async def _parts(self, who: Principal) -> AsyncIterator[list[Any]]:
        """The assessments with feedback in their order, some at a time, each time with their feedback."""
        last: UUID | None = None
        async with self._sessions.begin() as session:
            session.add(audit_row(who.organisation_id, who.id, AuditAction.FEEDBACK_LISTED, None))
        while True:
            condition = _with_feedback(who) & ~closed_to(who, AssessmentRow.patient_id)
            condition &= AssessmentRow.id > last if last else AssessmentRow.id.is_not(None)
            async with self._sessions() as session:
                query = with_keys(condition).order_by(AssessmentRow.id).limit(AT_A_TIME)
                rows = (await session.execute(query)).all()
                wanted = AssessmentFeedbackRow.assessment_id.in_([row[0].id for row in rows])
                feedback = (await session.scalars(feedback_where(wanted))).all()
            if not rows:
                return
            yield [(row, [one for one in feedback if one.assessment_id == row[0].id]) for row in rows]
            last = rows[-1][0].id

    def _given(self, rows: Sequence[Any]) -> list[GivenFeedback]:
        return [
            GivenFeedback(decrypt_feedback(one, opened_key(self._kek, *row)), row[0].created_at)
            for row, feedback in rows
            for one in feedback
        ]

    def _judged(self, rows: Sequence[Any]) -> list[JudgedAssessment]:
        found = []
        for row, feedback in rows:
            key = opened_key(self._kek, *row)
            found.append(
                JudgedAssessment(decrypt_assessment(key, row[0]), [decrypt_feedback(one, key) for one in feedback])
            )
        return found


def _with_feedback(who: Principal) -> ColumnElement[bool]:
    withdrawn = AssessmentRow.reviews.any(AssessmentReviewRow.action == "withdrawn")
    ours = (AssessmentRow.organisation_id == who.organisation_id) & (AssessmentRow.is_test == who.is_test)
    return ours & exists().where(AssessmentFeedbackRow.assessment_id == AssessmentRow.id) & ~withdrawn


def feedback_where(condition: ColumnElement[bool]) -> Any:
    """The query of feedback, oldest first."""
    return select(AssessmentFeedbackRow).where(condition).order_by(AssessmentFeedbackRow.id)


def _row(stored: StoredFeedback, key: bytes) -> AssessmentFeedbackRow:
    row = AssessmentFeedbackRow(id=stored.id, assessment_id=stored.assessment_id, at=stored.at, by=stored.by)
    content = stored.model_dump(mode="json", include={"feedback", "answered"})
    row.content = encrypt(key, json.dumps(content).encode(), feedback_binding(row))
    return row


def decrypt_feedback(row: AssessmentFeedbackRow, key: bytes) -> StoredFeedback:
    """What was said, as it was stored."""
    content = json.loads(decrypt(key, row.content, feedback_binding(row)))
    return StoredFeedback.model_validate(
        {"id": row.id, "assessment_id": row.assessment_id, "at": row.at, "by": row.by, **content}
    )
