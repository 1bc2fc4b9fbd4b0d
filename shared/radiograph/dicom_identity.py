"""Whom and what a DICOM file says it is of: for going back to the study, never for reading the picture."""

import logging
import re
import warnings
from typing import TYPE_CHECKING

from shared.contracts.film import DicomGrayscale, DicomIdentity
from shared.radiograph.dicom_elements import code, codes, element, integer, items, number

if TYPE_CHECKING:
    from pydicom import Dataset

# pydicom repeats a value that it cannot decode in its warnings, and that value can be a patient's name.
warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom(\.|$)")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

# Element and field, with the longest text that the field's value representation allows (a name: three groups of 64).
TEXTS: dict[str, tuple[str, int]] = {
    "SOPClassUID": ("sop_class_uid", 64), "SOPInstanceUID": ("sop_uid", 64),
    "StudyInstanceUID": ("study_uid", 64), "SeriesInstanceUID": ("series_uid", 64),
    "FrameOfReferenceUID": ("frame_of_reference_uid", 64), "PatientID": ("patient_id", 64),
    "IssuerOfPatientID": ("issuer_of_patient_id", 64), "PatientName": ("patient_name", 194),
    "PatientBirthDate": ("patient_birth_date", 10), "PatientSex": ("patient_sex", 16),
    "AccessionNumber": ("accession", 16), "StudyID": ("study_id", 16), "StudyDate": ("study_date", 10),
    "StudyDescription": ("study_description", 64),
    "StudyTime": ("study_time", 16), "ReferringPhysicianName": ("referring_physician_name", 194),
    "Manufacturer": ("manufacturer", 64), "ManufacturerModelName": ("manufacturer_model", 64),
    "Modality": ("modality", 16), "ImageLaterality": ("image_laterality", 16),
}  # fmt: skip
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
AGE = re.compile(r"(\d{1,3})([DWMY]?)")
DAYS_A_YEAR = 365.25
YEARS = {"D": 1 / DAYS_A_YEAR, "W": 7 / DAYS_A_YEAR, "M": 1 / 12, "Y": 1.0, "": 1.0}
OLDEST = 130.0


def identity_of(dataset: "Dataset", read_size: tuple[int, int]) -> DicomIdentity:
    """The identifying elements, texts decoded by the file's SpecificCharacterSet; what does not parse is None.

    Args:
        read_size: (width, height) of the picture as it was read.
    """
    known_character_set(dataset)
    found = {field: text(dataset, name, longest) for name, (field, longest) in TEXTS.items()}
    return DicomIdentity(
        **found,
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        read_width=read_size[0],
        read_height=read_size[1],
        grayscale=grayscale_of(dataset),
        specific_character_set="\\".join(codes(dataset, "SpecificCharacterSet"))[:128] or None,
    )


def grayscale_of(dataset: "Dataset") -> DicomGrayscale:
    """How the file wants its values shown; a window that is narrower than one step is none."""
    center, width = number(dataset, "WindowCenter"), number(dataset, "WindowWidth")
    has_window = center is not None and width is not None and width >= 1
    has_table = bool(items(dataset, "ModalityLUTSequence") or (items(dataset, "VOILUTSequence") and not has_window))
    return DicomGrayscale(
        photometric=code(dataset, "PhotometricInterpretation"),
        rescale_slope=number(dataset, "RescaleSlope"),
        rescale_intercept=number(dataset, "RescaleIntercept"),
        window_center=center if has_window else None,
        window_width=width if has_window else None,
        window_function=code(dataset, "VOILUTFunction"),
        presentation_shape=code(dataset, "PresentationLUTShape"),
        has_table=has_table,
    )


def known_character_set(dataset: "Dataset") -> None:
    """Take an unknown character set for the standard's default: otherwise no text of the file could be read."""
    from pydicom.charset import python_encoding

    if any(name and name not in python_encoding for name in codes(dataset, "SpecificCharacterSet")):
        dataset.SpecificCharacterSet = ""


def text(dataset: "Dataset", name: str, longest: int) -> str | None:
    """One element as text: padding stripped, cut to its longest; None where it is empty or holds control characters."""
    value = element(dataset, name)
    if value is None:
        return None
    try:
        plain = str(value[0] if isinstance(value, list) or type(value).__name__ == "MultiValue" else value).strip("\0 ")
    except Exception:  # a name whose bytes no character set of the file decodes
        return None
    if not plain or CONTROL.search(plain) or "\ufffd" in plain:
        return None
    if name.endswith("UID"):
        return plain if len(plain) <= longest and UID.fullmatch(plain) else None
    return plain[:longest].strip() or None


def age_years(dataset: "Dataset") -> float | None:
    """PatientAge, such as "045Y", "018M", "006W" or "010D", in years."""
    found = AGE.fullmatch(text(dataset, "PatientAge", 8) or "")
    years = int(found[1]) * YEARS[found[2]] if found else None
    return round(years, 2) if years is not None and years <= OLDEST else None
