"""The way of one request: image and record side by side, a knee on to staging, then what to consider next.

A service that is down makes the assessment partial, with a warning that names it; it never makes it fail.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import anyio

from gateway.assessing.case import Case
from gateway.assessing.combine import combine
from gateway.assessing.film import as_it_counts
from gateway.assessing.services import Services
from gateway.assessing.site_settings import applies, as_calibrated, as_called
from gateway.platform.clock import today
from gateway.records.rendering_kinds import renderings_of
from gateway.records.stored_risk import AnyRisk
from shared.contracts.assessment import Assessment, Combined, Component, Warning
from shared.contracts.film import DicomIdentity, FilmWarning
from shared.contracts.findings import (
    ClassifyAnswer,
    ClinicalFinding,
    ImagingFinding,
    Rendering,
    StageAnswer,
    StagingFinding,
)
from shared.contracts.policy import ClinicPolicy
from shared.contracts.recommendation import RecommendationRequest, RecommendationSet
from shared.contracts.risk import RiskRequest
from shared.contracts.site_settings import SiteSettings
from shared.problems import (
    PROBLEMS,
    ImageRefused,
    InvalidInput,
    NotAuthenticated,
    ServiceBrokeOff,
    ServiceUnavailable,
    TooBusy,
    TrabeculaError,
    problem_for,
)

# What the sender cannot mend. A refused internal token means that the two sides do not share their secret.
OUT_OF_ORDER = (ServiceUnavailable, TooBusy, NotAuthenticated)
_OUT_OF_ORDER_TYPES = {PROBLEMS[error].type for error in OUT_OF_ORDER}
NO_CHOICES = ClinicPolicy()

# Called with each part when it is finished, whether it succeeded or not; never with a part that nobody asked for.
ProgressCallback = Callable[[Component], None]


def no_progress(_: Component) -> None:
    """For callers who only want the result."""


@dataclass
class Findings:
    """What the services found so far; `warnings` tells what is missing and why.

    Args:
        as_of: the day the case began, which every service counts from.
        age: of the person, where a record gives it.
        ended_a_service: whether a service ended while it had the image, maybe because of it.
        site: the site's own settings, if it has any.
        handed_on: the knee as imaging handed it on to staging.
    """

    as_of: dt.date
    age: float | None = None
    with_renderings: bool = False
    on_progress: ProgressCallback = no_progress
    classified: ClassifyAnswer | None = None
    staged: StageAnswer | None = None
    clinical: ClinicalFinding | None = None
    recommendation: RecommendationSet | None = None
    warnings: list[Warning] = field(default_factory=list)
    ended_a_service: bool = False
    site: SiteSettings | None = None
    handed_on: bytes = b""

    @property
    def status(self) -> Literal["complete", "partial"]:
        return "partial" if any(warning.part_is_missing for warning in self.warnings) else "complete"

    @property
    def identity(self) -> DicomIdentity | None:
        """Whom and what the film's file says it is of."""
        return self.classified.source if self.classified else None

    @property
    def imaging(self) -> ImagingFinding | None:
        return self.classified.finding if self.classified else None

    @property
    def staging(self) -> StagingFinding | None:
        return self.staged.finding if self.staged else None

    @property
    def renderings(self) -> dict[str, Rendering]:
        return renderings_of(self.classified, self.staged)

    @property
    def combined(self) -> Combined:
        return combine(self.imaging, self.clinical, self.age)

    @property
    def lacks_a_service(self) -> bool:
        """Whether a later attempt could find more: a service was out of order."""
        return any(warning.type in _OUT_OF_ORDER_TYPES for warning in self.warnings)

    @property
    def missing(self) -> str:
        """What is missing and why, in the words of the warnings."""
        return " ".join(warning.detail for warning in self.warnings if warning.part_is_missing)

    def assessment(self, identity: UUID, created_at: dt.datetime, patient_number: str | None) -> Assessment:
        """The findings as one assessment."""
        return Assessment(
            id=identity,
            created_at=created_at,
            status=self.status,
            patient_number=patient_number,
            source=self.identity.public if self.identity else None,
            imaging=self.imaging,
            staging=self.staging,
            clinical=self.clinical,
            combined=self.combined,
            recommendation=self.recommendation,
            warnings=self.warnings,
            site_settings=self.site.reference if self.site and applies(self.site, self.imaging, self.staging) else None,
        )

    def warn(self, component: Component, error: TrabeculaError) -> None:
        """Tell that a component's part is missing, in the words of its error."""
        self.ended_a_service |= isinstance(error, ServiceBrokeOff)
        reason = error.members.get("reason")
        self.warnings.append(
            Warning.model_validate(
                {"component": component, "type": problem_for(error).type, "detail": error.detail, "reason": reason}
            )
        )

    def note(self, component: Component, odd: Sequence[FilmWarning]) -> None:
        """Pass on what is odd about the film that the component read."""
        self.warnings.extend(Warning(component=component, type=film.type, detail=film.detail) for film in odd)


