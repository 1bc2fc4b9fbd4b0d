"""Batches in the database: many cases handed in as one job, and how far each is."""

import datetime as dt
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args
from uuid import UUID

import anyio
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError

from gateway.platform.audit import Outcome, audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import BatchCaseRow, BatchRow
from gateway.platform.encryption import encrypt
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, paged
from gateway.records.idempotency import IdempotentRequest, request_digest
from gateway.records.patients import KeyOwner, Patients
from gateway.records.stored_risk import AnyRisk, as_sent, risk_bytes
from shared.problems import Conflict, NotFound, TooBusy

CaseState = Literal["waiting", "working", "done", "failed", "cancelled"]
CASE_STATES: tuple[CaseState, ...] = get_args(CaseState)
# Cases of one organisation that wait or are worked on; more are refused until some are done.
MOST_WAITING = 10_000


ImageReader = Callable[[], Awaitable[bytes | None]]


@dataclass(frozen=True)
class BatchCase:
    """One case as it was handed in and checked; its image is read when it is needed, one at a time."""

    reference: str
    patient_number: str | None
    risk: AnyRisk | None
    read_image: ImageReader


@dataclass(frozen=True)
class Batch:
    """A batch as it was handed in."""

    cases: list[BatchCase]

    async def digest(self) -> bytes:
        """SHA-256 of everything that was sent, to tell a repeated request from another one under the same key."""
        whole = hashlib.sha256()
        for case in self.cases:
            image = await case.read_image() or b""
            number = (case.patient_number or "").encode()
            parts = (case.reference.encode(), number, risk_bytes(case.risk), image)
            whole.update(await anyio.to_thread.run_sync(request_digest, *parts))
        return whole.digest()


@dataclass(frozen=True)
class BatchState:
    """A batch and how many of its cases are in each state."""

    id: UUID
    organisation_id: UUID
    created_at: dt.datetime
    cancelled_at: dt.datetime | None
    request_hash: bytes | None
    counts: dict[CaseState, int]

    @property
    def is_open(self) -> bool:
        """Whether something waits or is worked on."""
        return self.counts["waiting"] + self.counts["working"] > 0


@dataclass(frozen=True)
class CaseOfBatch:
    """One case: its assessment once it is `done`, the problem where it is `failed`."""

    position: int
    reference: str
    state: CaseState
    assessment_id: UUID | None
    problem: dict[str, Any] | None


