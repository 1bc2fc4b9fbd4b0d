"""Assessing cases, and reading, releasing and printing what came of them: the same for the API and for the pages."""

import datetime as dt
import hashlib
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import anyio

from gateway.assessing.admission import Admission
from gateway.assessing.case import Case
from gateway.assessing.film import patient_number
from gateway.assessing.measured import NOT_MEASURED, Measured, MeasuredFigures
from gateway.assessing.observing import observed, refused
from gateway.assessing.release import Audience, VisibleAssessment, for_patient, visible_to
from gateway.assessing.shadow import Shadows
from gateway.assessing.workflow import Findings, ProgressCallback, Workflow, no_progress
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Database
from gateway.platform.database.idempotency import IdempotentRequest
from gateway.platform.database.ids import uuid7
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, Window
from gateway.records.alert_rules import NewAlerts, bone_loss, emergency, follow_ups, worsening
from gateway.records.assessments import Assessments, NewAssessment, NewRenderings, Selection
from gateway.records.encrypted import StoredAssessment
from gateway.records.late_orders import LateOrders
from gateway.records.observations import Observations
from gateway.records.orders import Orders
from gateway.records.patients import KeyOwner, Patients
from gateway.records.rendering_kinds import KINDS, RenderingKind, png_bytes, why_not
from gateway.records.renderings import Renderings
from gateway.records.rule_sign_offs import RuleSignOffs
from gateway.records.site_settings import SiteSettingsStore
from gateway.records.stored_risk import AnyRisk
from gateway.records.timeline import timeline
from gateway.settings import GatewaySettings
from shared.contracts.assessment import Assessment, AssessmentStatus
from shared.contracts.film import DicomIdentity
from shared.contracts.order import Order
from shared.problems import Conflict, ImageRefused, NotAuthorised, NotFound

# Earlier assessments that a new one is compared with.
LOOK_BACK = 20


@dataclass(frozen=True)
class AssessmentResult:
    """An assessment as the caller may see it. `findings` is null where the same request was answered before."""

    visible: VisibleAssessment
    findings: Findings | None
    is_repeated: bool = False


@dataclass(frozen=True)
class ReportContent:
    """What a report is made of.

    Args:
        assessment: in the patient's view where the report is for the patient.
        renderings: kept PNGs by kind: preview, imaging, staging.
        withheld: whether medicines are left out until a clinician releases them.
        risk: the record with its model; in the clinician's report alone.
        emergency_number: the country's.
        measured: how often answers like these were right.
    """

    assessment: Assessment
    audience: Audience
    renderings: Mapping[str, bytes]
    withheld: bool = False
    risk: AnyRisk | None = None
    emergency_number: str = "112"
    measured: Measured = NOT_MEASURED

    @property
    def is_for_patient(self) -> bool:
        return self.audience == "patient"


async def _idempotent(key: str | None, case: Case) -> IdempotentRequest | None:
    """The key with the digest of everything that was sent, taken beside the event loop: an image has megabytes."""
    return IdempotentRequest(key, await anyio.to_thread.run_sync(case.digest)) if key else None


async def _sha256(image: bytes | None) -> str | None:
    """Of the image, taken beside the event loop."""
    return await anyio.to_thread.run_sync(lambda: hashlib.sha256(image).hexdigest()) if image else None


