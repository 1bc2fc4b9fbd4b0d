"""What clinicians made of stored assessments; each step is encrypted as the assessment is, and none is ever changed."""

import json
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import exists, select

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AlertRow, AssessmentReviewRow, AssessmentRow
from gateway.platform.encryption import KeyEncryptionKey, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.records.alerts import close_alerts
from gateway.records.assessments import found_and_closed, opened, opened_key, outcome_of
from gateway.records.encrypted import StoredAssessment, decrypt_assessment, review_binding
from gateway.records.events import EventType, record_event
from gateway.records.list_columns import OVER
from shared.contracts.review import AmendedFindings, Review, ReviewAction

AUDITED: dict[ReviewAction, AuditAction] = {
    "signed": AuditAction.ASSESSMENT_SIGNED,
    "amended": AuditAction.ASSESSMENT_AMENDED,
    "withdrawn": AuditAction.ASSESSMENT_WITHDRAWN,
}

EVENTS: dict[ReviewAction, EventType] = {
    "signed": "assessment.signed",
    "amended": "assessment.amended",
    "withdrawn": "assessment.withdrawn",
}


class Reviews:
    """Adds steps to the review of an assessment.

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
        action: ReviewAction,
        allowed: Callable[[Review], bool],
        reason: str | None = None,
        findings: AmendedFindings | None = None,
    ) -> StoredAssessment:
        """Add a step with its line in the trail; two at the same moment come one after the other.

        A withdrawn assessment's open alerts are closed with it.

        Args:
            allowed: whether the step changes anything, by the review so far; may refuse it with an error.

        Raises:
            NotFound: there is no assessment under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
        """
        async with self._sessions.begin() as session:
            found, closed = await found_and_closed(session, assessment_id, who, for_update=True)
            if found is not None and not closed:
                row, key = found[0], opened_key(self._kek, *found)
                if allowed(decrypt_assessment(key, row).assessment.review):
                    row.reviews.append(_row(row, key, who, action, reason, findings))
                    await record_event(session, who.organisation_id, EVENTS[action], assessment_id)
                    if action == "withdrawn":
                        row.rank = OVER
                        mine = AlertRow.assessment_id == assessment_id
                        await close_alerts(session, who.organisation_id, mine, who.id)
                stored = decrypt_assessment(key, row)
            outcome = outcome_of(found, closed)
            session.add(audit_row(who.organisation_id, who.id, AUDITED[action], str(assessment_id), outcome))
        opened(found, closed, assessment_id)
        return stored

    async def is_withdrawn(self, assessment_id: UUID) -> bool:
        """Whether an assessment was taken back; who may know was asked before."""
        gone = (AssessmentReviewRow.assessment_id == assessment_id) & (AssessmentReviewRow.action == "withdrawn")
        async with self._sessions() as session:
            return bool(await session.scalar(select(exists().where(gone))))


def _row(
    row: AssessmentRow,
    key: bytes,
    who: Principal,
    action: ReviewAction,
    reason: str | None,
    findings: AmendedFindings | None,
) -> AssessmentReviewRow:
    identity = uuid7()
    content = {"reason": reason, "findings": findings and findings.model_dump(mode="json")}
    step = AssessmentReviewRow(id=identity, assessment_id=row.id, action=action, at=now(), by=who.id)
    step.content = encrypt(key, json.dumps(content).encode(), review_binding(step))
    return step
