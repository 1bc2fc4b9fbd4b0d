"""An order that comes after its film is joined to the assessment, as if it had come before."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AssessmentRow
from gateway.platform.encryption import KeyEncryptionKey, decrypt
from gateway.records.assessments import opened_key, with_keys
from gateway.records.encrypted import StoredAssessment, decrypt_assessment, encrypt_content, with_order
from gateway.records.events import record_event
from gateway.records.orders import Orders, is_for


@dataclass(frozen=True)
class Joining:
    """Assessments that an order was joined to now, and those of its accession number that are of another patient."""

    joined: list[UUID]
    of_others: list[UUID]


class LateOrders:
    """Joins orders to assessments that were there before them.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
        orders: the orders that were announced.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey, orders: Orders) -> None:
        self._sessions, self._kek, self._orders = sessions, kek, orders

    async def join(self, organisation_id: UUID, accession: str, by: str) -> Joining:
        """Give each assessment of the accession number its order as it is now known; once more changes nothing.

        A film of another patient keeps what it has, with a refusal in the trail. A withdrawn result stays as it is.

        Args:
            by: who announced the order, for the trail.
        """
        found = Joining([], [])
        order = await self._orders.find(organisation_id, accession, None)
        hashed = await self._orders.accession_hash(organisation_id, accession)
        if order is None or hashed is None:  # it was cancelled
            return found
        theirs = (AssessmentRow.organisation_id == organisation_id) & (AssessmentRow.accession_hash == hashed)
        async with self._sessions.begin() as session:
            # One by one and in one order, so that two who join at the same moment wait for each other.
            identities = (
                await session.scalars(select(AssessmentRow.id).where(theirs).order_by(AssessmentRow.id))
            ).all()
            for identity in identities:
                mine = with_keys(AssessmentRow.id == identity).with_for_update(of=AssessmentRow)
                got = (await session.execute(mine)).one_or_none()
                if got is None:  # erased meanwhile
                    continue
                row, key = got[0], opened_key(self._kek, *got)
                stored = decrypt_assessment(key, row)
                if stored.assessment.is_withdrawn or stored.order == order:
                    continue
                is_theirs = is_for(order, _number(stored))
                if is_theirs:
                    content = with_order(decrypt(key, row.content, row.id.bytes), order)
                    row.content = encrypt_content(key, content, row.id)
                    await record_event(session, organisation_id, "assessment.ordered", row.id)
                (found.joined if is_theirs else found.of_others).append(row.id)
                action = AuditAction.ASSESSMENT_ORDER_JOINED
                outcome: Outcome = "done" if is_theirs else "refused"
                session.add(audit_row(organisation_id, by, action, str(row.id), outcome))
        return found


def _number(stored: StoredAssessment) -> str | None:
    """Whom the film's own header names, else whom the case was sent for."""
    of_film = stored.identity.patient_id if stored.identity else None
    return of_film or stored.assessment.patient_number
