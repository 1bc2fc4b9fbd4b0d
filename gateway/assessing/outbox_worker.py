"""Sending what waits in the outbox, beside the requests: each destination is left in peace while it is out of order."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import structlog
from prometheus_client import Counter

from gateway.records.destinations import Destination, Destinations
from gateway.records.outbox import LEASE_S, Delivery, Outbox
from shared.problems import NotFound, TrabeculaError

# Seconds between two looks, where nothing waited.
LOOK_EVERY_S = 1.0
# Given up before the lease runs out.
LONGEST_S = LEASE_S - 30
# Failures in a row after which a destination is left alone, and the seconds: doubled each time up to the longest.
TROUBLED, FIRST_PAUSE_S, LONGEST_PAUSE_S = 3, 30.0, 600.0


SENT = Counter("trabecula_outbox_sent", "Deliveries that their destination has", ["kind"], registry=None)


class NotDelivered(TrabeculaError):
    """A destination did not take a delivery.

    Args:
        for_good: trying again is no use.
        retry_after_s: what the destination asked for.
    """

    def __init__(self, detail: str, *, for_good: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.for_good, self.retry_after_s = for_good, retry_after_s


class Withheld(TrabeculaError):
    """A delivery that is not for its destination: nothing is sent, and nothing tried again."""


class AwaitsCommitment(TrabeculaError):
    """A destination took a delivery, and will tell later whether it keeps it."""


class Deliverer(Protocol):
    """Knows how to send to destinations of one kind."""

    async def deliver(self, delivery: Delivery, destination: Destination) -> None:
        """Send, and return once the destination has it for certain.

        Raises:
            Withheld: it is not for this destination.
            AwaitsCommitment: the destination took it, and will tell whether it keeps it.
            NotDelivered: it does not. Any other error counts as one that may pass.
        """


@dataclass
class CircuitBreaker:
    """Remembers which destinations failed several times in a row, and leaves them alone for a while."""

    failures: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    paused_until: dict[UUID, float] = field(default_factory=dict)

    def paused(self) -> set[UUID]:
        """The destinations that nothing is sent to now; afterwards one delivery tries each."""
        moment = time.monotonic()
        return {destination for destination, until in self.paused_until.items() if until > moment}

    def succeeded(self, destination: UUID) -> None:
        """It works."""
        self.failures.pop(destination, None)
        self.paused_until.pop(destination, None)

    def failed(self, destination: UUID) -> None:
        """It did not answer, or not well."""
        self.failures[destination] += 1
        beyond = self.failures[destination] - TROUBLED
        if beyond >= 0:
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**beyond)
            self.paused_until[destination] = time.monotonic() + pause


@dataclass(frozen=True)
class OutboxWorker:
    """Takes one delivery after another.

    Args:
        outbox: what waits.
        destinations: where it goes.
        deliverers: by kind of destination.
        breaker: shared by the workers of one gateway.
    """

    outbox: Outbox
    destinations: Destinations
    deliverers: Mapping[str, Deliverer]
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    async def run(self) -> None:
        """Work for as long as the gateway runs. A failure is logged, and the delivery tried again."""
        while True:
            try:
                claim = await self.outbox.claim(self.breaker.paused())
                if claim is not None:
                    await self.work_on(claim)
                    continue
            except Exception:
                structlog.get_logger("trabecula").exception("a delivery failed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def work_on(self, claim: Delivery) -> None:
        """Send one delivery, or let it wait for another attempt."""
        log = structlog.get_logger("trabecula").bind(delivery=str(claim.id), kind=claim.kind, attempt=claim.attempts)
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._deliver(claim)
        except asyncio.CancelledError:
            await self.outbox.give_back(claim)
            raise
        except Withheld as error:
            await self.outbox.withheld(claim, error.detail)
        except AwaitsCommitment:
            self.breaker.succeeded(claim.destination_id)
            await self.outbox.committing(claim)
        except NotDelivered as error:
            if not error.for_good:
                self.breaker.failed(claim.destination_id)
            log.warning("not delivered", why=error.detail, for_good=error.for_good)
            await self.outbox.failed(claim, error.detail, error.for_good, error.retry_after_s)
        except Exception as error:
            self.breaker.failed(claim.destination_id)
            log.exception("not delivered")
            await self.outbox.failed(claim, type(error).__name__)
        else:
            self.breaker.succeeded(claim.destination_id)
            await self.outbox.sent(claim)
            SENT.labels(claim.kind).inc()

    async def _deliver(self, claim: Delivery) -> None:
        try:
            destination = await self.destinations.get(claim.organisation_id, claim.destination_id)
        except NotFound as error:
            raise NotDelivered("the destination was removed", for_good=True) from error
        deliverer = self.deliverers.get(claim.kind)
        if deliverer is None:
            raise NotDelivered(f"this gateway cannot send to a {claim.kind}")
        await deliverer.deliver(claim, destination)
