"""Two numbers of one patient in the database: proposed, merged or refused, and taken apart again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import PatientMergeRow, PatientRow
from gateway.platform.encryption import decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, paged
from gateway.records.access import closed_patients, restricted
from gateway.records.patient_moves import Side, move_all, move_back
from gateway.records.patients import Patient, Patients
from shared.problems import Conflict, NotFound

MergeStatus = Literal["proposed", "merged", "refused", "undone"]
MERGE_STATUSES: tuple[MergeStatus, ...] = get_args(MergeStatus)
LONGEST_MERGE_NOTE = 500
ERASED = "One of the two patients was erased: there is nothing to merge or to take apart."


@dataclass(frozen=True)
class PatientMerge:
    """`retired_number` is said to be one more number of the patient `surviving_number`. Null where erased since."""

    id: UUID
    status: MergeStatus
    surviving_id: UUID
    surviving_number: str | None
    retired_id: UUID
    retired_number: str | None
    note: str | None
    proposed_at: dt.datetime
    proposed_by: str
    decided_at: dt.datetime | None
    decided_by: str | None
    undone_at: dt.datetime | None
    undone_by: str | None


class PatientMerges:
    """Stores what is proposed, and carries it out.

    Args:
        sessions: of the installation's database.
        patients: find the patients and open their keys.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def propose(self, who: Principal, retired: Patient, surviving: Patient, note: str) -> PatientMerge:
        """Note that a person should decide. The same proposal again gives the one that waits.

        Raises:
            Conflict: both are the same patient already.
            PatientRestricted: the caller has to open one of the records first.
        """
        if retired.id == surviving.id:
            raise Conflict("Both numbers lead to the same patient already.")
        same = (PatientMergeRow.surviving_id == surviving.id) & (PatientMergeRow.retired_id == retired.id)
        key, identity = await self._patients.organisation_key(who.organisation_id), uuid7()
        row = PatientMergeRow(
            id=identity,
            organisation_id=who.organisation_id,
            surviving_id=surviving.id,
            retired_id=retired.id,
            status="proposed",
            note=encrypt(key, note.encode(), _binding(identity)),
            proposed_at=now(),
            proposed_by=who.id,
            moved=[],
            repointed=[],
        )
        action = AuditAction.PATIENT_MERGE_PROPOSED
        async with self._sessions.begin() as session:
            closed = await closed_patients(session, who, [retired.id, surviving.id])
            waiting = same & (PatientMergeRow.status == "proposed")
            there = None if closed else await session.scalar(select(PatientMergeRow.id).where(waiting))
            if not closed and there is None:
                session.add(row)
            outcome: Outcome = "refused" if closed else "done"
            for patient in (retired, surviving):
                session.add(audit_row(who.organisation_id, who.id, action, str(patient.id), outcome))
            found = [] if closed else await self._select(session, PatientMergeRow.id == (there or identity), 1, key)
        if closed:
            raise restricted(closed.pop())
        return found[0]

    async def page(
        self, who: Principal, limit: int, before: UUID | None, statuses: Sequence[MergeStatus]
    ) -> Page[PatientMerge, UUID]:
        """The organisation's in these states, newest first."""
        condition = (PatientMergeRow.organisation_id == who.organisation_id) & PatientMergeRow.status.in_(statuses)
        if before is not None:
            condition &= PatientMergeRow.id < before
        key = await self._patients.organisation_key(who.organisation_id)
        async with self._sessions.begin() as session:
            found = await self._select(session, condition, limit + 1, key)
            session.add(audit_row(who.organisation_id, who.id, AuditAction.PATIENT_MERGES_LISTED))
        return paged(found, limit, lambda merge: merge.id)

    async def of_patient(self, patient: Patient) -> list[PatientMerge]:
        """Every one that a patient takes part in, newest first; who may see the patient was asked before."""
        mine = (PatientMergeRow.surviving_id == patient.id) | (PatientMergeRow.retired_id == patient.id)
        key = await self._patients.organisation_key(patient.organisation_id)
        async with self._sessions() as session:
            return await self._select(session, mine, None, key)

    async def refuse(self, merge_id: UUID, who: Principal) -> PatientMerge:
        """They are two people.

        Raises:
            NotFound: the organisation has none under this id.
            Conflict: it was decided before.
        """
        return await self._decide(merge_id, who, "refused", AuditAction.PATIENT_MERGE_REFUSED)

    async def merge(self, merge_id: UUID, who: Principal) -> PatientMerge:
        """Give everything of the retired patient to the surviving one, in one transaction.

        From then on the retired number and id lead to the surviving patient. If either record is restricted, what comes
        of merging them is, and of taking them apart both are, until somebody lifts it.

        Raises:
            NotFound: the organisation has none under this id.
            PatientRestricted: the caller has to open one of the records first.
            Conflict: it was decided before, one of them was erased or merged since, or a case is being assessed.
        """
        return await self._decide(merge_id, who, "merged", AuditAction.PATIENTS_MERGED)

    async def undo(self, merge_id: UUID, who: Principal) -> PatientMerge:
        """Take two patients apart again: what came from the retired one goes back, what came since stays.

        Raises:
            NotFound, PatientRestricted: as `merge`.
            Conflict: they are not merged, a later merge has to be undone first, or a case is being assessed.
        """
        return await self._decide(merge_id, who, "undone", AuditAction.PATIENT_MERGE_UNDONE)

    async def _decide(self, merge_id: UUID, who: Principal, to: MergeStatus, action: AuditAction) -> PatientMerge:
        mine = (PatientMergeRow.id == merge_id) & (PatientMergeRow.organisation_id == who.organisation_id)
        key = await self._patients.organisation_key(who.organisation_id)
        closed: set[UUID] = set()
        async with self._sessions.begin() as session:
            row = (await session.scalars(select(PatientMergeRow).where(mine).with_for_update())).one_or_none()
            if row is not None:
                closed = await closed_patients(session, who, [row.retired_id, row.surviving_id])
            if row is not None and not closed:
                await self._carry_out(session, row, to)
                if to == "undone":
                    row.undone_at, row.undone_by = now(), who.id
                else:
                    row.decided_at, row.decided_by = now(), who.id
                row.status = to
            outcome: Outcome = "refused" if closed else "done" if row else "not found"
            for subject in (row.retired_id, row.surviving_id) if row else (merge_id,):
                session.add(audit_row(who.organisation_id, who.id, action, str(subject), outcome))
            found = await self._select(session, mine, 1, key) if outcome == "done" else []
        if row is None:
            raise NotFound(f"There is no merge {merge_id}.")
        if closed:
            raise restricted(closed.pop())
        return found[0]

    async def _carry_out(self, session: AsyncSession, row: PatientMergeRow, to: MergeStatus) -> None:
        needed = "merged" if to == "undone" else "proposed"
        if row.status != needed:
            raise Conflict(f"This merge is {row.status}: it cannot become {to}.")
        if to != "refused":
            retired, surviving = await _locked(session, row.retired_id, row.surviving_id)
            if retired.erased_at is not None or surviving.erased_at is not None:
                raise Conflict(ERASED)
            await (self._merge if to == "merged" else self._undo)(session, row, retired, surviving)

    async def _merge(
        self, session: AsyncSession, row: PatientMergeRow, retired: PatientRow, surviving: PatientRow
    ) -> None:
        if retired.merged_into is not None or surviving.merged_into is not None:
            raise Conflict("One of the two patients was merged with another since: propose the merge again.")
        row.moved = await move_all(session, self._side(retired), self._side(surviving))
        before = await session.scalars(select(PatientRow).where(PatientRow.merged_into == retired.id).with_for_update())
        for patient in before:
            self._patients.set_merged_into(patient, surviving.id)
            row.repointed = [*row.repointed, str(patient.id)]
        self._patients.set_merged_into(retired, surviving.id)
        if retired.restricted_at is not None and surviving.restricted_at is None:
            self._patients.set_restricted(surviving, now())

    async def _undo(
        self, session: AsyncSession, row: PatientMergeRow, retired: PatientRow, surviving: PatientRow
    ) -> None:
        if retired.merged_into != surviving.id or surviving.merged_into is not None:
            raise Conflict("The surviving patient was merged with another since: undo that merge first.")
        self._patients.set_merged_into(retired, None)
        for identity in row.repointed:
            self._patients.set_merged_into(await session.get_one(PatientRow, UUID(identity)), retired.id)
        await move_back(session, row.moved, self._side(surviving), self._side(retired))
        if surviving.restricted_at is not None and retired.restricted_at is None:
            self._patients.set_restricted(retired, now())

    def _side(self, row: PatientRow) -> Side:
        return Side(row.id, row.patient_number, self._patients.data_key_of(row))

    async def _select(
        self, session: AsyncSession, condition: ColumnElement[bool], limit: int | None, key: bytes
    ) -> list[PatientMerge]:
        await session.flush()
        newest = select(PatientMergeRow).where(condition).order_by(PatientMergeRow.id.desc()).limit(limit)
        rows = (await session.scalars(newest)).all()
        ids = {identity for row in rows for identity in (row.surviving_id, row.retired_id)}
        named = select(PatientRow.id, PatientRow.patient_number).where(PatientRow.id.in_(ids))
        numbers: dict[UUID, str | None] = {row.id: row.patient_number for row in await session.execute(named)}
        return [_merge(row, numbers, key) for row in rows]


async def _locked(session: AsyncSession, *ids: UUID) -> Sequence[PatientRow]:
    """The patients of these ids, locked in the order of their ids, so that two merges never wait for each other."""
    rows: dict[UUID, Any] = {}
    for identity in sorted(ids):
        rows[identity] = await session.get_one(PatientRow, identity, with_for_update=True, populate_existing=True)
    return [rows[identity] for identity in ids]


def _binding(merge_id: UUID) -> bytes:
    return merge_id.bytes + b"merge"


def _merge(row: PatientMergeRow, numbers: dict[UUID, str | None], key: bytes) -> PatientMerge:
    return PatientMerge(
        id=row.id,
        status=cast(MergeStatus, row.status),
        surviving_id=row.surviving_id,
        surviving_number=numbers.get(row.surviving_id),
        retired_id=row.retired_id,
        retired_number=numbers.get(row.retired_id),
        note=decrypt(key, row.note, _binding(row.id)).decode() if row.note is not None else None,
        proposed_at=row.proposed_at,
        proposed_by=row.proposed_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
    )