class Workflow:
    """Runs cases through the services, a bounded number at a time; what somebody waits for comes first.

    Args:
        max_in_flight: cases that somebody waits for; one more is refused rather than queued without end.
        batch_max_wait_s: how long a case of a batch gives way to those, so that it moves on a busy day as well.
        policy: how the site reads a record.
    """

    def __init__(
        self, services: Services, max_in_flight: int, batch_max_wait_s: float = 5, policy: ClinicPolicy = NO_CHOICES
    ) -> None:
        self._services, self._capacity, self._inside = services, max_in_flight, 0
        self._policy = policy
        self._patience_s, self._quiet = batch_max_wait_s, asyncio.Event()
        self._quiet.set()

    async def assess(
        self,
        case: Case,
        with_renderings: bool = False,
        on_progress: ProgressCallback = no_progress,
        site: SiteSettings | None = None,
    ) -> Findings:
        """Everything the services find about one case; with renderings, the preview and the heat maps as well.

        `on_progress` is called with each part when it is finished. `site` is put on top of what the networks answer.

        Raises:
            InvalidInput: the image cannot be read, or is refused and there is no record beside it.
            TooBusy: as many cases are in flight as may be.
        """
        if self._inside >= self._capacity:
            raise TooBusy("As many assessments are in flight as may be: try again in a moment.", retry_after_s=2)
        self._inside += 1
        self._quiet.clear()
        try:
            return await self._assess(_begun(case, with_renderings, on_progress, site), case)
        finally:
            self._inside -= 1
            if not self._inside:
                self._quiet.set()

    async def assess_in_turn(
        self, case: Case, with_renderings: bool = False, site: SiteSettings | None = None
    ) -> Findings:
        """The same for a case that nobody waits for: it begins in a quiet moment, or when its patience is over.

        Raises:
            InvalidInput: as `assess`.
        """
        await self.quiet_moment()
        return await self._assess(_begun(case, with_renderings, site=site), case)

    async def quiet_moment(self) -> None:
        """Until nobody waits for a case, or patience is over."""
        with anyio.move_on_after(self._patience_s):
            await self._quiet.wait()

    async def _assess(self, findings: Findings, case: Case) -> Findings:
        refused: list[InvalidInput] = []
        async with anyio.create_task_group() as group:
            group.start_soon(self._read_image, case, findings, refused)
            group.start_soon(self._read_record, case, findings)
        if refused:
            # Raised here and not within the group, which would wrap it.
            raise refused[0]
        await self._recommend(case, findings)
        findings.on_progress("recommender")
        return findings

    async def _read_image(self, case: Case, findings: Findings, refused: list[InvalidInput]) -> None:
        if case.image is None:
            return
        try:
            seen, findings.handed_on = await self._services.classify(case.image, findings.with_renderings)
            findings.classified = as_it_counts(as_called(seen, findings.site), case.age)
            findings.note("imaging", seen.warnings)
        except ImageRefused as error:
            if case.risk is None:
                refused.append(error)
            else:
                findings.warn("imaging", error)
        except InvalidInput as error:
            refused.append(error)
        except OUT_OF_ORDER as error:
            findings.warn("imaging", error)
        findings.on_progress("imaging")
        if findings.imaging and findings.imaging.anatomy == "knee":
            await self._stage(findings)
            findings.on_progress("staging")

    async def _stage(self, findings: Findings) -> None:
        try:
            staged = await self._services.stage(findings.handed_on, findings.with_renderings)
            findings.staged = as_calibrated(staged, findings.site)
            findings.note("staging", findings.staged.warnings)
        except (InvalidInput, *OUT_OF_ORDER) as error:
            findings.warn("staging", error)

    async def _read_record(self, case: Case, findings: Findings) -> None:
        if case.risk is None:
            return
        try:
            findings.clinical = await self._services.risk(self._asked(case.risk, findings.as_of))
        except OUT_OF_ORDER as error:
            findings.warn("clinical", error)
        findings.on_progress("clinical")

    async def _recommend(self, case: Case, findings: Findings) -> None:
        record = case.risk.record if isinstance(case.risk, RiskRequest) else None
        request = RecommendationRequest(
            imaging=findings.imaging,
            staging=findings.staging,
            clinical=findings.clinical,
            record=record,
            policy=self._policy,
            as_of=findings.as_of,
        )
        try:
            findings.recommendation = await self._services.recommend(request)
        except OUT_OF_ORDER as error:
            findings.warn("recommender", error)

    def _asked(self, risk: AnyRisk, as_of: dt.date) -> AnyRisk:
        """The question with the site's policy and the day; the seed system's questionnaire knows neither."""
        if not isinstance(risk, RiskRequest):
            return risk
        return risk.model_copy(update={"policy": self._policy, "as_of": as_of})


def _begun(
    case: Case,
    with_renderings: bool,
    on_progress: ProgressCallback = no_progress,
    site: SiteSettings | None = None,
) -> Findings:
    left_out = [Warning(component="clinical", type="fhir_not_used", detail=line) for line in case.left_out]
    return Findings(today(), case.age, with_renderings, on_progress, warnings=left_out, site=site)