class Batches:
    """Keeps batches and counts their cases.

    Args:
        sessions: of the installation's database.
        patients: know the keys that the cases are encrypted with.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def add(self, batch: Batch, who: Principal, idempotent: IdempotentRequest | None) -> BatchState:
        """Store a batch as a whole or not at all; the earlier one where it was sent before under the same key.

        Raises:
            Conflict: the key was used for another batch.
            TooBusy: too many cases of the organisation wait.
        """
        if idempotent and (earlier := await self._answered_before(who, idempotent)):
            return earlier
        await self._check_capacity(who.organisation_id, len(batch.cases))
        row = BatchRow(
            id=uuid7(),
            organisation_id=who.organisation_id,
            created_at=now(),
            created_by=who.id,
            idempotency_key=idempotent and idempotent.stored_key(who.id),
            request_hash=idempotent and idempotent.digest,
        )
        numbers = {case.patient_number for case in batch.cases}
        owners = {number: await self._patients.owner(who, number) for number in numbers}
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                await session.flush()
                for position, case in enumerate(batch.cases):
                    session.add(await _case_row(row.id, position, case, owners[case.patient_number]))
                    await session.flush()  # an image at a time, not all of them in memory
                session.add(audit_row(who.organisation_id, who.id, AuditAction.BATCH_MADE, str(row.id)))
        except IntegrityError:
            earlier = await self._answered_before(who, idempotent) if idempotent else None
            if earlier is None:
                raise
            return earlier
        return await self.state(row.id, who.organisation_id)

    async def get(self, batch_id: UUID, who: Principal, action: AuditAction = AuditAction.BATCH_READ) -> BatchState:
        """One batch of the caller's organisation, with a line in the audit trail.

        Raises:
            NotFound: there is none under this id, or it is another organisation's.
        """
        batch = await self._find(batch_id, who.organisation_id)
        outcome: Outcome = "done" if batch else "not found"
        async with self._sessions.begin() as session:
            session.add(audit_row(who.organisation_id, who.id, action, str(batch_id), outcome))
        if batch is None:
            raise _not_found(batch_id)
        return batch

    async def state(self, batch_id: UUID, organisation_id: UUID) -> BatchState:
        """The same without a line in the trail, for those who have looked before and follow it.

        Raises:
            NotFound: there is none under this id, or it is another organisation's.
        """
        batch = await self._find(batch_id, organisation_id)
        if batch is None:
            raise _not_found(batch_id)
        return batch

    async def page(self, who: Principal, limit: int, before: UUID | None) -> Page[BatchState, UUID]:
        """Newest first; `before` is the last id of the page before."""
        condition = BatchRow.organisation_id == who.organisation_id
        if before is not None:
            condition &= BatchRow.id < before
        batches = await self._states(condition, limit + 1)
        async with self._sessions.begin() as session:
            session.add(audit_row(who.organisation_id, who.id, AuditAction.BATCHES_LISTED))
        return paged(batches, limit, lambda batch: batch.id)

    async def cases(self, batch_id: UUID, limit: int, after: int | None) -> Page[CaseOfBatch, int]:
        """The cases of a batch in their order; `after` is the last position of the page before."""
        query = select(BatchCaseRow).where(BatchCaseRow.batch_id == batch_id)
        if after is not None:
            query = query.where(BatchCaseRow.position > after)
        async with self._sessions() as session:
            rows = (await session.scalars(query.order_by(BatchCaseRow.position).limit(limit + 1))).all()
        return paged([_case_of_batch(row) for row in rows], limit, lambda case: case.position)

    async def cancel(self, batch_id: UUID, who: Principal) -> BatchState:
        """Begin no further case; those that are being worked on are finished. Cancelling again changes nothing.

        Raises:
            NotFound: there is none under this id, or it is another organisation's.
        """
        mine = (BatchRow.id == batch_id) & (BatchRow.organisation_id == who.organisation_id)
        waiting = (BatchCaseRow.batch_id == batch_id) & (BatchCaseRow.state == "waiting")
        async with self._sessions.begin() as session:
            row = (await session.scalars(select(BatchRow).where(mine))).one_or_none()
            if row is not None:
                row.cancelled_at = row.cancelled_at or now()
                await session.execute(update(BatchCaseRow).where(waiting).values(ended("cancelled")))
            outcome: Outcome = "done" if row else "not found"
            session.add(audit_row(who.organisation_id, who.id, AuditAction.BATCH_CANCELLED, str(batch_id), outcome))
        return await self.state(batch_id, who.organisation_id)

    async def _find(self, batch_id: UUID, organisation_id: UUID) -> BatchState | None:
        mine = (BatchRow.id == batch_id) & (BatchRow.organisation_id == organisation_id)
        return next(iter(await self._states(mine, 1)), None)

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
        return [
            BatchState(
                row.id,
                row.organisation_id,
                row.created_at,
                row.cancelled_at,
                row.request_hash,
                {state: counted.get((row.id, state), 0) for state in CASE_STATES},
            )
            for row in rows
        ]

    async def _answered_before(self, who: Principal, idempotent: IdempotentRequest) -> BatchState | None:
        mine = (BatchRow.created_by == who.id) & (BatchRow.idempotency_key == idempotent.stored_key(who.id))
        batch = next(iter(await self._states(mine, 1)), None)
        if batch and batch.request_hash != idempotent.digest:
            raise Conflict("This Idempotency-Key was used for another batch: send a new key.")
        return batch

    async def _check_capacity(self, organisation_id: UUID, more: int) -> None:
        open_cases = (
            select(func.count())
            .select_from(BatchCaseRow)
            .join(BatchRow, BatchRow.id == BatchCaseRow.batch_id)
            .where(BatchRow.organisation_id == organisation_id, BatchCaseRow.state.in_(("waiting", "working")))
        )
        async with self._sessions() as session:
            waiting = await session.scalar(open_cases) or 0
        if waiting + more > MOST_WAITING:
            raise TooBusy(
                f"{waiting} cases of batches wait already, and {MOST_WAITING} may: send this batch later.",
                retry_after_s=60,
            )


def _not_found(batch_id: UUID) -> NotFound:
    return NotFound(f"There is no batch {batch_id}.")


async def _case_row(batch_id: UUID, position: int, case: BatchCase, owner: KeyOwner) -> BatchCaseRow:
    identity, image = uuid7(), await case.read_image()
    content = json.dumps({"patient_number": case.patient_number, "risk": as_sent(case.risk)}).encode()
    return BatchCaseRow(
        id=identity,
        batch_id=batch_id,
        position=position,
        reference=case.reference,
        patient_id=owner.patient_id,
        state="waiting",
        record=encrypt(owner.key, content, identity.bytes + b"record"),
        attempts=0,
        not_before=now(),
        image=await _sealed(owner.key, image, identity.bytes + b"image"),
    )


async def _sealed(key: bytes, image: bytes | None, associated_data: bytes) -> bytes | None:
    """The image encrypted, beside the event loop: it has megabytes."""
    return None if image is None else await anyio.to_thread.run_sync(encrypt, key, image, associated_data)


def _case_of_batch(row: BatchCaseRow) -> CaseOfBatch:
    return CaseOfBatch(row.position, row.reference, cast(CaseState, row.state), row.assessment_id, row.problem)


def ended(state: CaseState) -> dict[str, Any]:
    """What a case that has ended is stored as: what was handed in is deleted."""
    return {"state": state, "record": None, "image": None, "leased_until": None}
