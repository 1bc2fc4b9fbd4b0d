"""Many cases handed in as one job, and how far it is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from gateway.assessing.batch_signals import BatchSignals
from gateway.platform.audit_actions import AuditAction
from gateway.platform.database.idempotency import IdempotentRequest
from gateway.platform.identity.scopes import Principal, refuse_test_keys
from gateway.platform.paging import Page, Window
from gateway.records.batches import Batch, Batches, BatchState, CaseOfBatch
from shared.problems import NotAuthorised

# Cases of one batch.
MOST_CASES = 1000
# Seconds between two looks at a batch that somebody follows.
LOOK_EVERY_S = 0.5
# Looks after which the follower's credential is asked for again.
ASK_EVERY = 4


@dataclass(frozen=True)
class BatchUseCases:
    """What clinics do with batches; a patient's own account has none."""

    batches: Batches
    signals: BatchSignals

    async def submit(self, batch: Batch, who: Principal, idempotency_key: str | None) -> tuple[BatchState, bool]:
        """Take a batch as a whole or not at all; the same key with the same batch gives the same batch again
        (true).

        Raises:
            InvalidInput: a case's number is a patient's id here.
            Conflict: the key was used for another batch.
            TooBusy: too many cases of the organisation wait.
        """
        refuse_patients(who)
        idempotent = IdempotentRequest(idempotency_key, await batch.digest()) if idempotency_key else None
        state, is_repeated = await self.batches.add(batch, who, idempotent)
        self.signals.announce()
        return state, is_repeated

    async def page(self, who: Principal, limit: int, window: Window[UUID]) -> Page[BatchState, UUID]:
        """A part of the organisation's batches."""
        refuse_patients(who)
        return await self.batches.page(who, limit, window)

    async def get(self, batch_id: UUID, who: Principal) -> BatchState:
        """How far a batch is.

        Raises:
            NotFound: there is none under this id, or it is another organisation's; so do all the others here.
        """
        refuse_patients(who)
        return await self.batches.get(batch_id, who)

    async def cases(self, batch_id: UUID, who: Principal, limit: int, after: int | None) -> Page[CaseOfBatch, int]:
        """Each case with its assessment or its problem, in the order of the manifest."""
        refuse_patients(who)
        await self.batches.get(batch_id, who)
        return await self.batches.cases(batch_id, who, limit, after)

    async def cancel(self, batch_id: UUID, who: Principal) -> BatchState:
        """Begin no further case. What is being worked on is finished, and what is done stays."""
        refuse_patients(who)
        return await self.batches.cancel(batch_id, who)

    async def followed(self, batch_id: UUID, who: Principal) -> BatchState:
        """The batch that somebody wants to follow, with its line in the audit trail."""
        refuse_patients(who)
        return await self.batches.get(batch_id, who, AuditAction.BATCH_FOLLOWED)

    async def follow(self, batch: BatchState, still: Callable[[], Awaitable[bool]]) -> AsyncIterator[BatchState]:
        """The batch whenever it has changed, until nothing goes on in it or the gateway stops.

        Args:
            still: whether the follower's credential is good; asked again and again.
        """
        last, looks = None, 0
        while looks % ASK_EVERY or await still():
            looks += 1
            state = await self.batches.state(batch.id, batch.organisation_id)
            if state != last:
                yield state
                last = state
            if not state.is_open or not await self.signals.wait_or_stop(LOOK_EVERY_S):
                return


def refuse_patients(who: Principal) -> None:
    """Raise `NotAuthorised` for a patient's own account, and for a test key."""
    if who.is_patient:
        raise NotAuthorised("Batches are for clinics; a patient's account sends one case at a time.")
    refuse_test_keys(who)
