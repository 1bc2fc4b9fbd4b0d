"""The clinician's report, which people read, as a DICOM object."""

from typing import TYPE_CHECKING

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.identity import finished, source_dataset
from gateway.interop.dicom.revisions import current

if TYPE_CHECKING:
    from pydicom import Dataset

KIND = "pdf"


def encapsulated_pdf(content: DicomContent) -> "Dataset":
    """The report of how a result stands, in English."""
    from highdicom.base import SOPClass
    from pydicom import Dataset
    from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

    from gateway.reports.report import pdf_of  # with the fonts' libraries

    revision, source = current(content), source_dataset(content.identity)
    made = SOPClass(
        study_instance_uid=source.StudyInstanceUID,
        series_instance_uid=revision.series_uid(KIND),
        series_number=1,
        sop_instance_uid=revision.sop_uid(KIND),
        sop_class_uid=EncapsulatedPDFStorage,
        instance_number=revision.number + 1,
        modality="DOC",
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    made.copy_patient_and_study_information(source)
    pdf, _ = pdf_of(content.report, "en")
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    made.EncapsulatedDocumentLength = len(pdf)
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.DocumentTitle = f"Trabecula report, {revision.status}"
    made.ConceptNameCodeSequence = []
    made.BurnedInAnnotation, made.ConversionType, made.AcquisitionDateTime = "YES", "WSD", ""
    from_source = Dataset()
    from_source.ReferencedSOPClassUID = content.identity.sop_class_uid
    from_source.ReferencedSOPInstanceUID = content.identity.sop_uid
    made.SourceInstanceSequence = [from_source]
    return finished(made, KIND, content, revision)
