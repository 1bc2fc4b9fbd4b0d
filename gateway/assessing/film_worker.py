"""Assessing the films that came in by themselves, beside the requests: each becomes one assessment, or says why not."""

import asyncio
from dataclasses import dataclass
from typing import Literal

import anyio
import structlog

from gateway.assessing.assessments import AssessmentUseCases
from gateway.assessing.case import Case
from gateway.platform.database.idempotency import IdempotentRequest
from gateway.platform.identity.scopes import Principal
from gateway.platform.validators import checked_patient_number
from gateway.records.film_queue import LEASE_S, RETRY_S, FilmClaim, FilmQueue
from gateway.records.films import UID_REUSED
from shared.problems import Conflict, InvalidInput, ServiceBrokeOff, ServiceUnavailable, TooBusy, TrabeculaError

# Seconds between two looks, where nothing waited.
LOOK_EVERY_S = 0.5
# Given up before the lease runs out.
LONGEST_S = LEASE_S - 10
# A film at which a service ended is tried once more: the second time, the film is the likely cause.
MOST_SERVICES_ENDED = 2
# Attempts after which what is there without the other services stands, as it does for a batch.
PATIENT_ATTEMPTS = 4


@dataclass(frozen=True)
class FilmWorker:
    """Takes one film after another.

    Args:
        queue: what waits.
        assessments: makes and stores assessments.
    """

    queue: FilmQueue
    assessments: AssessmentUseCases

    async def run(self) -> None:
        """Work for as long as the gateway runs. A failure is logged, and the film tried again."""
        while True:
            try:
                claim = await self.queue.claim()
                if claim is not None:
                    await self.work_on(claim)
                    continue
            except Exception:
                structlog.get_logger("trabecula").exception("a film failed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def work_on(self, claim: FilmClaim) -> None:
        """Bring one film to its end, or let it wait for another attempt."""
        if claim.attempts > len(RETRY_S) + 1:  # the process ended each time, and left nobody to say so
            await self.queue.dead(claim, "gateway_ended", "the gateway ended at each attempt")
            return
        log = structlog.get_logger("trabecula").bind(film=str(claim.id), attempt=claim.attempts)
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._assess(claim)
        except asyncio.CancelledError:
            await self.queue.give_back(claim)
            raise
        except InvalidInput as error:
            await self.queue.refused(claim, error.members.get("reason") or "unusable", error.detail)
        except Conflict as error:
            await self.queue.dead(claim, UID_REUSED, error.detail)
        except TooBusy as error:
            await self.queue.give_back(claim, error.members.get("retry_after_s", 2))
        except ServiceBrokeOff as error:
            log.warning("a service ended at a film")
            if claim.attempts >= MOST_SERVICES_ENDED:
                await self.queue.dead(claim, "service_ended", error.detail)
            else:
                await self.queue.later(claim, "service_ended", error.detail)
        except Exception as error:
            log.warning("a film is tried again", exc_info=error)
            why = error.detail if isinstance(error, TrabeculaError) else type(error).__name__
            await self.queue.later(claim, "service_unavailable", why)

    async def _assess(self, claim: FilmClaim) -> None:
        """One film to its end. Its UID is the idempotency key, so that it has one assessment whatever happens."""
        use_cases = self.assessments
        who = Principal(f"films:{claim.organisation_id}", claim.organisation_id, frozenset(), "system")
        case = Case(claim.data, None, self._patient_number(claim))
        digest = await anyio.to_thread.run_sync(case.digest)
        idempotent = IdempotentRequest(f"sop:{claim.header['sop_uid']}", digest)
        assessment = await use_cases.assessments.answered_before(who, idempotent)
        if assessment is None:
            known = await use_cases.patients.known(who, case.patient_number)
            findings = await use_cases.assess_in_turn(case, who)
            if findings.ended_a_service:
                raise ServiceBrokeOff("A service ended at this film: it may be damaged, or made to harm.")
            lacking = findings.imaging is None or claim.attempts < PATIENT_ATTEMPTS
            if findings.lacks_a_service and lacking:
                raise ServiceUnavailable("A service was out of order.")
            assessment, _ = await use_cases.store_assessment(case, findings, who, known, idempotent)
        await self.queue.done(claim, assessment.id)

    def _patient_number(self, claim: FilmClaim) -> str | None:
        """Whose film it is: by its own PatientID, unless the site says otherwise.

        Nobody stands beside a film that comes by itself to say whose it is, so here a setting that was left at its
        default means `use`.

        Raises:
            InvalidInput: the PatientID is no number that could have been sent.
        """
        settings = self.assessments.settings
        policy: Literal["use", "check", "ignore"] = "use"
        if "dicom_patient_id" in settings.model_fields_set:
            policy = settings.dicom_patient_id
        return checked_patient_number(claim.header.get("patient_id")) if policy == "use" else None
