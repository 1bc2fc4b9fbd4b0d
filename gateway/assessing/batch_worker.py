"""Working through the cases of batches, one after another, beside the requests and after them."""

import asyncio
import json
from typing import Any

import structlog

from gateway.assessing.case import Case, read_stored_risk
from gateway.assessing.keep import keep
from gateway.context import AppContext
from gateway.platform.identity.scopes import Principal
from gateway.records.assessments import IdempotentRequest
from gateway.records.batches import LEASE_S, Claim
from shared.problems import Conflict, InvalidInput, ServiceUnavailable, TrabeculaError, problem_for

# Seconds between two looks for work of other processes; a batch taken in by this one is begun at once.
LOOK_EVERY_S = 1.0
# A case that lacks a service is tried as often, a little later each time, before its partial assessment stands.
MOST_ATTEMPTS = 4
FIRST_PAUSE_S = 2.0
# Given up before the lease runs out, so that no other process works on the case as well.
LONGEST_S = LEASE_S - 10


async def work_on_batches(ctx: AppContext) -> None:
    """Take one case after another, for as long as the gateway runs. A failure is logged and the case tried again."""
    while True:
        try:
            claim = await ctx.batches.claim()
            if claim is not None:
                await _work_on(ctx, claim)
                continue
        except Exception:
            structlog.get_logger("trabecula").exception("a case of a batch failed")
        await ctx.waiting.wait_for_batch(LOOK_EVERY_S)


async def _work_on(ctx: AppContext, claim: Claim) -> None:
    try:
        async with asyncio.timeout(LONGEST_S):
            await _assess(ctx, claim)
    except asyncio.CancelledError:
        await ctx.batches.give_back(claim, attempted=False)  # the gateway stops: the next one goes on from here
        raise
    except (InvalidInput, Conflict) as error:
        await ctx.batches.end(claim, problem=_problem(error))
    except Exception as error:
        await _later(ctx, claim, error)


async def _assess(ctx: AppContext, claim: Claim) -> None:
    """One case to its end. Its id is the idempotency key, so that it has one assessment whatever happens."""
    owner = await ctx.patients.owner_by_id(claim.organisation_id, claim.patient)
    if owner is None:
        raise Conflict("The patient was erased.")
    sent, image = claim.opened(owner)
    risk = read_stored_risk(sent["risk"]) if sent["risk"] else None
    case = Case(image, risk, sent["patient_id"])
    who = Principal(claim.created_by, claim.organisation_id, frozenset(), "system")
    idempotent = IdempotentRequest(f"batch-case:{claim.id}", case.digest())
    made = await ctx.assessments.repeated(who, idempotent)
    if made is None:
        findings = await ctx.workflow.assess_in_turn(case, ctx.settings.keep_pictures)
        if findings.lacks_a_service and claim.attempts < MOST_ATTEMPTS:
            raise ServiceUnavailable("A service was out of order.")
        made = await keep(ctx, case, findings, who, owner, idempotent)
    await ctx.batches.end(claim, assessment_id=made.id)


async def _later(ctx: AppContext, claim: Claim, error: Exception) -> None:
    """Let the case wait for another attempt, or give it up."""
    if claim.attempts >= MOST_ATTEMPTS:
        structlog.get_logger("trabecula").error("a case of a batch was given up", exc_info=error)
        known = error if isinstance(error, TrabeculaError) else ServiceUnavailable("Every attempt at this case failed.")
        await ctx.batches.end(claim, problem=_problem(known))
    else:
        structlog.get_logger("trabecula").warning("a case of a batch is tried again", why=type(error).__name__)
        await ctx.batches.give_back(claim, after_s=FIRST_PAUSE_S * 2 ** (claim.attempts - 1))


def _problem(error: TrabeculaError) -> dict[str, Any]:
    problem = problem_for(error)
    members = {name: error.members[name] for name in ("reason", "errors") if name in error.members}
    document = {"type": problem.type, "title": problem.title, "status": problem.status, "detail": error.detail}
    return json.loads(json.dumps({**document, **members}))  # type: ignore[no-any-return]
