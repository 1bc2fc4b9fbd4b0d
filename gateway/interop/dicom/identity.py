"""The source's own patient and study, as every object of a result repeats them. What is not legal is left empty."""

import datetime as dt
import re
from typing import TYPE_CHECKING

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.revisions import Revision
from gateway.interop.dicom.uids import uid
from gateway.records.dicom_objects import SentObject
from shared.contracts.film import DicomGrayscale, DicomIdentity

if TYPE_CHECKING:
    from pydicom import Dataset

UTF8 = "ISO_IR 192"
PRODUCT = "Trabecula"
DESCRIPTION = "AI result, research, not for diagnosis"
SERIES_NUMBERS = {"sr": 9001, "sc": 9002, "heatmap": 9003, "pr": 9004, "pdf": 9005, "ko": 9006}
PICTURES = ("sc", "heatmap")
TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
NAME_GROUPS, NAME_PARTS, LONGEST_GROUP = 3, 5, 64
SIDES = {"left": "L", "right": "R"}


def source_dataset(identity: DicomIdentity) -> "Dataset":
    """The source as far as other objects refer to it: identity and size, without its pixels."""
    from pydicom import Dataset

    source = Dataset()
    source.SpecificCharacterSet = UTF8
    source.SOPClassUID, source.SOPInstanceUID = identity.sop_class_uid, identity.sop_uid
    source.StudyInstanceUID, source.SeriesInstanceUID = identity.study_uid, identity.series_uid
    source.PatientID, source.PatientName = plain(identity.patient_id), name(identity.patient_name)
    source.PatientBirthDate = date(identity.patient_birth_date)
    source.PatientSex = identity.patient_sex if identity.patient_sex in ("M", "F", "O") else ""
    if identity.issuer_of_patient_id:
        source.IssuerOfPatientID = plain(identity.issuer_of_patient_id)
    source.AccessionNumber, source.StudyID = plain(identity.accession), plain(identity.study_id)
    source.StudyDate, source.StudyTime = date(identity.study_date), time(identity.study_time)
    source.ReferringPhysicianName = name(identity.referring_physician_name)
    if identity.study_description:
        source.StudyDescription = plain(identity.study_description)
    source.Modality = plain(identity.modality)
    source.Rows, source.Columns, source.SamplesPerPixel = identity.rows, identity.columns, 1
    if identity.grayscale is not None:
        add_grayscale(source, identity.grayscale)
    return source


def referenced(identity: DicomIdentity, sent: SentObject) -> "Dataset":
    """An object of a result as others refer to it; the library takes what has a size for an image."""
    named = source_dataset(identity)
    named.SOPClassUID, named.SOPInstanceUID, named.SeriesInstanceUID = sent.sop_class_uid, sent.sop_uid, sent.series_uid
    if sent.kind not in PICTURES:
        del named.Rows, named.Columns
    return named


def add_grayscale(source: "Dataset", shown: DicomGrayscale) -> None:
    """How the source's values are shown, so that a presentation state shows them alike."""
    source.PhotometricInterpretation = plain(shown.photometric)
    if shown.rescale_slope and shown.rescale_intercept is not None:
        source.RescaleSlope, source.RescaleIntercept = decimal(shown.rescale_slope), decimal(shown.rescale_intercept)
        source.RescaleType = "US"
    if shown.window_center is not None and shown.window_width is not None:
        source.WindowCenter, source.WindowWidth = decimal(shown.window_center), decimal(shown.window_width)
        if shown.window_function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
            source.VOILUTFunction = shown.window_function


def finished(made: "Dataset", kind: str, content: DicomContent, revision: Revision) -> "Dataset":
    """An object with what all of a result's objects say alike: when it is of, and what made it.

    Times are those of the state that it tells, on this machine's clock as DICOM's are local, so that one made again is
    the same.
    """
    moment = revision.at.astimezone()
    made.SpecificCharacterSet = UTF8
    day, hour = moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")
    made.InstanceCreationDate, made.InstanceCreationTime = day, hour
    if kind == "pr":
        made.PresentationCreationDate, made.PresentationCreationTime = day, hour
    else:
        made.ContentDate, made.ContentTime = day, hour
    if kind in PICTURES:
        made.DateOfSecondaryCapture, made.TimeOfSecondaryCapture = day, hour
    for equipment in made.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = revision.at.strftime("%Y%m%d%H%M%S+0000")
    made.SeriesDescription, made.SeriesNumber = DESCRIPTION, SERIES_NUMBERS[kind]
    made.Manufacturer, made.ManufacturerModelName = PRODUCT, PRODUCT
    made.DeviceSerialNumber = device_uid(content)
    made.SoftwareVersions = models_of(content)
    if kind in (*PICTURES, "pr"):
        made.Laterality = laterality(content)
    return made


def device_uid(content: DicomContent) -> str:
    """The installation as a device, as far as one organisation sees it."""
    return uid(content.organisation_id, "device")


def models_of(content: DicomContent) -> list[str]:
    """The models behind the findings, with their versions: what made the result, whichever program wrote it down."""
    findings = (content.assessment.imaging, content.assessment.staging)
    return [f"{found.model.name} {found.model.version}"[:64] for found in findings if found] or [PRODUCT]


def laterality(content: DicomContent) -> str:
    """The one side that the film shows; empty where it shows both, or does not say."""
    knees = content.assessment.staging.knees if content.assessment.staging else []
    sides = {SIDES.get(knee.side, "") for knee in knees}
    return sides.pop() if len(sides) == 1 else ""


def plain(text: str | None) -> str:
    """A text of one value."""
    return (text or "").replace("\\", "")


def name(text: str | None) -> str:
    """A person's name with as many groups and parts as there may be."""
    groups = plain(text).split("=")[:NAME_GROUPS]
    return "=".join("^".join(group.split("^")[:NAME_PARTS])[:LONGEST_GROUP] for group in groups)


def date(text: str | None) -> str:
    """YYYYMMDD; empty where it is no day."""
    try:
        return dt.datetime.strptime(text or "", "%Y%m%d").strftime("%Y%m%d")  # noqa: DTZ007 -- a day has no zone
    except ValueError:
        return ""


def time(text: str | None) -> str:
    """HHMMSS with fractions; empty where it is no time."""
    return text if text and TIME.fullmatch(text) else ""


def decimal(value: float) -> str:
    """A number in the 16 characters that there are for one."""
    return f"{value:.10g}"[:16]
