"""Alerts in the database: their text encrypted with their owner's key, their dates open for the search.

An emergency of a case that names no patient is the organisation's: somebody still has to look at it.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AlertRow, AssessmentRow, OrganisationRow, PatientRow
from gateway.platform.encryption import KeyEncryptionKey, decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, Window, paged
from gateway.records.access import closed_patients, restricted
from gateway.records.alert_rules import ASK_THE_CLINIC, Change, NewAlert, NewAlerts
from gateway.records.encrypted import key_of
from gateway.records.events import record_event, record_events
from gateway.records.list_columns import OVER
from gateway.records.patients import checked_key
from gateway.records.windows import order_of, within
from shared.problems import Conflict, NotFound

RESTRICTED_TEXT = "The record is restricted. Open it by emergency access to see what this is about."
AlertState = Literal["urgent", "upcoming", "due", "overdue", "worsening"]


@dataclass(frozen=True)
class Alert:
    """An alert. A follow-up is upcoming, due or overdue by today's date. Without a patient, the assessment says more.

    Of a restricted patient whose record is closed to the reader, `restricted` says that there is one and how urgent it
    is, so that nobody is forgotten; what it is about is left out.
    """

    id: UUID
    patient_id: UUID | None
    patient_number: str | None
    status: AlertState
    code: str
    text: str
    patient_text: str
    due_from: dt.date | None
    due_by: dt.date | None
    assessment_id: UUID | None
    created_at: dt.datetime
    closed_at: dt.datetime | None = None
    closed_by: str | None = None
    restricted: bool = False
    change: Change | None = None
    acknowledged_at: dt.datetime | None = None
    acknowledged_by: str | None = None
    escalated_at: dt.datetime | None = None


class Alerts:
    """Finds open alerts and closes them.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def page(
        self, who: Principal, limit: int, window: Window[UUID], states: Sequence[AlertState], today: dt.date
    ) -> Page[Alert, UUID]:
        """Open alerts in these states; a patient's own account sees the patient's own."""
        condition = _visible(who) & AlertRow.closed_at.is_(None) & _in_state(states, today)
        condition &= within(window, AlertRow.id, AlertRow.created_at)
        async with self._sessions.begin() as session:
            found = await self._select(session, condition, today, limit + 1, window)
            closed = await closed_patients(session, who, [alert.patient_id for alert in found[:limit]])
            alerts = [_without_facts(alert) if alert.patient_id in closed else alert for alert in found]
            session.add(audit_row(who.organisation_id, who.id, AuditAction.ALERTS_LISTED))
        return paged(alerts, limit, lambda alert: alert.id)

    async def of_patient(self, patient_id: UUID, today: dt.date, closed_too: bool = False) -> list[Alert]:
        """All open alerts of a patient, newest first; whether the caller may see the patient was asked before."""
        condition = AlertRow.patient_id == patient_id
        if not closed_too:
            condition &= AlertRow.closed_at.is_(None)
        async with self._sessions() as session:
            return await self._select(session, condition, today, None)

    async def close(self, alert_id: UUID, who: Principal) -> None:
        """Somebody has seen to it. Closing again changes nothing.

        Raises:
            NotFound: there is none under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
        """
        async with self._sessions.begin() as session:
            query = select(AlertRow).where((AlertRow.id == alert_id) & _visible(who))
            row = (await session.scalars(query)).one_or_none()
            closed = await closed_patients(session, who, [row.patient_id]) if row else set()
            if row and not closed and row.closed_at is None:
                row.closed_at, row.closed_by = now(), who.id
                await _close_case(session, row, who)
                await record_event(session, who.organisation_id, "alert.closed", alert_id)
            outcome: Outcome = "refused" if closed else "done" if row else "not found"
            session.add(audit_row(who.organisation_id, who.id, AuditAction.ALERT_CLOSED, str(alert_id), outcome))
        if row is None:
            raise NotFound(f"There is no alert {alert_id}.")
        if closed:
            raise restricted(closed.pop())

    async def acknowledge(self, alert_id: UUID, who: Principal) -> None:
        """Somebody looks at an emergency: no second alarm goes out, and its case is seen. Once more changes nothing.

        Raises:
            NotFound: there is none under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
            Conflict: it is no emergency.
        """
        async with self._sessions.begin() as session:
            query = select(AlertRow).where((AlertRow.id == alert_id) & _visible(who))
            row = (await session.scalars(query)).one_or_none()
            closed = await closed_patients(session, who, [row.patient_id]) if row else set()
            if row and not closed:
                await acknowledge_alerts(session, who, AlertRow.id == alert_id)
                await _see_case(session, row, who)
            outcome: Outcome = "refused" if closed else "done" if row else "not found"
            session.add(audit_row(who.organisation_id, who.id, AuditAction.ALERT_ACKNOWLEDGED, str(alert_id), outcome))
        if row is None:
            raise NotFound(f"There is no alert {alert_id}.")
        if closed:
            raise restricted(closed.pop())
        if row.kind != "urgent":
            raise Conflict("Only an emergency is acknowledged: close this alert once somebody has dealt with it.")

    async def _select(
        self,
        session: AsyncSession,
        condition: ColumnElement[bool],
        today: dt.date,
        limit: int | None,
        window: Window[UUID] | None = None,
    ) -> list[Alert]:
        owned = select(AlertRow, PatientRow, OrganisationRow.data_key)
        owned = owned.outerjoin(PatientRow, PatientRow.id == AlertRow.patient_id)
        query = owned.join(OrganisationRow, OrganisationRow.id == AlertRow.organisation_id).where(condition)
        rows = (await session.execute(query.order_by(order_of(window or Window(), AlertRow.id)).limit(limit))).all()
        return [self._decrypt_row(*row, today) for row in rows]

    def _decrypt_row(
        self, row: AlertRow, patient: PatientRow | None, organisation_key: bytes | None, today: dt.date
    ) -> Alert:
        key = key_of(row, checked_key(self._kek, patient, row.organisation_id), organisation_key, self._kek)
        texts = json.loads(decrypt(key, row.content, row.id.bytes))
        # One stored before there were words for the patient: the clinic's of a follow-up may name a medicine.
        for_patient = texts.get("patient_text") or (ASK_THE_CLINIC if row.kind == "follow_up" else texts["text"])
        return Alert(
            row.id,
            row.patient_id,
            patient.patient_number if patient else None,
            state_of(row, today),
            row.code,
            texts["text"],
            for_patient,
            row.due_from,
            row.due_by,
            row.assessment_id,
            row.created_at,
            row.closed_at,
            row.closed_by,
            change=Change.model_validate(texts["change"]) if texts.get("change") else None,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.acknowledged_by,
            escalated_at=row.escalated_at,
        )


