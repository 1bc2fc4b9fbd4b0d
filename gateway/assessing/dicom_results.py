"""What goes into the DICOM objects of a result, for organisations alone: they name the patient as the source does."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from gateway.assessing.assessments import AssessmentUseCases, ReportContent
from gateway.platform.audit_actions import AuditAction
from gateway.platform.database.idempotency import Earlier, IdempotentRequest, Repeats
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import ACCOUNT, Principal, refuse_test_keys
from gateway.records.destinations import Destination, Destinations
from gateway.records.dicom_objects import SentObject, SentObjects
from gateway.records.encrypted import StoredAssessment
from gateway.records.outbox import Delivery, Outbox
from gateway.records.reviews import Reviews
from gateway.settings import DicomReport
from shared.contracts.assessment import Assessment
from shared.contracts.film import DicomIdentity
from shared.problems import InvalidInput, NoDicomSource, NotAuthorised, NotFound

# Kinds of destinations that take DICOM objects: by C-STORE, and by STOW-RS.
DIMSE, DICOMWEB = "dicom", "dicomweb"
# Without one of these nothing can be put into a study, or a box into the source's pixels.
NEEDED = ("study_uid", "series_uid", "sop_uid", "sop_class_uid", "rows", "columns", "read_width", "read_height")


@dataclass(frozen=True)
class DicomContent:
    """What the DICOM objects of an assessment are made of.

    Args:
        identity: whom and what the source says it is of; has all of `NEEDED`.
        organisation: its name.
        names: how those who signed or withdrew are called, by their id in the trail.
        report: of the clinician; with the pictures that the site keeps.
        report_class: which kind of structured report the site's viewers read.
        sent: objects of this assessment that went to the destination in question, or to any.
    """

    identity: DicomIdentity
    organisation_id: UUID
    organisation: str
    names: Mapping[str, str]
    report: ReportContent
    report_class: DicomReport = "comprehensive_3d"
    sent: tuple[SentObject, ...] = ()

    @property
    def assessment(self) -> Assessment:
        """The assessment as it stands."""
        return self.report.assessment


@dataclass(frozen=True)
class DicomUseCases:
    """What hospital systems and staff do with results as DICOM objects."""

    assessments: AssessmentUseCases
    accounts: Accounts
    destinations: Destinations
    outbox: Outbox
    sent: SentObjects
    reviews: Reviews
    repeats: Repeats

    async def content(self, assessment_id: UUID, who: Principal, destination_id: UUID | None = None) -> DicomContent:
        """What an assessment's objects are made of, read with a line in the audit trail.

        Args:
            destination_id: where they go to; null where the caller takes them.

        Raises:
            NotAuthorised: a patient's own account asks.
            NotFound: there is no assessment under this id that the caller may see.
            NoDicomSource: its radiograph was no DICOM file, or one that does not say which study it is of.
        """
        stored, identity = await self._of_a_study(assessment_id, who, AuditAction.DICOM_OBJECTS_READ)
        # The source names the patient; a site whose requests carry pseudonyms does not want the two to meet.
        as_named = stored.assessment.model_copy(update={"patient_number": identity.patient_id})
        return DicomContent(
            identity=identity,
            organisation_id=who.organisation_id,
            organisation=await self.accounts.organisation_name(who.organisation_id),
            names=await self._names(stored.assessment),
            report=await self.assessments.report_of(replace(stored, assessment=as_named), "clinician"),
            report_class=self.assessments.settings.dicom_report,
            sent=await self.sent.of(assessment_id, destination_id),
        )

    async def send(
        self, assessment_id: UUID, who: Principal, destination: str, request: IdempotentRequest | None = None
    ) -> tuple[Delivery, bool]:
        """Let the objects of an assessment be sent to a destination of the organisation; and whether the same request
        did so before.

        Args:
            destination: its name.

        Raises:
            NotAuthorised, NotFound, NoDicomSource: as `content`.
            InvalidInput: the organisation has no such destination for DICOM objects.
            Conflict: the request's key was used for another one.
        """
        await self._of_a_study(assessment_id, who, AuditAction.ASSESSMENT_READ)
        there = await self._named(who, destination)

        async def again(before: Earlier) -> Delivery:
            return await self.outbox.get(who.organisation_id, UUID(before.subject))

        make = partial(self.outbox.ask, there, str(assessment_id), who, request)
        return await self.repeats.once("delivery", who.id, request, make, again)

    async def _named(self, who: Principal, destination: str) -> Destination:
        every = await self.destinations.all(who.organisation_id)
        known = [there for there in every if there.kind in (DIMSE, DICOMWEB)]
        for there in known:
            if there.name == destination:
                return there
        names = ", ".join(sorted(there.name for there in known)) or "none: see trabecula route --help"
        raise InvalidInput(f"There is no such destination for DICOM objects. There are: {names}.", field="destination")

    async def is_withdrawn(self, assessment_id: UUID) -> bool:
        """Whether a clinician took an assessment back."""
        return await self.reviews.is_withdrawn(assessment_id)

    async def _of_a_study(
        self, assessment_id: UUID, who: Principal, action: AuditAction
    ) -> tuple[StoredAssessment, DicomIdentity]:
        if who.is_patient:
            raise NotAuthorised("Results for an archive are the clinic's; a patient has the report.")
        refuse_test_keys(who)
        stored = await self.assessments.assessments.get(assessment_id, who, action)
        identity = stored.identity
        if identity is None or not all(getattr(identity, name) for name in NEEDED):
            raise NoDicomSource(
                "The radiograph of this assessment was no DICOM file, or one that does not name its study, so there is "
                "no study to put a result into. Assess the DICOM file itself."
            )
        return stored, identity

    async def _names(self, assessment: Assessment) -> dict[str, str]:
        """E-mail addresses of the people in the review: the only name that an account has."""
        names = {}
        for actor in {step.by for step in assessment.review.steps}:
            try:
                names[actor] = (await self.accounts.get(UUID(actor.removeprefix(ACCOUNT)))).email
            except NotFound:
                continue
        return names
