"""The findings as a structured report: TID 1500, with a group for each knee and one for how the bone looks."""

from typing import TYPE_CHECKING

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.codes import coding_scheme
from gateway.interop.dicom.identity import PRODUCT, device_uid, finished, referenced, source_dataset
from gateway.interop.dicom.measurement_groups import groups_of
from gateway.interop.dicom.revisions import Revision, current, revisions_of
from gateway.records.dicom_objects import SentObject
from gateway.settings import DicomReport

if TYPE_CHECKING:
    from highdicom.sr import MeasurementReport, ObservationContext
    from pydicom import Dataset

KIND = "sr"
CLASSES: dict[DicomReport, str] = {
    "comprehensive_3d": "1.2.840.10008.5.1.4.1.1.88.34",
    "comprehensive": "1.2.840.10008.5.1.4.1.1.88.33",
}
# Of an organisation's name, as the standard's value representation has it.
LONGEST_ORGANISATION = 64


def structured_report(content: DicomContent) -> "Dataset":
    """The report of how a result stands: preliminary until a clinician signs or amends it, then final and verified.

    The report of the state before is named as its predecessor. What a clinician amended stands beside what the
    software found, in groups of their own.
    """
    from highdicom.sr import Comprehensive3DSR, ComprehensiveSR

    revision, source = current(content), source_dataset(content.identity)
    make = Comprehensive3DSR if content.report_class == "comprehensive_3d" else ComprehensiveSR
    earlier = revisions_of(content)[:-1]
    made = make(
        evidence=[source],
        content=measurement_report(content, revision, source),
        series_instance_uid=revision.series_uid(KIND),
        series_number=1,
        sop_instance_uid=sent_report(content, revision).sop_uid,
        instance_number=revision.number + 1,
        manufacturer=PRODUCT,
        is_complete=True,
        is_final=revision.is_verified,
        is_verified=revision.is_verified,
        verifying_observer_name=revision.by if revision.is_verified else None,
        verifying_organization=content.organisation[:LONGEST_ORGANISATION] if revision.is_verified else None,
        previous_versions=[referenced(content.identity, sent_report(content, before)) for before in earlier[-1:]]
        or None,
        coding_schemes=[coding_scheme()],
    )
    if revision.is_verified:
        made.VerifyingObserverSequence[0].VerificationDateTime = revision.at.strftime("%Y%m%d%H%M%S+0000")
    return finished(made, KIND, content, revision)


def sent_report(content: DicomContent, revision: Revision) -> SentObject:
    """The report of a state, as it is referred to; the two kinds of report have UIDs of their own."""
    return SentObject(
        KIND, CLASSES[content.report_class], revision.series_uid(KIND), revision.sop_uid(KIND, content.report_class)
    )


def measurement_report(content: DicomContent, revision: Revision, source: "Dataset") -> "MeasurementReport":
    """The tree of content: TID 1500 with the disclaimer and the reason of an amendment as comments."""
    from highdicom.sr import MeasurementReport, RelationshipTypeValues, TextContentItem
    from pydicom.sr.codedict import codes

    report = MeasurementReport(
        observation_context=observers(content, revision),
        procedure_reported=codes.cid100.XRUnspecifiedBodyRegion,
        imaging_measurements=groups_of(content, revision, source),
        title=codes.DCM.ImagingMeasurementReport,
    )
    for text in comments(content, revision):
        item = TextContentItem(codes.DCM.Comment, text, RelationshipTypeValues.CONTAINS)
        report[0].ContentSequence.append(item)
    return report


def comments(content: DicomContent, revision: Revision) -> list[str]:
    """What has to be read with the figures."""
    assessment = content.assessment
    found = [assessment.disclaimer]
    if assessment.imaging is not None:
        found.append(assessment.imaging.summary)
    found += [warning.detail for warning in assessment.warnings if warning.component in ("imaging", "staging")]
    if revision.status == "amended" and revision.reason:
        found.append(f"Amended by a clinician: {revision.reason}")
    return found


def observers(content: DicomContent, revision: Revision) -> "ObservationContext":
    """The installation, and with it whoever amended the result."""
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        ObservationContext,
        ObserverContext,
        PersonObserverIdentifyingAttributes,
    )
    from pydicom.sr.codedict import codes

    device = DeviceObserverIdentifyingAttributes(
        uid=device_uid(content), name=PRODUCT, manufacturer_name=PRODUCT, model_name=PRODUCT
    )
    person = None
    if revision.status == "amended" and revision.by:
        person = ObserverContext(
            codes.DCM.Person,
            PersonObserverIdentifyingAttributes(revision.by, organization_name=content.organisation),
        )
    return ObservationContext(person, ObserverContext(codes.DCM.Device, device))
