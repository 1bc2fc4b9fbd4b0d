"""The work list: an organisation's assessments, filtered, ordered and counted by the database, and who is on which."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

import anyio
from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AlertRow, AssessmentReviewRow, AssessmentRow, PatientRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import paged
from gateway.records.access import closed_to
from gateway.records.alerts import acknowledge_alerts, close_alerts
from gateway.records.assessments import found_and_closed, opened, opened_key, outcome_of, visible, with_keys
from gateway.records.encrypted import StoredAssessment, decrypt_assessment
from gateway.records.list_columns import OVER, RANKS
from gateway.records.windows import count_up_to_most
from shared.contracts.recommendation import Urgency

CaseStatus = Literal["new", "seen", "closed"]
Show = Literal["all", "emergency", "consult", "high", "release", "partial", "indeterminate"]
Order = Literal["urgency", "newest"]
AUDITED: dict[CaseStatus, AuditAction] = {
    "new": AuditAction.ASSESSMENT_CASE_REOPENED,
    "seen": AuditAction.ASSESSMENT_CASE_SEEN,
    "closed": AuditAction.ASSESSMENT_CASE_CLOSED,
}


@dataclass(frozen=True)
class Wanted:
    """Which cases are wanted, and in which order.

    Args:
        number: a part of a patient number, in any case of its letters.
        before: the last case of the page before.
    """

    show: Show = "all"
    status: CaseStatus | None = None
    order: Order = "urgency"
    number: str = ""
    before: UUID | None = None


@dataclass(frozen=True)
class CaseState:
    """How far staff are with a case, since when and by whom; nobody has said so of a new one."""

    status: CaseStatus
    at: dt.datetime | None = None
    by: str | None = None


@dataclass(frozen=True)
class Case:
    """An assessment on the list."""

    stored: StoredAssessment
    state: CaseState


@dataclass(frozen=True)
class CasePage:
    """A part of the list, how many there are in all (null: more than are counted), and the `before` of the next."""

    cases: list[Case]
    total: int | None
    next: UUID | None


class WorkList:
    """Lists cases, and notes how far staff are with one.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def page(self, who: Principal, limit: int, wanted: Wanted) -> CasePage:
        """A part of the list, without those of restricted patients."""
        condition = _open_to(who) & _matching(wanted, who)
        async with self._sessions.begin() as session:
            total = await count_up_to_most(session, select(AssessmentRow.id).where(condition))
            place = await _place(session, wanted.before) if wanted.before else None
            query = _in_order(with_keys(condition), wanted.order, place).limit(limit + 1)
            rows = (await session.execute(query)).all()
            session.add(audit_row(who.organisation_id, who.id, AuditAction.ASSESSMENTS_LISTED))
        cases = await anyio.to_thread.run_sync(lambda: [self._case(row) for row in rows])
        cut = paged(cases, limit, lambda one: one.stored.assessment.id)
        return CasePage(cut.items, total, cut.next)

    async def emergencies(self, who: Principal) -> int:
        """How many emergencies nobody has closed yet."""
        condition = _open_to(who) & (AssessmentRow.rank == RANKS["emergency"])
        async with self._sessions() as session:
            return await session.scalar(select(func.count()).select_from(AssessmentRow).where(condition)) or 0

    async def state(self, assessment_id: UUID) -> CaseState:
        """How far staff are with a case; whether the caller may see it was asked before."""
        query = select(AssessmentRow.case_status, AssessmentRow.case_status_at, AssessmentRow.case_status_by)
        async with self._sessions() as session:
            status, at, by = (await session.execute(query.where(AssessmentRow.id == assessment_id))).one()
        return CaseState(status, at, by)  # type: ignore[arg-type]

    async def set_status(self, assessment_id: UUID, status: CaseStatus, who: Principal) -> None:
        """Note how far staff are. The same status again changes nothing.

        Closing a case closes its emergency alert, and a clinician who has seen it acknowledges that.

        Raises:
            NotFound: there is none under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
        """
        async with self._sessions.begin() as session:
            row, closed = await found_and_closed(session, assessment_id, who, for_update=True)
            if row is not None and not closed and row[0].case_status != status:
                row[0].case_status, row[0].case_status_at, row[0].case_status_by = status, now(), who.id
                is_over = status == "closed" or any(step.action == "withdrawn" for step in row[0].reviews)
                row[0].rank = OVER if is_over else row[0].urgency
                mine = (AlertRow.assessment_id == assessment_id) & (AlertRow.kind == "urgent")
                if status == "closed":
                    await close_alerts(session, who.organisation_id, mine, who.id)
                elif status == "seen" and who.role == "clinician":
                    await acknowledge_alerts(session, who, mine)
            outcome = outcome_of(row, closed)
            session.add(audit_row(who.organisation_id, who.id, AUDITED[status], str(assessment_id), outcome))
        opened(row, closed, assessment_id)

    def _case(self, row: Any) -> Case:
        found: AssessmentRow = row[0]
        status: CaseStatus = found.case_status  # type: ignore[assignment]
        state = CaseState(status, found.case_status_at, found.case_status_by)
        return Case(decrypt_assessment(opened_key(self._kek, *row), found), state)


def _open_to(who: Principal) -> ColumnElement[bool]:
    return visible(who) & ~closed_to(who, AssessmentRow.patient_id)


def _is_withdrawn() -> ColumnElement[bool]:
    return AssessmentRow.reviews.any(AssessmentReviewRow.action == "withdrawn")


def _as_urgent_as(least: Urgency) -> ColumnElement[bool]:
    """Cases of this urgency or a higher one, whatever came of them; by every status, as the index begins with it."""
    return AssessmentRow.case_status.in_(get_args(CaseStatus)) & (AssessmentRow.urgency >= RANKS[least])


def _matching(wanted: Wanted, who: Principal) -> ColumnElement[bool]:
    row = AssessmentRow
    shown: dict[Show, ColumnElement[bool]] = {
        "emergency": _as_urgent_as("emergency"),
        "consult": _as_urgent_as("soon"),
        "high": row.category == "high",
        "release": row.has_medicines & row.released_at.is_(None),
        "partial": row.status == "partial",
        "indeterminate": row.is_unclear.is_(true()),
    }
    condition = true() if wanted.show == "all" else shown[wanted.show] & ~_is_withdrawn()
    if wanted.status is not None:
        condition &= row.case_status == wanted.status
    if wanted.number:
        # A merged patient's number leads to the survivor, who has the assessments.
        numbered = (PatientRow.organisation_id == who.organisation_id) & PatientRow.patient_number.icontains(
            wanted.number, autoescape=True
        )
        condition &= row.patient_id.in_(select(func.coalesce(PatientRow.merged_into, PatientRow.id)).where(numbered))
    return condition


async def _place(session: AsyncSession, before: UUID) -> tuple[int, UUID]:
    """Where a case stands in the order; behind every other where it was erased meanwhile or is nobody's business."""
    rank = await session.scalar(select(AssessmentRow.rank).where(AssessmentRow.id == before))
    return (OVER if rank is None else rank), before


def _in_order(query: Any, order: Order, place: tuple[int, UUID] | None) -> Any:
    identity, rank = AssessmentRow.id, AssessmentRow.rank
    if order == "newest":
        return (query if place is None else query.where(identity < place[1])).order_by(identity.desc())
    if place is not None:
        query = query.where(or_(rank < place[0], and_(rank == place[0], identity < place[1])))
    return query.order_by(rank.desc(), identity.desc())
