"""Whose records are closed to whom: the one place where it is decided.

A restricted patient's record (a colleague's, a public person's) is closed to the organisation's people, administrators
too, until one of them opens it by emergency access, with a reason and for some hours. It stays open to the patient's
own account, and to a hospital system to which the operator has given the scope `patients:restricted`.

Whatever reads or changes what is stored about patients asks here: lists by `closed_to`, everything else by
`closed_patients`, which also leaves a line of the trail for each emergency access that is made use of.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, false, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.tables import EmergencyAccessRow, PatientRow
from gateway.platform.identity.scopes import RESTRICTED, Principal
from shared.problems import PatientRestricted


def closed_to(who: Principal, patient_id: Any) -> ColumnElement[bool]:
    """The condition that a row's patient is closed to the caller.

    Args:
        patient_id: the row's column that names its patient.
    """
    if _sees_all(who):
        return false()
    patient = aliased(PatientRow)
    opened = exists().where(EmergencyAccessRow.patient_id == patient.id, _open_to(who))
    return exists().where(patient.id == patient_id, patient.restricted_at.is_not(None), ~opened)


async def closed_patients(session: AsyncSession, who: Principal, patient_ids: Iterable[UUID | None]) -> set[UUID]:
    """Those of some of the organisation's patients whose records are closed to the caller; null is nobody's, and open.

    Each emergency access that opens one of the others gets its line of the trail, under the same request as the line of
    what is read.
    """
    wanted = set(patient_ids) - {None}
    if _sees_all(who) or not wanted:
        return set()
    # Of another organisation's patients nothing is shown anyway: that one of them is restricted would be something.
    ours = PatientRow.id.in_(wanted) & (PatientRow.organisation_id == who.organisation_id)
    closed = set(await session.scalars(select(PatientRow.id).where(ours, PatientRow.restricted_at.is_not(None))))
    if not closed:
        return closed
    query = select(EmergencyAccessRow.id, EmergencyAccessRow.patient_id)
    opened = (await session.execute(query.where(EmergencyAccessRow.patient_id.in_(closed), _open_to(who)))).all()
    for access_id, _ in opened:
        action, subject = AuditAction.EMERGENCY_ACCESS_USED, emergency_subject(access_id)
        session.add(audit_row(who.organisation_id, who.id, action, subject))
    return closed - {patient_id for _, patient_id in opened}


def restricted(patient_id: UUID) -> PatientRestricted:
    """The refusal, with the id by which the record can be opened."""
    return PatientRestricted(
        "This patient's record is restricted: emergency access opens it, with a reason that is reviewed.",
        patient_id=str(patient_id),
    )


def emergency_subject(access_id: UUID) -> str:
    """How the audit trail names an emergency access."""
    return f"emergency-access:{access_id}"


def _sees_all(who: Principal) -> bool:
    return who.is_patient or RESTRICTED in who.scopes


def _open_to(who: Principal) -> ColumnElement[bool]:
    return (EmergencyAccessRow.opened_by == who.id) & (EmergencyAccessRow.ends_at > now())
