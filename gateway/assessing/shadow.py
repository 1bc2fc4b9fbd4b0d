"""A second version of a network reads a share of the cases, once they are answered: nobody waits for it or sees it."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from prometheus_client import Counter

from gateway.assessing.case import Case
from gateway.assessing.film import as_it_counts
from gateway.assessing.model_use import UseInForce
from gateway.assessing.services import Services
from gateway.assessing.site_settings import as_calibrated, as_called
from gateway.assessing.workflow import Findings, Workflow
from gateway.records.shadow_answers import ShadowAnswers
from shared.contracts.shadow import ShadowAnswer
from shared.contracts.site_settings import SiteSettings
from shared.problems import ImageRefused

# Cases that wait for it, and bytes of their pictures in memory, as many as one upload may have; what is beyond is left
# out, and counted.
MOST_WAITING, MOST_HELD = 8, 40_000_000
# An assessment's id ends in random bits; so many of them tell whether its case is one of the share.
LOTS = 2**32
CASES = Counter(
    "trabecula_shadow_cases",
    "Cases for a version in the shadow: answered, refused, left_out (too many waited), failed",
    ["part", "outcome"],
    registry=None,
)


@dataclass(frozen=True)
class ShadowCase:
    """A case that a version in the shadow is to read.

    Args:
        sent: what the service is sent: the image, or the knee as imaging handed it on.
    """

    assessment_id: UUID
    service: str
    version: str
    sent: bytes
    age: float | None
    site: SiteSettings | None


@dataclass
class Shadows:
    """Takes cases that were answered, and asks the version in the shadow in quiet moments."""

    use: UseInForce
    services: Services
    workflow: Workflow
    answers: ShadowAnswers
    _waiting: asyncio.Queue[ShadowCase] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    _held: int = 0

    def offer(self, assessment_id: UUID, case: Case, findings: Findings) -> None:
        """Take a case, if it is one of the share. Never waits and never fails."""
        for service, use in self.use.last.items():
            sent = case.image if service == "imaging" else findings.handed_on
            if use.shadow is None or not sent or not is_of_share(assessment_id, use.share or 0.0):
                continue
            if self._waiting.full() or self._held + len(sent) > MOST_HELD:
                CASES.labels(service, "left_out").inc()
                continue
            self._held += len(sent)
            taken = ShadowCase(assessment_id, service, use.shadow, sent, case.age, findings.site)
            self._waiting.put_nowait(taken)

    async def run(self) -> None:
        """Work for as long as the gateway runs. What fails is logged and counted, and not tried again."""
        while True:
            case = await self._waiting.get()
            try:
                await self.workflow.quiet_moment()
                answer = await self._asked(case)
                if await self.answers.add(case.assessment_id, case.service, case.version, answer):
                    CASES.labels(case.service, "refused" if answer.refused else "answered").inc()
            except Exception as error:
                CASES.labels(case.service, "failed").inc()
                structlog.get_logger("trabecula").warning(
                    "a version in the shadow failed", service=case.service, version=case.version, why=str(error)
                )
            finally:
                self._held -= len(case.sent)
                self._waiting.task_done()

    async def rest(self) -> None:
        """Until every case that was taken is done with."""
        await self._waiting.join()

    async def _asked(self, case: ShadowCase) -> ShadowAnswer:
        """What would have been answered, with the site's settings on top as they were."""
        try:
            if case.service == "staging":
                staged = await self.services.stage(case.sent, False, case.version)
                return ShadowAnswer(staging=as_calibrated(staged, case.site).finding)
            seen, _ = await self.services.classify(case.sent, False, case.version)
            return ShadowAnswer(imaging=as_it_counts(as_called(seen, case.site), case.age).finding)
        except ImageRefused as error:
            return ShadowAnswer(refused=str(error.members.get("reason") or error.detail))


def is_of_share(assessment_id: UUID, share: float) -> bool:
    """Whether a case is one of this share of all, by lot: the id's last bits are random, and tell nothing of it."""
    return assessment_id.int % LOTS < share * LOTS
