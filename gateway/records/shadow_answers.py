"""What versions in the shadow answered: encrypted as the assessment is, apart from it, and gone with it."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import (
    AssessmentFeedbackRow,
    AssessmentReviewRow,
    AssessmentRow,
    OrganisationRow,
    ShadowAnswerRow,
)
from gateway.platform.encryption import KeyEncryptionKey, decrypt, encrypt
from gateway.platform.identity.scopes import RESTRICTED, Principal, operator_of
from gateway.records.access import closed_to
from gateway.records.assessments import opened_key, with_keys
from gateway.records.encrypted import StoredAssessment, decrypt_assessment, shadow_binding
from gateway.records.feedback import AT_A_TIME, decrypt_feedback, feedback_where
from shared.contracts.feedback import StoredFeedback
from shared.contracts.shadow import ShadowAnswer


@dataclass(frozen=True)
class ShadowedCase:
    """A case with its answer, what the version in the shadow answered, and what was said of the answer later."""

    of: StoredAssessment
    answer: ShadowAnswer
    feedback: Sequence[StoredFeedback]


@dataclass(frozen=True)
class StoredShadowAnswer:
    """An answer of a version in the shadow, as the patient takes it away."""

    assessment_id: UUID
    service: str
    version: str
    at: dt.datetime
    answer: ShadowAnswer


class ShadowAnswers:
    """Stores the answers and finds them again.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def add(self, assessment_id: UUID, service: str, version: str, answer: ShadowAnswer) -> bool:
        """Store an answer; whether the assessment was still there, and had none of this version."""
        try:
            async with self._sessions.begin() as session:
                query = with_keys(AssessmentRow.id == assessment_id).with_for_update(of=AssessmentRow)
                found = (await session.execute(query)).one_or_none()
                if found is None:
                    return False
                row = ShadowAnswerRow(
                    id=uuid7(), assessment_id=assessment_id, service=service, version=version, at=now()
                )
                content = answer.model_dump_json().encode()
                row.content = encrypt(opened_key(self._kek, *found), content, shadow_binding(row), compress=True)
                session.add(row)
        except IntegrityError:
            return False
        return True

    async def cases(self, service: str, version: str) -> AsyncIterator[ShadowedCase]:
        """Every case that the version answered, of all organisations, oldest first.

        That of withdrawn assessments is left out, and that of restricted patients, which a figure would tell of.
        """
        async with self._sessions() as session:
            organisations = list(await session.scalars(select(OrganisationRow.id).order_by(OrganisationRow.id)))
        for organisation in organisations:
            operator = operator_of(organisation)
            who = Principal(operator.id, organisation, operator.scopes - {RESTRICTED}, operator.role)
            async for part in self._parts(who, service, version):
                for case in await anyio.to_thread.run_sync(self._decrypted, part):
                    yield case

    async def of_patient(self, patient_id: UUID, key: bytes) -> list[StoredShadowAnswer]:
        """Every answer about one patient, oldest first; the caller has audited why."""
        mine = select(AssessmentRow.id).where(AssessmentRow.patient_id == patient_id)
        query = select(ShadowAnswerRow).where(ShadowAnswerRow.assessment_id.in_(mine)).order_by(ShadowAnswerRow.id)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        return [
            StoredShadowAnswer(row.assessment_id, row.service, row.version, row.at, _answer(row, key)) for row in rows
        ]

    async def _parts(self, who: Principal, service: str, version: str) -> AsyncIterator[list[Any]]:
        mine = (ShadowAnswerRow.service == service) & (ShadowAnswerRow.version == version)
        answered = exists().where(ShadowAnswerRow.assessment_id == AssessmentRow.id, mine)
        withdrawn = AssessmentRow.reviews.any(AssessmentReviewRow.action == "withdrawn")
        wanted = (AssessmentRow.organisation_id == who.organisation_id) & answered & ~withdrawn
        wanted &= ~closed_to(who, AssessmentRow.patient_id)
        last: UUID | None = None
        while True:
            after = wanted & (AssessmentRow.id > last) if last else wanted
            async with self._sessions() as session:
                query = with_keys(after).order_by(AssessmentRow.id).limit(AT_A_TIME)
                rows = (await session.execute(query)).all()
                ids = [row[0].id for row in rows]
                of_these = ShadowAnswerRow.assessment_id.in_(ids) & mine
                answers = (await session.scalars(select(ShadowAnswerRow).where(of_these))).all()
                said = (await session.scalars(feedback_where(AssessmentFeedbackRow.assessment_id.in_(ids)))).all()
            if not rows:
                return
            by_assessment = {answer.assessment_id: answer for answer in answers}
            yield [
                (row, by_assessment[row[0].id], [one for one in said if one.assessment_id == row[0].id])
                for row in rows
                if row[0].id in by_assessment
            ]
            last = ids[-1]

    def _decrypted(self, part: Sequence[Any]) -> list[ShadowedCase]:
        found = []
        for row, answer, feedback in part:
            key = opened_key(self._kek, *row)
            said = [decrypt_feedback(one, key) for one in feedback]
            found.append(ShadowedCase(decrypt_assessment(key, row[0]), _answer(answer, key), said))
        return found


def _answer(row: ShadowAnswerRow, key: bytes) -> ShadowAnswer:
    return ShadowAnswer.model_validate_json(decrypt(key, row.content, shadow_binding(row)))