@dataclass(frozen=True)
class AssessmentUseCases:
    """What people, hospital systems and the batch worker do with assessments."""

    assessments: Assessments
    renderings: Renderings
    sign_offs: RuleSignOffs
    site_settings: SiteSettingsStore
    observations: Observations
    patients: Patients
    orders: Orders
    late_orders: LateOrders
    workflow: Workflow
    admission: Admission
    database: Database
    settings: GatewaySettings
    figures: MeasuredFigures
    shadows: Shadows

    async def assess_case(
        self,
        who: Principal,
        case: Case,
        idempotency_key: str | None,
        with_renderings: bool,
        on_progress: ProgressCallback = no_progress,
    ) -> AssessmentResult:
        """Assess a case and store it, or find what was answered to the same request under the same key.

        Args:
            with_renderings: draw them, even where the site keeps none.
            on_progress: hears of each part as it is over.

        Raises:
            InvalidInput: the image cannot be read, or is refused and there is no record beside it.
            PatientMismatch: the DICOM file is of another patient.
            Conflict: the key was used for another request, or the patient was erased or merged meanwhile.
            TooManyRequests: the caller has as many under way as one may have.
            TooBusy: as many cases wait as may, or no turn came in time.
        """
        idempotent = await _idempotent(idempotency_key, case)
        assessment = await self.assessments.answered_before(who, idempotent) if idempotent else None
        findings, is_repeated = None, True
        if assessment is None:
            known = await self.patients.known(who, case.patient_number)
            drawn = with_renderings or self.settings.store_renderings
            async with self.admission.turn(who):
                site = await self.site_settings.active(who.organisation_id)
                assessed = self.workflow.assess(case, drawn, on_progress, site)
                findings = await self._noting_refusals(who, assessed)
            assessment, is_repeated = await self.store_assessment(case, findings, who, known, idempotent)
        return AssessmentResult(self._visible(who, assessment), findings, is_repeated)

    async def assess_in_turn(self, case: Case, who: Principal) -> Findings:
        """What the services find about a case that nobody waits for; it is not stored yet.

        Raises:
            InvalidInput: as `assess_case`.
        """
        site = await self.site_settings.active(who.organisation_id)
        in_turn = self.workflow.assess_in_turn(case, self.settings.store_renderings, site)
        return await self._noting_refusals(who, in_turn)

    async def _noting_refusals(self, who: Principal, assessed: Awaitable[Findings]) -> Findings:
        """Observe a film that is refused, too: more of them are the first sign that something has changed."""
        try:
            return await assessed
        except ImageRefused as error:
            if not who.is_test:
                reason = str(error.members.get("reason") or "unknown")
                await self.observations.add(who.organisation_id, refused(reason))
            raise

    async def store_assessment(
        self, case: Case, findings: Findings, who: Principal, known: UUID | None, idempotent: IdempotentRequest | None
    ) -> tuple[Assessment, bool]:
        """Store what the services found as one assessment, with its renderings where the site keeps them, and alerts.

        Returns:
            The assessment, and whether it is the earlier one of the same request, stored meanwhile.

        Args:
            known: the patient's id, if there was one of this number when the case began.

        Raises:
            PatientMismatch: the DICOM file is of another patient.
            Conflict: the patient was erased or merged meanwhile.
        """
        number = patient_number(case.patient_number, findings.identity, self.settings.dicom_patient_id)
        owner = await self.patients.owner(who, number)
        if known is not None and owner.patient_id != known:
            raise Conflict("The patient was erased, or merged with another, meanwhile: send the case again.")
        # A test is of nobody, and shows the number that it was sent with.
        shown = number if who.is_test else owner.patient_number if number is not None else None
        assessment = await self._with_sign_off(findings.assessment(uuid7(), now(), shown), who)
        assessment = assessment.model_copy(update={"test": who.is_test})
        alerts = await self._derive_alerts(StoredAssessment(assessment, case.risk, owner.patient_id), owner)
        renderings = self._kept(findings, assessment.created_at)
        sha256 = await _sha256(case.image)
        seen = None if who.is_test else observed(findings, case.risk)
        accession = findings.identity.accession if findings.identity and not who.is_test else None
        new = NewAssessment(
            assessment,
            case.risk,
            owner,
            idempotent,
            renderings,
            alerts,
            findings.identity,
            sha256,
            seen,
            await self._order(findings.identity, number, who),
            await self.orders.accession_hash(who.organisation_id, accession),
        )
        stored = await self.assessments.add(new, who)
        is_new = stored.id == assessment.id
        if is_new and not who.is_test:
            self.shadows.offer(stored.id, case, findings)
            if new.order is None and accession:  # one that was announced at this very moment saw no film yet
                await self.late_orders.join(who.organisation_id, accession, who.id)
        return stored, not is_new

    async def _order(self, identity: DicomIdentity | None, number: str | None, who: Principal) -> Order | None:
        """The order that a DICOM radiograph was taken for, if one was announced.

        Args:
            number: whom the case is of, where the radiograph's own header names nobody.
        """
        if identity is None or who.is_test:
            return None
        return await self.orders.find(who.organisation_id, identity.accession, identity.patient_id or number)

    async def _with_sign_off(self, assessment: Assessment, who: Principal) -> Assessment:
        rules = assessment.recommendation.rules if assessment.recommendation else None
        if rules is None:
            return assessment
        signed = await self.sign_offs.of(who.organisation_id, rules.version)
        return assessment.model_copy(update={"rules_sign_off": signed})

    async def get(self, assessment_id: UUID, who: Principal) -> VisibleAssessment:
        """One assessment as the caller may see it.

        Raises:
            NotFound: there is none under this id that the caller may see.
        """
        return self._visible(who, (await self.assessments.get(assessment_id, who)).assessment)

    async def page(
        self,
        who: Principal,
        limit: int,
        window: Window[UUID],
        patient_number: str | None = None,
        status: AssessmentStatus | None = None,
    ) -> Page[Assessment, UUID]:
        """The organisation's assessments, newest first, or one patient's; a patient's account sees its own.

        Raises:
            InvalidInput: the number is a patient's id here.
        """
        patient_id = None
        if patient_number is not None and who.is_test:
            return Page(items=[], next=None)  # tests are of nobody
        if patient_number is not None:
            await self.patients.refuse_our_id(who.organisation_id, patient_number)
            patient = await self.patients.by_number(who.organisation_id, patient_number)
            if patient is None:
                return Page(items=[], next=None)
            patient_id = patient.id
        stored = await self.assessments.page(who, limit, window, Selection(patient_id, status=status))
        return stored.map(lambda kept: self._visible(who, kept.assessment).assessment)

    async def release(self, assessment_id: UUID, who: Principal) -> Assessment:
        """Show the medication items to the patient from now on, after a clinician has looked at them.

        Raises:
            NotAuthorised: a patient's own account asks.
            NotFound: there is none under this id that the caller may see.
            Conflict: it was withdrawn.
        """
        if who.is_patient:
            raise NotAuthorised("A clinician releases an assessment, not the patient.")
        return (await self.assessments.release(assessment_id, who)).assessment

    async def erase(self, assessment_id: UUID, who: Principal) -> None:
        """Delete an assessment with its renderings and alerts.

        Raises:
            NotFound: there is none under this id that the caller may see.
        """
        await self.assessments.erase(assessment_id, who)
        await self.database.scrub()

    async def rendering(self, assessment_id: UUID, who: Principal, kinds: Sequence[RenderingKind]) -> bytes:
        """The PNG of the first of these kinds that is kept.

        Raises:
            NotFound: there is no such assessment, or none is kept; `reason` says why.
        """
        stored = await self.assessments.get(assessment_id, who, AuditAction.RENDERING_READ)
        if who.is_patient and stored.assessment.is_withdrawn:
            raise NotFound("This assessment was withdrawn: its pictures are the clinic's.", reason="withdrawn")
        png = await self.renderings.first(assessment_id, kinds)
        if png is None:
            assessment, settings = stored.assessment, self.settings
            had_image = assessment.imaging is not None or assessment.staging is not None
            reason, detail = why_not(
                kinds[0], had_image, assessment.created_at, settings.store_renderings, settings.rendering_days, now()
            )
            raise NotFound(detail, reason=reason)
        return png

    async def has_preview(self, assessment_id: UUID) -> bool:
        """Whether a preview is kept; whether the caller may see the assessment was asked before."""
        return await self.renderings.first(assessment_id, ["preview"]) is not None

    async def report_content(
        self, assessment_id: UUID, who: Principal, audience: Audience, with_renderings: bool = True
    ) -> ReportContent:
        """What a report for this reader is made of. The patient's withholds medicines whoever prints it.

        Raises:
            NotAuthorised: a patient's account asks for the clinician's.
            NotFound: there is no assessment under this id that the caller may see.
        """
        if audience == "clinician" and who.is_patient:
            raise NotAuthorised("The clinician's report is for the clinic: ask for audience=patient.")
        return await self.report_of(await self.assessments.get(assessment_id, who), audience, with_renderings)

    async def report_of(
        self, stored: StoredAssessment, audience: Audience, with_renderings: bool = True
    ) -> ReportContent:
        """The same of an assessment that was read before; who may see it was asked then."""
        pngs = {kind: await self.renderings.first(stored.assessment.id, [kind]) for kind in KINDS if with_renderings}
        kept = {str(kind): png for kind, png in pngs.items() if png}
        seen = VisibleAssessment(stored.assessment)
        if audience == "patient":
            seen = for_patient(stored.assessment, self.settings.release_medication)
            kept = {} if stored.assessment.is_withdrawn else kept
        return await self.content_of(seen, stored.risk, audience, kept)

    async def content_of(
        self,
        seen: VisibleAssessment,
        risk: AnyRisk | None,
        audience: Audience,
        renderings: Mapping[str, bytes] | None = None,
    ) -> ReportContent:
        """The same of an assessment as this reader sees it.

        Args:
            risk: the record behind it; it stays with the clinic, but for the figures of people of that age and sex.
        """
        return ReportContent(
            seen.assessment,
            audience,
            renderings or {},
            seen.withheld,
            risk if audience == "clinician" else None,
            self.settings.emergency_number,
            await self.figures.of(seen.assessment, risk),
        )

    async def _derive_alerts(self, new: StoredAssessment, owner: KeyOwner) -> NewAlerts | None:
        """What the assessment gives the clinic to look at; of a case that names nobody only an emergency."""
        if owner.patient_id is None:
            urgent = [] if new.assessment.test else list(emergency(new.assessment))
            return NewAlerts(urgent, replaces=False, patient_id=None, key=owner.key) if urgent else None
        before = await self.assessments.of_patient(owner.patient_id, LOOK_BACK)
        earlier = [stored for stored in before if not stored.assessment.is_withdrawn]
        lsc = self.settings.least_significant_change_percent
        loss = bone_loss(timeline(earlier, []), timeline([*earlier, new], []), lsc)
        alerts = [*emergency(new.assessment), *follow_ups(new.assessment), *worsening(new, earlier), *loss]
        return NewAlerts(alerts, new.risk is not None, owner.patient_id, owner.key)

    def _kept(self, findings: Findings, made_at: dt.datetime) -> NewRenderings | None:
        if not self.settings.store_renderings or not findings.renderings:
            return None
        expires_at = made_at + dt.timedelta(days=self.settings.rendering_days)
        return NewRenderings(png_bytes(findings.renderings), expires_at)

    def _visible(self, who: Principal, assessment: Assessment) -> VisibleAssessment:
        return visible_to(who, assessment, self.settings.release_medication)
