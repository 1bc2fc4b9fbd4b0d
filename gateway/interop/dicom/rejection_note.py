"""What takes a withdrawn result back: a key object document that rejects the objects which were sent."""

from typing import TYPE_CHECKING

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.identity import PRODUCT, device_uid, finished, referenced
from gateway.interop.dicom.revisions import current, revisions_of
from gateway.interop.dicom.structured_report import sent_report

if TYPE_CHECKING:
    from pydicom import Dataset

KIND = "ko"


def rejection_note(content: DicomContent) -> "Dataset":
    """The note for what was sent before a result was withdrawn; for its reports where nothing is known to be sent.

    Its title is "Rejected for Patient Safety Reasons" (113037): by IHE's Imaging Object Change Management an archive
    then shows the objects to nobody, while those rejected for their quality may still be looked at. A clinician's
    reason stays here: it may speak of another patient.
    """
    from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObserverContext
    from pydicom.sr.codedict import codes

    revision = current(content)
    reports = tuple(sent_report(content, before) for before in revisions_of(content)[:-1])
    withdrawn = content.sent or reports
    rejected = [referenced(content.identity, sent) for sent in withdrawn]
    device = DeviceObserverIdentifyingAttributes(
        uid=device_uid(content), name=PRODUCT, manufacturer_name=PRODUCT, model_name=PRODUCT
    )
    made = KeyObjectSelectionDocument(
        evidence=rejected,
        content=KeyObjectSelection(
            codes.DCM.RejectedForPatientSafetyReasons,
            rejected,
            observer_device_context=ObserverContext(codes.DCM.Device, device),
        ),
        series_instance_uid=revision.series_uid(KIND),
        series_number=1,
        sop_instance_uid=revision.sop_uid(KIND, *sorted(sent.sop_uid for sent in withdrawn)),
        instance_number=1,
        manufacturer=PRODUCT,
    )
    made.copy_patient_and_study_information(rejected[0])
    return finished(made, KIND, content, revision)
