"""Results for other systems: an assessment as the caller may see it, with what a translation of it needs besides."""

import hashlib
from dataclasses import dataclass, field
from uuid import UUID

from gateway.assessing.release import visible_to
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, Window
from gateway.records.assessments import Assessments, Selection
from gateway.records.encrypted import StoredAssessment
from gateway.records.patients import Patients
from gateway.records.stored_risk import risk_bytes
from gateway.settings import GatewaySettings
from shared.contracts.assessment import Assessment
from shared.contracts.film import DicomIdentity
from shared.contracts.order import Order
from shared.contracts.record import Gender

# The kind of destinations that take results as HL7 v2 messages.
HL7 = "hl7"


@dataclass(frozen=True)
class ResultContent:
    """What a result that leaves for another system is made of.

    Args:
        assessment: as the caller may see it; `for_patient` says whether that is the patient's view.
        patient_id: our id of the patient; null where none was named.
        gender: as the record has it; null without a record.
        record_sha256, image_sha256: of what was sent, in hexadecimal.
        modality, sop_class_uid: of a DICOM radiograph.
        order: that it was taken for, where one was announced; for the clinic.
        identity: whom and what its file says it is of; for the clinic.
    """

    assessment: Assessment
    organisation_id: UUID
    patient_id: UUID | None = None
    gender: Gender | None = None
    record_sha256: str | None = None
    image_sha256: str | None = None
    modality: str | None = None
    sop_class_uid: str | None = None
    for_patient: bool = False
    order: Order | None = None
    identity: DicomIdentity | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ResultUseCases:
    """What other systems read of assessments."""

    assessments: Assessments
    patients: Patients
    settings: GatewaySettings

    async def one(self, assessment_id: UUID, who: Principal) -> ResultContent:
        """The result of one assessment.

        Raises:
            NotFound: there is none under this id that the caller may see.
            PatientRestricted: the caller has to open the patient's record first.
        """
        return self._content(await self.assessments.get(assessment_id, who), who)

    async def of_sender(self, assessment_id: UUID, who: Principal) -> ResultContent:
        """The result of a case that the caller sent, for the answer to that.

        Raises:
            NotFound: the caller made none under this id.
        """
        return self._content(await self.assessments.of_sender(assessment_id, who), who)

    async def page(
        self, who: Principal, limit: int, window: Window[UUID], selection: Selection
    ) -> Page[ResultContent, UUID]:
        """Results, newest first, without those of restricted patients.

        Raises:
            PatientRestricted: one assessment is wanted or one patient's, whose record the caller has to open first.
        """
        stored = await self.assessments.page(who, limit, window, selection)
        return stored.map(lambda kept: self._content(kept, who))

    async def patient_id(self, who: Principal, patient_number: str) -> UUID | None:
        """The id of the organisation's patient of this number, if there is one."""
        patient = await self.patients.by_number(who.organisation_id, patient_number)
        return patient.id if patient else None

    def _content(self, stored: StoredAssessment, who: Principal) -> ResultContent:
        visible = visible_to(who, stored.assessment, self.settings.release_medication)
        record, identity = stored.risk, stored.identity
        return ResultContent(
            assessment=visible.assessment,
            organisation_id=who.organisation_id,
            patient_id=stored.patient_id,
            gender=record.record.gender if record else None,
            record_sha256=hashlib.sha256(risk_bytes(record)).hexdigest() if record else None,
            image_sha256=stored.image_sha256,
            modality=identity.modality if identity else None,
            sop_class_uid=identity.sop_class_uid if identity else None,
            for_patient=who.is_patient,
            order=None if who.is_patient else stored.order,
            identity=None if who.is_patient else identity,
        )
