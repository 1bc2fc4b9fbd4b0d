"""Assessments in the database, each visible to its own organisation only."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from gateway.accounts.scopes import Principal
from gateway.audit.repository import Outcome, audit_row
from gateway.database.engine import Sessions
from gateway.database.tables import AssessmentRow
from shared.contracts.assessment import Assessment
from shared.problems import Conflict, NotFound


@dataclass(frozen=True)
class Repeatable:
    """An idempotency key with the digest of the request it was sent with."""

    key: str
    digest: bytes


class Assessments:
    """Stores assessments and finds them again."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(
        self,
        assessment: Assessment,
        record: dict[str, Any] | None,
        who: Principal,
        repeatable: Repeatable | None = None,
    ) -> Assessment:
        """Store an assessment and its line of the audit trail in one transaction.

        Returns:
            the assessment; the earlier one where the same request was stored meanwhile under the same key.
        """
        row = AssessmentRow(
            id=assessment.id, organisation_id=who.organisation_id, created_at=assessment.created_at, created_by=who.id,
            patient_id=assessment.patient_id, document=assessment.model_dump(mode="json"), record=record,
            idempotency_key=repeatable and repeatable.key, request_hash=repeatable and repeatable.digest,
        )  # fmt: skip
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                session.add(audit_row(who.organisation_id, who.id, "assessment made", str(assessment.id)))
        except IntegrityError:
            earlier = await self.repeated(who, repeatable) if repeatable else None
            if earlier is None:
                raise
            return earlier
        return assessment

    async def repeated(self, who: Principal, repeatable: Repeatable) -> Assessment | None:
        """What was answered to the same request under the same key, if there was one.

        Raises:
            Conflict: the key was used for another request.
        """
        query = select(AssessmentRow).where(
            AssessmentRow.created_by == who.id, AssessmentRow.idempotency_key == repeatable.key
        )
        async with self._sessions() as session:
            row = (await session.scalars(query)).one_or_none()
        if row is None:
            return None
        if row.request_hash != repeatable.digest:
            raise Conflict("This Idempotency-Key was used for another request: send a new key.")
        return Assessment.model_validate(row.document)

    async def get(self, assessment_id: UUID, who: Principal) -> Assessment:
        """One assessment of the caller's organisation, read with a line in the audit trail.

        Raises:
            NotFound: there is none under this id, or it belongs to another organisation.
        """
        query = select(AssessmentRow).where(
            AssessmentRow.id == assessment_id, AssessmentRow.organisation_id == who.organisation_id
        )
        async with self._sessions.begin() as session:
            row = (await session.scalars(query)).one_or_none()
            outcome: Outcome = "done" if row else "not found"
            session.add(audit_row(who.organisation_id, who.id, "assessment read", str(assessment_id), outcome))
        if row is None:
            raise NotFound(f"There is no assessment {assessment_id}.")
        return Assessment.model_validate(row.document)

    async def page(
        self, who: Principal, limit: int, before: UUID | None = None, patient_id: str | None = None
    ) -> list[Assessment]:
        """Newest first; `before` is the last id of the page before."""
        query = select(AssessmentRow).where(AssessmentRow.organisation_id == who.organisation_id)
        if patient_id is not None:
            query = query.where(AssessmentRow.patient_id == patient_id)
        if before is not None:
            query = query.where(AssessmentRow.id < before)
        async with self._sessions.begin() as session:
            rows = (await session.scalars(query.order_by(AssessmentRow.id.desc()).limit(limit))).all()
            session.add(audit_row(who.organisation_id, who.id, "assessments listed"))
        return [Assessment.model_validate(row.document) for row in rows]
