"""DICOM projection radiographs (CR, DX and their like) to gray working pixels.

What cannot be a plain radiograph is refused, with the reason, before anything is decoded. Codecs: gdcm (BSD) and
Pillow; pylibjpeg-libjpeg is GPL and is not needed.
"""

import io
import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

from shared.problems import UnreadableImage, UnsupportedImage
from shared.radiograph.colour import gray, judged_colour
from shared.radiograph.dicom_codecs import stored_pixels, stored_quality
from shared.radiograph.dicom_elements import code, codes, integer, items
from shared.radiograph.dicom_identity import TEXTS, age_years, identity_of
from shared.radiograph.dicom_kinds import refuse_other_kinds
from shared.radiograph.dicom_spacing import pixel_aspect, spacing, square_size
from shared.radiograph.dicom_stored import cleaning_of
from shared.radiograph.dicom_tones import darker, gray_levels
from shared.radiograph.limits import IntakeLimits, checked_size
from shared.radiograph.radiograph import Laterality, Radiograph
from shared.radiograph.reduction import fitted, fitted_strips, strips
from shared.radiograph.tones import Pixels, working_size

# pydicom costs 40 MB and a third of a second, and most uploads are JPEG: it is imported when the first DICOM comes.
if TYPE_CHECKING:
    from pydicom import Dataset

PREFIX_AT = 128
PIXEL_TAG = re.compile(rb"\xe0\x7f\x10\x00|\x7f\xe0\x00\x10")
DEFLATED = b"1.2.840.10008.1.2.1.99"
# A first element of group 0002 or 0008, little-endian, or big-endian and then with its value representation.
BARE = re.compile(rb"[\x02\x08]\x00.[\x00-\x10](?:[A-Z]{2}|..\x00\x00)|\x00[\x02\x08][\x00-\x10].[A-Z]{2}", re.DOTALL)

# Besides these only what `dicom_identity` lists is taken from the file.
TAGS_READ: list[str] = [
    "Modality", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape", "BurnedInAnnotation",
    "PresentationIntentType", "PixelIntensityRelationship", "PixelIntensityRelationshipSign",
    "BodyPartExamined", "ImageLaterality", "Laterality", "ViewPosition", "PatientOrientation", "PatientAge",
    "IconImageSequence", "PixelSpacing", "ImagerPixelSpacing", "PixelSpacingCalibrationType",
    "EstimatedRadiographicMagnificationFactor", "PixelAspectRatio", "SpecificCharacterSet", *TEXTS,
]  # fmt: skip


def looks_like_dicom(data: bytes) -> bool:
    """By the DICM prefix, or without the preamble by a first element of group 0002 or 0008 with a plausible head."""
    return data[PREFIX_AT : PREFIX_AT + 4] == b"DICM" or bool(BARE.match(data[:8]))


def read_dicom(data: bytes, limits: IntakeLimits) -> Radiograph:
    """One frame of projection radiography, decoded and windowed.

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge: with the cure, by the header.
        Exception: whatever pydicom and its codecs raise for damaged bytes; the intake maps it.
    """
    dataset = header(data)
    refuse_other_kinds(dataset, damaged=has_pixels(data, dataset))
    columns, rows = checked_size(integer(dataset, "Columns") or 0, integer(dataset, "Rows") or 0, limits)
    stored = stored_pixels(dataset, limits)
    # Tones come after the reduction: tables and windows are smooth, and there is an eighth of the pixels left.
    if stored.ndim == 3:
        stored = fitted(stored)
        coloured, warnings = judged_colour(stored)
        pixels = np.asarray(gray(stored), np.uint8)
    else:
        coloured = False
        pixels, warnings = gray_levels(reduced(stored, dataset), dataset)
    width, height = square_size(columns, rows, pixel_aspect(dataset))
    pixels = resized(pixels, working_size(width, height))
    spacing_mm, plane = spacing(dataset, height / pixels.shape[0])
    return Radiograph(
        pixels=pixels,
        format="dicom",
        original_size=(width, height),
        coloured=coloured,
        body_part=code(dataset, "BodyPartExamined"),
        laterality=laterality(dataset),
        view=code(dataset, "ViewPosition"),
        patient_orientation=patient_orientation(dataset),
        patient_age=age_years(dataset),
        warnings=warnings,
        source=identity_of(dataset, (pixels.shape[1], pixels.shape[0])),
        jpeg_quality=stored_quality(dataset),
        pixel_spacing_mm=spacing_mm,
        spacing_plane=plane,
    )


def header(data: bytes) -> "Dataset":
    """The elements of `TAGS_READ`. A deflated file is refused first: pydicom inflates it without a limit."""
    if DEFLATED in data:
        raise UnsupportedImage("The DICOM file is deflated: export it as Explicit VR Little Endian.")
    import pydicom

    # Otherwise pydicom warns with the offending value, and a patient's data would stand in the log.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    dataset = pydicom.dcmread(io.BytesIO(data), force=True, specific_tags=list(TAGS_READ))
    if not len(dataset) and not dataset.file_meta.get("MediaStorageSOPClassUID"):
        raise UnreadableImage("The DICOM file is damaged or incomplete: export it again from its source.")
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        native = "1.2.840.10008.1.2" + ("" if implicit else ".1" if little else ".2")
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(native)
    return dataset


def has_pixels(data: bytes, dataset: "Dataset") -> bool:
    """Whether there are pixels in the bytes of the file besides those of its icon."""
    icons = sum("PixelData" in icon for icon in items(dataset, "IconImageSequence"))
    return len(PIXEL_TAG.findall(data)) > icons


def reduced(stored: Pixels, dataset: "Dataset") -> Pixels:
    """Gray values without overlay and padding at working size."""
    cleaning = cleaning_of(stored, dataset, lambda low, high: darker(low, high, dataset))
    return fitted_strips((cleaning.clean(strip) for strip in strips(stored)), stored.shape[1], stored.shape[0])


def resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Pixels at (width, height): made square where the file's were not."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR))


def laterality(dataset: "Dataset") -> Laterality | None:
    """The one side that the file names; both, unpaired and nonsense are None."""
    side = code(dataset, "ImageLaterality") or code(dataset, "Laterality")
    sides: dict[str | None, Laterality] = {"L": "left", "R": "right"}
    return sides.get(side)


def patient_orientation(dataset: "Dataset") -> tuple[str, str] | None:
    """Where the rows and the columns run to, if the file says both."""
    found = codes(dataset, "PatientOrientation")
    return (found[0], found[1]) if len(found) == 2 and all(found) else None
