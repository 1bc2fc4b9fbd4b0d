"""Working through the cases of batches, one after another, beside the requests and after them."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import anyio
import structlog

from gateway.assessing.assessments import AssessmentUseCases
from gateway.assessing.batch_signals import BatchSignals
from gateway.assessing.case import Case
from gateway.platform.database.idempotency import IdempotentRequest
from gateway.platform.identity.scopes import Principal
from gateway.records.batch_queue import LEASE_S, BatchQueue, Claim
from shared.problem_catalogue import documentation_url
from shared.problems import Conflict, InvalidInput, ServiceBrokeOff, ServiceUnavailable, TrabeculaError, problem_for

# Seconds between two looks for work of other processes; a batch taken in by this one is begun at once.
LOOK_EVERY_S = 1.0
# A case that lacks a service is tried as often, a little later each time, before its partial assessment stands.
MOST_ATTEMPTS = 4
# A case whose image a service had when it ended is tried once more: the second time, the image is the likely cause.
MOST_SERVICES_ENDED = 2
FIRST_PAUSE_S = 2.0
# Given up before the lease runs out, so that no other process works on the case as well.
LONGEST_S = LEASE_S - 10


@dataclass(frozen=True)
class BatchWorker:
    """Takes one case after another."""

    queue: BatchQueue
    signals: BatchSignals
    assessments: AssessmentUseCases

    async def run(self) -> None:
        """Work for as long as the gateway runs. A failure is logged and the case tried again."""
        while True:
            try:
                claim = await self.queue.claim()
                if claim is not None:
                    await self.work_on(claim)
                    continue
            except Exception:
                structlog.get_logger("trabecula").exception("a case of a batch failed")
            await self.signals.wait_for_batch(LOOK_EVERY_S)

    async def work_on(self, claim: Claim) -> None:
        """Bring one case to its end, or let it wait for another attempt."""
        if claim.attempts > MOST_ATTEMPTS:  # the process ended each time, and left nobody to say so
            await self.queue.end(claim, problem=_problem(ServiceUnavailable("The gateway ended at each attempt.")))
            return
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._assess(claim)
        except asyncio.CancelledError:
            await self.queue.give_back(claim, attempted=False)  # the gateway stops: the next one goes on from here
            raise
        except (InvalidInput, Conflict) as error:
            await self.queue.end(claim, problem=_problem(error))
        except Exception as error:
            await self._later(claim, error)

    async def _assess(self, claim: Claim) -> None:
        """One case to its end. Its id is the idempotency key, so that it has one assessment whatever happens."""
        use_cases = self.assessments
        owner = await use_cases.patients.owner_by_id(claim.organisation_id, claim.patient_id)
        if owner is None:
            raise Conflict("The patient was erased.")
        content = await anyio.to_thread.run_sync(claim.decrypt, owner)
        case = Case(content.image, content.risk, content.patient_number)
        who = Principal(claim.created_by, claim.organisation_id, frozenset(), "system")
        digest = await anyio.to_thread.run_sync(case.digest)
        idempotent = IdempotentRequest(f"batch-case:{claim.id}", digest)
        assessment = await use_cases.assessments.answered_before(who, idempotent)
        if assessment is None:
            findings = await use_cases.assess_in_turn(case, who)
            if findings.ended_a_service:
                raise ServiceBrokeOff(
                    "A service ended each time it had this image: it may be damaged, or made to harm."
                )
            if findings.lacks_a_service and claim.attempts < MOST_ATTEMPTS:
                raise ServiceUnavailable("A service was out of order.")
            assessment, _ = await use_cases.store_assessment(case, findings, who, claim.patient_id, idempotent)
        await self.queue.end(claim, assessment_id=assessment.id)

    async def _later(self, claim: Claim, error: Exception) -> None:
        """Let the case wait for another attempt, or give it up."""
        log, ended_a_service = structlog.get_logger("trabecula"), isinstance(error, ServiceBrokeOff)
        if claim.attempts >= MOST_ATTEMPTS or claim.services_ended + ended_a_service >= MOST_SERVICES_ENDED:
            log.error("a case of a batch was given up", exc_info=error)
            failed = ServiceUnavailable("Every attempt at this case failed.")
            known = error if isinstance(error, TrabeculaError) else failed
            await self.queue.end(claim, problem=_problem(known))
        else:
            log.warning("a case of a batch is tried again", why=type(error).__name__)
            pause_s = FIRST_PAUSE_S * 2 ** (claim.attempts - 1)
            await self.queue.give_back(claim, pause_s, ended_a_service=ended_a_service)


def _problem(error: TrabeculaError) -> dict[str, Any]:
    problem = problem_for(error)
    members = {name: error.members[name] for name in ("reason", "errors") if name in error.members}
    document = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": error.detail,
        "documentation_url": documentation_url(problem.slug),
    }
    return json.loads(json.dumps({**document, **members}))  # type: ignore[no-any-return]