def state_of(row: AlertRow, today: dt.date) -> AlertState:
    """A follow-up's state by today's date."""
    if row.kind == "urgent":
        return "urgent"
    if row.due_from is None or row.due_by is None:
        return "worsening"
    return "upcoming" if today < row.due_from else "due" if today <= row.due_by else "overdue"


def _without_facts(alert: Alert) -> Alert:
    """What somebody may know of an alert to whom the patient's record is closed."""
    return replace(
        alert,
        code="restricted",
        text=RESTRICTED_TEXT,
        patient_text=RESTRICTED_TEXT,
        due_from=None,
        due_by=None,
        assessment_id=None,
        restricted=True,
        change=None,
    )


def _in_state(states: Sequence[AlertState], today: dt.date) -> ColumnElement[bool]:
    conditions: dict[AlertState, ColumnElement[bool]] = {
        "upcoming": AlertRow.due_from > today,
        "due": (AlertRow.due_from <= today) & (AlertRow.due_by >= today),
        "overdue": AlertRow.due_by < today,
        "worsening": AlertRow.kind == "worsening",
        "urgent": AlertRow.kind == "urgent",
    }
    first, *rest = [conditions[state] for state in states]
    for condition in rest:
        first |= condition
    return first


def _visible(who: Principal) -> ColumnElement[bool]:
    ours = AlertRow.organisation_id == who.organisation_id
    return ours if who.patient_id is None else ours & (AlertRow.patient_id == who.patient_id)


