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
from gateway.platform.database.idempotency import IdempotentRequest, earlier, remember, request_digest
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import BatchCaseRow, BatchRow
from gateway.platform.encryption import decrypt, encrypt
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, Window, paged
from gateway.records.access import closed_patients
from gateway.records.events import record_batch_over
from gateway.records.patients import KeyOwner, Patients, still_there
from gateway.records.stored_risk import AnyRisk, as_sent, risk_bytes
from gateway.records.windows import order_of, within
from shared.problems import NotFound, TooBusy

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
    counts: dict[CaseState, int]

    @property
    def is_open(self) -> bool:
        """Whether something waits or is worked on."""
        return self.counts["waiting"] + self.counts["working"] > 0


@dataclass(frozen=True)
class CaseOfBatch:
    """One case: its assessment once it is `done`, the problem where it is `failed` and the record is not closed."""

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

    async def add(self, batch: Batch, who: Principal, idempotent: IdempotentRequest | None) -> tuple[BatchState, bool]:
        """Store a batch as a whole or not at all; and whether it is one that was sent before under the same key.

        Raises:
            InvalidInput: a case's number is a patient's id here; no patient is made for the others.
            Conflict: the key was used for another batch.
            TooBusy: too many cases of the organisation wait.
        """
        if idempotent and (before := await self._answered_before(who, idempotent)):
            return before, True
        await self._check_capacity(who.organisation_id, len(batch.cases))
        for position, case in enumerate(batch.cases):
            field = f"manifest.cases.{position}.patient_number"
            await self._patients.refuse_our_id(who.organisation_id, case.patient_number, field)
        row = BatchRow(
            id=uuid7(),
            organisation_id=who.organisation_id,
            created_at=now(),
            created_by=who.id,
        )
        numbers = {case.patient_number for case in batch.cases}
        owners = {number: await self._patients.owner(who, number) for number in numbers}
        organisation_key = await self._patients.organisation_key(who.organisation_id)
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                remember(session, "batch", who.id, idempotent, row.id)
                await session.flush()
                for position, case in enumerate(batch.cases):
                    session.add(await _case_row(row.id, position, case, owners[case.patient_number], organisation_key))
                    await session.flush()  # an image at a time, not all of them in memory
                # In the order in which a merge locks them, so that neither waits for the other for ever.
                for patient_id in sorted({owner.patient_id for owner in owners.values() if owner.patient_id}):
                    await still_there(session, patient_id)
                session.add(audit_row(who.organisation_id, who.id, AuditAction.BATCH_MADE, str(row.id)))
        except IntegrityError:
            before = await self._answered_before(who, idempotent) if idempotent else None
            if before is None:
                raise
            return before, True
        return await self.state(row.id, who.organisation_id), False

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

    async def page(self, who: Principal, limit: int, window: Window[UUID]) -> Page[BatchState, UUID]:
        """A part of the list."""
        condition = BatchRow.organisation_id == who.organisation_id
        condition &= within(window, BatchRow.id, BatchRow.created_at)
        batches = await self._states(condition, limit + 1, window)
        async with self._sessions.begin() as session:
            session.add(audit_row(who.organisation_id, who.id, AuditAction.BATCHES_LISTED))
        return paged(batches, limit, lambda batch: batch.id)

    async def cases(self, batch_id: UUID, who: Principal, limit: int, after: int | None) -> Page[CaseOfBatch, int]:
        """The cases of a batch of the caller's organisation in their order; `after` is the last position before.

        The problem of a restricted patient's case, which may quote the record, is left out.
        """
        key = await self._patients.organisation_key(who.organisation_id)
        query = select(BatchCaseRow).where(BatchCaseRow.batch_id == batch_id)
        if after is not None:
            query = query.where(BatchCaseRow.position > after)
        async with self._sessions.begin() as session:
            rows = (await session.scalars(query.order_by(BatchCaseRow.position).limit(limit + 1))).all()
            failed = [row.patient_id for row in rows if row.problem_encrypted is not None]
            closed = await closed_patients(session, who, failed)
        cases = [_case_of_batch(row, key, row.patient_id in closed) for row in rows]
        return paged(cases, limit, lambda case: case.position)

    async def cancel(self, batch_id: UUID, who: Principal) -> BatchState:
        """Begin no further case; those that are being worked on are finished. Cancelling again changes nothing.

        Raises:
            NotFound: there is none under this id, or it is another organisation's.
        """
        mine = (BatchRow.id == batch_id) & (BatchRow.organisation_id == who.organisation_id)
        waiting = (BatchCaseRow.batch_id == batch_id) & (BatchCaseRow.state == "waiting")
        async with self._sessions.begin() as session:
            row = (await session.scalars(select(BatchRow).where(mine).with_for_update())).one_or_none()
            if row is not None:
                row.cancelled_at = row.cancelled_at or now()
                cancel = update(BatchCaseRow).where(waiting).values(ended("cancelled"))
                if (await session.scalars(cancel.returning(BatchCaseRow.id))).all():
                    await record_batch_over(session, row.organisation_id, row.id)
            outcome: Outcome = "done" if row else "not found"
            session.add(audit_row(who.organisation_id, who.id, AuditAction.BATCH_CANCELLED, str(batch_id), outcome))
        return await self.state(batch_id, who.organisation_id)

    async def _find(self, batch_id: UUID, organisation_id: UUID) -> BatchState | None:
        mine = (BatchRow.id == batch_id) & (BatchRow.organisation_id == organisation_id)
        return next(iter(await self._states(mine, 1)), None)

    async def _states(
        self, condition: ColumnElement[bool], limit: int, window: Window[UUID] | None = None
    ) -> list[BatchState]:
        async with self._sessions() as session:
            query = select(BatchRow).where(condition).order_by(order_of(window or Window(), BatchRow.id)).limit(limit)
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
                {state: counted.get((row.id, state), 0) for state in CASE_STATES},
            )
            for row in rows
        ]

    async def _answered_before(self, who: Principal, idempotent: IdempotentRequest) -> BatchState | None:
        async with self._sessions() as session:
            known = await earlier(session, "batch", who.id, idempotent)
        return await self._find(UUID(known.subject), who.organisation_id) if known else None

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


