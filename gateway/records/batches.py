"""Batches in the database: a queue with leases that works alike on SQLite and on PostgreSQL, without a broker."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError

from gateway.api.manifest import Batch, BatchCase
from gateway.assessing.case import as_sent
from gateway.platform.audit import Outcome, audit_row
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import BatchCaseRow, BatchRow
from gateway.platform.encryption import decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.records.assessments import IdempotentRequest
from gateway.records.patients import KeyOwner, Patients
from shared.problems import Conflict, NotFound, TooBusy

State = Literal["waiting", "working", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
# Longer than the services' timeouts allow one case to take; a case of a process that ended waits this long.
LEASE_S = 60
# Cases of one organisation that wait or are worked on; more are refused until some are done.
MOST_WAITING = 10_000


@dataclass(frozen=True)
class BatchState:
    """A batch and how many of its cases are in each state."""

    row: BatchRow
    counts: dict[State, int]


@dataclass(frozen=True)
class Claim:
    """A case that this process has a lease of, and whose it is."""

    id: UUID
    attempts: int
    patient: UUID | None
    record: bytes
    image: bytes | None
    leased_until: dt.datetime
    organisation_id: UUID
    created_by: str

    def opened(self, owner: KeyOwner) -> tuple[dict[str, Any], bytes | None]:
        """What was handed in (patient_id and risk), and the image."""
        record = json.loads(decrypt(owner.key, self.record, self.id.bytes + b"record"))
        image = decrypt(owner.key, self.image, self.id.bytes + b"image") if self.image else None
        return record, image


class Batches:
    """Keeps batches and hands out their cases.

    Args:
        sessions: of the installation's database.
        patients: know the keys that the cases are sealed with.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def add(self, batch: Batch, who: Principal, idempotent: IdempotentRequest | None) -> BatchState:
        """Store a batch as a whole or not at all; the earlier one where it was sent before under the same key.

        Raises:
            Conflict: the key was used for another batch.
            TooBusy: too many cases of the organisation wait.
        """
        if idempotent and (earlier := await self._repeated(who, idempotent)):
            return earlier
        await self._check_room(who.organisation_id, len(batch.cases))
        row = BatchRow(
            id=uuid7(), organisation_id=who.organisation_id, created_at=now(), created_by=who.id,
            idempotency_key=idempotent and idempotent.key, request_hash=idempotent and idempotent.digest,
        )  # fmt: skip
        owners = {one.patient_id: await self._patients.owner(who, one.patient_id) for one in batch.cases}
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                await session.flush()
                for position, case in enumerate(batch.cases):
                    session.add(await _case_row(row.id, position, case, owners[case.patient_id]))
                    await session.flush()  # an image at a time, not all of them in memory
                session.add(audit_row(who.organisation_id, who.id, "batch made", str(row.id)))
        except IntegrityError:
            earlier = await self._repeated(who, idempotent) if idempotent else None
            if earlier is None:
                raise
            return earlier
        return await self.state(row.id, who.organisation_id)

    async def get(self, batch_id: UUID, who: Principal, action: str = "batch read") -> BatchState:
        """One batch of the caller's organisation, with a line in the audit trail.

        Raises:
            NotFound: there is none under this id, or it is another organisation's.
        """
        try:
            found = await self.state(batch_id, who.organisation_id)
        except NotFound:
            await self._audit(who, action, batch_id, "not found")
            raise
        await self._audit(who, action, batch_id, "done")
        return found

    async def state(self, batch_id: UUID, organisation_id: UUID) -> BatchState:
        """The same without a line in the trail, for those who have looked before and follow it.

        Raises:
            NotFound: there is none under this id, or it is another organisation's.
        """
        found = await self._states((BatchRow.id == batch_id) & (BatchRow.organisation_id == organisation_id), 1)
        if not found:
            raise NotFound(f"There is no batch {batch_id}.")
        return found[0]

    async def page(self, who: Principal, limit: int, before: UUID | None) -> list[BatchState]:
        """Newest first; `before` is the last id of the page before."""
        condition = BatchRow.organisation_id == who.organisation_id
        return await self._states(condition if before is None else condition & (BatchRow.id < before), limit)

    async def cases(self, batch_id: UUID, limit: int, after: int | None) -> list[BatchCaseRow]:
        """The cases of a batch in their order; `after` is the last position of the page before."""
        query = select(BatchCaseRow).where(BatchCaseRow.batch_id == batch_id)
        if after is not None:
            query = query.where(BatchCaseRow.position > after)
        async with self._sessions() as session:
            return list(await session.scalars(query.order_by(BatchCaseRow.position).limit(limit)))

    async def cancel(self, batch_id: UUID, who: Principal) -> BatchState:
        """Begin no further case; those that are being worked on are finished. Cancelling again changes nothing.

        Raises:
            NotFound: there is none under this id, or it is another organisation's.
        """
        await self.get(batch_id, who, "batch cancelled")
        waiting = (BatchCaseRow.batch_id == batch_id) & (BatchCaseRow.state == "waiting")
        async with self._sessions.begin() as session:
            await session.execute(
                update(BatchRow)
                .where(BatchRow.id == batch_id, BatchRow.cancelled_at.is_(None))
                .values(cancelled_at=now())
            )
            await session.execute(update(BatchCaseRow).where(waiting).values(_ended("cancelled")))
        return await self.state(batch_id, who.organisation_id)

    async def claim(self) -> Claim | None:
        """Take a lease of the oldest case that waits, or whose lease ran out; null where there is none.

        One statement, so two processes never take the same one: SQLite has one writer at a time, and PostgreSQL passes
        over a row that another has locked.
        """
        moment = now()
        waits = (BatchCaseRow.state == "waiting") & (BatchCaseRow.not_before <= moment)
        abandoned = (BatchCaseRow.state == "working") & (BatchCaseRow.leased_until <= moment)
        in_turn = (BatchCaseRow.batch_id, BatchCaseRow.position)
        oldest = select(BatchCaseRow.id).where(waits | abandoned).order_by(*in_turn).limit(1)
        taken = {
            "state": "working", "attempts": BatchCaseRow.attempts + 1,
            "leased_until": moment + dt.timedelta(seconds=LEASE_S),
        }  # fmt: skip
        take = (
            update(BatchCaseRow)
            .where(BatchCaseRow.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
            .values(taken)
            .returning(BatchCaseRow)
            .execution_options(synchronize_session=False)
        )
        async with self._sessions.begin() as session:
            row = (await session.scalars(take)).one_or_none()
            if row is None:
                return None
            batch = (await session.scalars(select(BatchRow).where(BatchRow.id == row.batch_id))).one()
        assert row.leased_until is not None and row.record is not None  # noqa: S101, PT018 -- until it ends
        return Claim(
            row.id, row.attempts, row.patient, row.record, row.image, row.leased_until, batch.organisation_id,
            batch.created_by,
        )  # fmt: skip

    async def end(
        self, claim: Claim, assessment_id: UUID | None = None, problem: dict[str, Any] | None = None
    ) -> None:  # fmt: skip
        """The case is done, or failed for good; what was handed in is deleted."""
        values = {**_ended("failed" if problem else "done"), "assessment_id": assessment_id, "problem": problem}
        async with self._sessions.begin() as session:
            await session.execute(update(BatchCaseRow).where(_held(claim)).values(values))

    async def give_back(self, claim: Claim, after_s: float = 0, attempted: bool = True) -> None:
        """Let the case wait again: for some seconds, or only until another takes it; not where it was cancelled."""
        cancelled = select(BatchRow.cancelled_at.is_not(None)).join(BatchCaseRow, BatchCaseRow.batch_id == BatchRow.id)
        values: dict[str, Any] = {
            "state": "waiting", "leased_until": None, "attempts": claim.attempts - (not attempted),
            "not_before": now() + dt.timedelta(seconds=after_s),
        }  # fmt: skip
        async with self._sessions.begin() as session:
            await session.execute(update(BatchCaseRow).where(_held(claim)).values(values))
            if await session.scalar(cancelled.where(BatchCaseRow.id == claim.id)):
                waiting = (BatchCaseRow.id == claim.id) & (BatchCaseRow.state == "waiting")
                await session.execute(update(BatchCaseRow).where(waiting).values(_ended("cancelled")))

    async def _states(self, condition: ColumnElement[bool], limit: int) -> list[BatchState]:
        async with self._sessions() as session:
            query = select(BatchRow).where(condition).order_by(BatchRow.id.desc()).limit(limit)
            rows = (await session.scalars(query)).all()
            per_state = (
                select(BatchCaseRow.batch_id, BatchCaseRow.state, func.count())
                .where(BatchCaseRow.batch_id.in_([row.id for row in rows]))
                .group_by(BatchCaseRow.batch_id, BatchCaseRow.state)
            )
            counted = {(batch, state): count for batch, state, count in (await session.execute(per_state)).all()}
        return [BatchState(row, {state: counted.get((row.id, state), 0) for state in STATES}) for row in rows]

    async def _repeated(self, who: Principal, idempotent: IdempotentRequest) -> BatchState | None:
        found = await self._states(
            (BatchRow.created_by == who.id) & (BatchRow.idempotency_key == idempotent.key), 1
        )  # fmt: skip
        if found and found[0].row.request_hash != idempotent.digest:
            raise Conflict("This Idempotency-Key was used for another batch: send a new key.")
        return found[0] if found else None

    async def _check_room(self, organisation_id: UUID, more: int) -> None:
        open_cases = (
            select(func.count())
            .select_from(BatchCaseRow)
            .join(BatchRow, BatchRow.id == BatchCaseRow.batch_id)
            .where(BatchRow.organisation_id == organisation_id, BatchCaseRow.state.in_(("waiting", "working")))
        )
        async with self._sessions() as session:
            there = await session.scalar(open_cases) or 0
        if there + more > MOST_WAITING:
            raise TooBusy(
                f"{there} cases of batches wait already, and {MOST_WAITING} may: send this batch later.",
                retry_after_s=60,
            )

    async def _audit(self, who: Principal, action: str, batch_id: UUID, outcome: Outcome) -> None:
        async with self._sessions.begin() as session:
            session.add(audit_row(who.organisation_id, who.id, action, str(batch_id), outcome))


async def _case_row(batch_id: UUID, position: int, case: BatchCase, owner: KeyOwner) -> BatchCaseRow:
    identity, image = uuid7(), await case.image()
    risk = as_sent(case.risk) if case.risk else None
    record = json.dumps({"patient_id": case.patient_id, "risk": risk}).encode()
    return BatchCaseRow(
        id=identity, batch_id=batch_id, position=position, reference=case.reference, patient=owner.patient,
        state="waiting",
        record=encrypt(owner.key, record, identity.bytes + b"record"), attempts=0, not_before=now(),
        image=encrypt(owner.key, image, identity.bytes + b"image") if image is not None else None,
    )  # fmt: skip


def _ended(state: State) -> dict[str, Any]:
    return {"state": state, "record": None, "image": None, "leased_until": None}


def _held(claim: Claim) -> ColumnElement[bool]:
    """The case, as long as the lease is still this one."""
    mine = BatchCaseRow.leased_until == claim.leased_until
    return (BatchCaseRow.id == claim.id) & (BatchCaseRow.state == "working") & mine
