"""Phantom pictures as files, for the self-check and the tests: JPEG, 16-bit PNG and DICOM."""

import hashlib
import io
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import GrayPixels

if TYPE_CHECKING:  # as in `shared.radiograph.dicom`: pydicom costs memory, so it is imported when it is used
    from pydicom.dataset import Dataset

DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
BITS_STORED = 12
DEEPEST = 2**BITS_STORED - 1


def as_jpeg(pixels: GrayPixels, quality: int = 90) -> bytes:
    """Gray pixels, uint8 (height, width), as a grayscale JPEG."""
    return encoded(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])


def as_png16(pixels: GrayPixels) -> bytes:
    """Gray pixels, uint8 (height, width), as a 16-bit grayscale PNG over the whole range."""
    return encoded(".png", pixels.astype(np.uint16) * 257, [])


def encoded(suffix: str, pixels: npt.NDArray[np.integer[Any]], options: list[int]) -> bytes:
    """The file's bytes; OpenCV writes no metadata."""
    written, data = cv2.imencode(suffix, pixels, options)
    if not written:
        raise RuntimeError(f"the picture could not be encoded as {suffix}")
    return data.tobytes()


def as_dicom(
    pixels: GrayPixels,
    photometric: Literal["MONOCHROME1", "MONOCHROME2"] = "MONOCHROME2",
    body_part: Literal["KNEE", "LSPINE"] = "KNEE",
    pixel_mm: float = 0.15,
) -> bytes:
    """Gray pixels, uint8 (height, width), as a 12-bit DX image with a window, Explicit VR Little Endian.

    The patient is named PHANTOM^QA; the unique identifiers follow from the pixels, so the same picture is the same
    object.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    identity = [photometric, body_part, hashlib.sha256(pixels.tobytes()).hexdigest()]
    dataset.SOPClassUID = UID(DX_FOR_PRESENTATION)
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.StudyInstanceUID = (
        generate_uid(entropy_srcs=[level, *identity]) for level in ("instance", "series", "study")
    )
    describe(dataset, body_part, pixel_mm)
    add_pixels(dataset, pixels, photometric)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def describe(dataset: "Dataset", body_part: str, pixel_mm: float) -> None:
    """Patient, study and acquisition, as far as the DX object demands them; there is no patient."""
    dataset.PatientName, dataset.PatientID = "PHANTOM^QA", "QA-PHANTOM"
    dataset.PatientBirthDate = dataset.PatientSex = dataset.StudyID = dataset.AccessionNumber = ""
    dataset.StudyDate = dataset.StudyTime = dataset.ReferringPhysicianName = dataset.Manufacturer = ""
    dataset.SeriesNumber = dataset.InstanceNumber = "1"
    dataset.Modality, dataset.PresentationIntentType = "DX", "FOR PRESENTATION"
    dataset.ImageType = ["DERIVED", "PRIMARY", ""]
    dataset.BodyPartExamined, dataset.ViewPosition = body_part, "AP"
    dataset.ImageLaterality = "R" if body_part == "KNEE" else "U"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImagerPixelSpacing = [pixel_mm, pixel_mm]
    dataset.BurnedInAnnotation, dataset.LossyImageCompression = "NO", "00"


def add_pixels(dataset: "Dataset", pixels: GrayPixels, photometric: str) -> None:
    """12-bit values with the window that shows them as they are; MONOCHROME1 stores them upside down."""
    values = np.rint(pixels.astype(np.float64) / 255.0 * DEEPEST).astype("<u2")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, photometric
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS_STORED, BITS_STORED - 1
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.WindowCenter, dataset.WindowWidth = str(2 ** (BITS_STORED - 1)), str(2**BITS_STORED)
    dataset.PixelData = (DEEPEST - values if photometric == "MONOCHROME1" else values).astype("<u2").tobytes()