async def _case_row(
    batch_id: UUID, position: int, case: BatchCase, owner: KeyOwner, organisation_key: bytes
) -> BatchCaseRow:
    identity, image = uuid7(), await case.read_image()
    content = json.dumps({"patient_number": case.patient_number, "risk": as_sent(case.risk)}).encode()
    return BatchCaseRow(
        id=identity,
        batch_id=batch_id,
        position=position,
        reference_encrypted=encrypt(organisation_key, case.reference.encode(), identity.bytes + b"reference"),
        patient_id=owner.patient_id,
        state="waiting",
        record=encrypt(owner.key, content, case_bindings(identity)["record"]),
        attempts=0,
        not_before=now(),
        image=await _sealed(owner.key, image, case_bindings(identity)["image"]),
    )


def case_bindings(case_id: UUID) -> dict[str, bytes]:
    """What of a case is encrypted with its owner's key, by column, and what it is bound to."""
    return {"record": case_id.bytes + b"record", "image": case_id.bytes + b"image"}


async def _sealed(key: bytes, image: bytes | None, associated_data: bytes) -> bytes | None:
    """The image encrypted, beside the event loop: it has megabytes."""
    return None if image is None else await anyio.to_thread.run_sync(encrypt, key, image, associated_data)


def _case_of_batch(row: BatchCaseRow, organisation_key: bytes, is_closed: bool) -> CaseOfBatch:
    reference = decrypt_reference(organisation_key, row)
    stored = None if is_closed else row.problem_encrypted
    problem = json.loads(decrypt(organisation_key, stored, row.id.bytes + b"problem")) if stored else None
    return CaseOfBatch(row.position, reference, cast(CaseState, row.state), row.assessment_id, problem)


def decrypt_reference(organisation_key: bytes, row: BatchCaseRow) -> str:
    """What the sender calls a case."""
    return decrypt(organisation_key, row.reference_encrypted, row.id.bytes + b"reference").decode()


def encrypt_problem(organisation_key: bytes, problem: dict[str, Any], case_id: UUID) -> bytes:
    """What was wrong with a case; it may quote the record."""
    return encrypt(organisation_key, json.dumps(problem).encode(), case_id.bytes + b"problem")


def ended(state: CaseState) -> dict[str, Any]:
    """What a case that has ended is stored as: what was handed in is deleted."""
    return {"state": state, "record": None, "image": None, "leased_until": None}
