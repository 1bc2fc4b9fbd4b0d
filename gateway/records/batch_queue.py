"""The queue of cases with leases: it works alike on SQLite and on PostgreSQL, without a broker."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import BatchCaseRow, BatchRow
from gateway.platform.encryption import decrypt
from gateway.records.batches import case_bindings, encrypt_problem, ended
from gateway.records.events import record_batch_over
from gateway.records.patients import KeyOwner, Patients
from gateway.records.stored_risk import AnyRisk, read_stored_risk

# Longer than the services' timeouts allow one case to take; a case of a process that ended waits this long.
LEASE_S = 60


@dataclass(frozen=True)
class DecryptedCase:
    """What was handed in as one case of a batch."""

    patient_number: str | None
    risk: AnyRisk | None
    image: bytes | None


@dataclass(frozen=True)
class Claim:
    """A case that this process has a lease of, and whose it is."""

    id: UUID
    attempts: int
    services_ended: int
    patient_id: UUID | None
    record: bytes
    image: bytes | None
    leased_until: dt.datetime
    organisation_id: UUID
    created_by: str

    def decrypt(self, owner: KeyOwner) -> DecryptedCase:
        """What was handed in."""
        bound_to = case_bindings(self.id)
        content = json.loads(decrypt(owner.key, self.record, bound_to["record"]))
        image = decrypt(owner.key, self.image, bound_to["image"]) if self.image else None
        number = content.get("patient_number") or content.get("patient_id")  # its name up to version 0.1.0
        return DecryptedCase(number, read_stored_risk(content["risk"]), image)


class BatchQueue:
    """Hands out the cases of batches, one at a time.

    Args:
        sessions: of the installation's database.
        patients: know the key that what is wrong with a case is encrypted with.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

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
            "state": "working",
            "attempts": BatchCaseRow.attempts + 1,
            "leased_until": moment + dt.timedelta(seconds=LEASE_S),
        }
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
            row.id,
            row.attempts,
            row.services_ended,
            row.patient_id,
            row.record,
            row.image,
            row.leased_until,
            batch.organisation_id,
            batch.created_by,
        )

    async def end(self, claim: Claim, assessment_id: UUID | None = None, problem: dict[str, Any] | None = None) -> None:
        """The case is done, or failed for good; what was handed in is deleted."""
        values = {**ended("failed" if problem else "done"), "assessment_id": assessment_id}
        if problem:
            key = await self._patients.organisation_key(claim.organisation_id)
            values["problem_encrypted"] = encrypt_problem(key, problem, claim.id)
        mine = select(BatchRow).join(BatchCaseRow, BatchCaseRow.batch_id == BatchRow.id)
        async with self._sessions.begin() as session:
            # The batch is locked, so that of two cases that end at the same moment one sees that it was the last.
            batch = (await session.scalars(mine.where(BatchCaseRow.id == claim.id).with_for_update(of=BatchRow))).one()
            await session.execute(update(BatchCaseRow).where(_held(claim)).values(values))
            await record_batch_over(session, batch.organisation_id, batch.id)

    async def give_back(
        self, claim: Claim, after_s: float = 0, attempted: bool = True, ended_a_service: bool = False
    ) -> None:
        """Let the case wait again: for some seconds, or only until another takes it; not where it was cancelled."""
        mine = select(BatchRow).join(BatchCaseRow, BatchCaseRow.batch_id == BatchRow.id)
        values: dict[str, Any] = {
            "state": "waiting",
            "leased_until": None,
            "attempts": claim.attempts - (not attempted),
            "services_ended": claim.services_ended + ended_a_service,
            "not_before": now() + dt.timedelta(seconds=after_s),
        }
        async with self._sessions.begin() as session:
            batch = (await session.scalars(mine.where(BatchCaseRow.id == claim.id).with_for_update(of=BatchRow))).one()
            await session.execute(update(BatchCaseRow).where(_held(claim)).values(values))
            if batch.cancelled_at is not None:
                waiting = (BatchCaseRow.id == claim.id) & (BatchCaseRow.state == "waiting")
                await session.execute(update(BatchCaseRow).where(waiting).values(ended("cancelled")))
                await record_batch_over(session, batch.organisation_id, batch.id)


def _held(claim: Claim) -> ColumnElement[bool]:
    """The case, as long as the lease is still this one."""
    mine = BatchCaseRow.leased_until == claim.leased_until
    return (BatchCaseRow.id == claim.id) & (BatchCaseRow.state == "working") & mine