async def add_alerts(
    session: AsyncSession, new_alerts: NewAlerts | None, organisation_id: UUID, assessment_id: UUID | None, by: str
) -> int:
    """Store what an assessment or a measurement gives, in the transaction that stores the thing itself; how many.

    The follow-ups of an assessment with a record stand in for all earlier ones; one without adds what is not open yet.
    """
    if new_alerts is None:
        return 0
    followed = (
        (AlertRow.patient_id == new_alerts.patient_id) & (AlertRow.kind == "follow_up") & AlertRow.closed_at.is_(None)
    )
    if new_alerts.replaces:
        await close_alerts(session, organisation_id, followed, by)
    open_codes = set(await session.scalars(select(AlertRow.code).where(followed)))
    new = [alert for alert in new_alerts.alerts if alert.kind != "follow_up" or alert.code not in open_codes]
    rows = [_row(alert, new_alerts, organisation_id, assessment_id) for alert in new]
    session.add_all(rows)
    await record_events(session, organisation_id, "alert.opened", [row.id for row in rows])
    await record_events(session, organisation_id, "alert.urgent", [row.id for row in rows if row.kind == "urgent"])
    return len(rows)


async def acknowledge_alerts(session: AsyncSession, who: Principal, which: ColumnElement[bool]) -> None:
    """Somebody is looking at these emergencies, each with its event, in the caller's transaction."""
    waiting = (AlertRow.kind == "urgent") & AlertRow.closed_at.is_(None) & AlertRow.acknowledged_at.is_(None)
    seen = update(AlertRow).where(which, waiting).values(acknowledged_at=now(), acknowledged_by=who.id)
    identities = (await session.scalars(seen.returning(AlertRow.id))).all()
    await record_events(session, who.organisation_id, "alert.acknowledged", identities)


async def _see_case(session: AsyncSession, row: AlertRow, who: Principal) -> None:
    """Whoever is looking at an emergency has seen its case: it is one thing on two lists."""
    if row.kind == "urgent" and row.assessment_id is not None:
        case = update(AssessmentRow).where(AssessmentRow.id == row.assessment_id, AssessmentRow.case_status == "new")
        values = {"case_status": "seen", "case_status_at": now(), "case_status_by": who.id}
        await session.execute(case.values(values))


async def _close_case(session: AsyncSession, row: AlertRow, who: Principal) -> None:
    """Whoever has seen to an emergency's alert has closed its case: it is one thing on two lists."""
    if row.kind == "urgent" and row.assessment_id is not None:
        case = update(AssessmentRow).where(AssessmentRow.id == row.assessment_id)
        still_open = case.where(AssessmentRow.case_status != "closed")
        values = {"case_status": "closed", "case_status_at": now(), "case_status_by": who.id, "rank": OVER}
        await session.execute(still_open.values(values))


async def close_alerts(session: AsyncSession, organisation_id: UUID, which: ColumnElement[bool], by: str) -> None:
    """Close some open alerts, each with its event, in the transaction of what stands in for them."""
    close = update(AlertRow).where(which, AlertRow.closed_at.is_(None)).values(closed_at=now(), closed_by=by)
    identities = (await session.scalars(close.returning(AlertRow.id))).all()
    await record_events(session, organisation_id, "alert.closed", identities)


def _row(alert: NewAlert, new_alerts: NewAlerts, organisation_id: UUID, assessment_id: UUID | None) -> AlertRow:
    identity = uuid7()
    change = alert.change and alert.change.model_dump(mode="json")
    texts = json.dumps({"text": alert.text, "patient_text": alert.patient_text, "change": change})
    return AlertRow(
        id=identity,
        organisation_id=organisation_id,
        patient_id=new_alerts.patient_id,
        assessment_id=assessment_id,
        kind=alert.kind,
        code=alert.code,
        content=encrypt(new_alerts.key, texts.encode(), identity.bytes),
        due_from=alert.due_from,
        due_by=alert.due_by,
        created_at=now(),
    )
