"""DICOM projection radiographs (CR, DX and their like) to gray working pixels.

Order of the standard (PS3.3 C.11): modality LUT, VOI LUT or window, then MONOCHROME1 inverted. What cannot be a plain
radiograph is refused, with the reason, before anything is decoded. Codecs: gdcm (BSD) and Pillow by pydicom's own
decoders; pylibjpeg-libjpeg is GPL and is not needed.
"""

import io
import re
from typing import TYPE_CHECKING, Any

from shared.problems import UnreadableImage, UnsupportedImage
from shared.radiograph.codestream import checked_size
from shared.radiograph.dicom_codecs import stored_pixels
from shared.radiograph.dicom_tones import gray_levels, stored_values
from shared.radiograph.radiograph import Laterality, Radiograph
from shared.radiograph.raster import COLOUR_THRESHOLD, colour_of, gray
from shared.radiograph.tones import fitted

# pydicom costs 40 MB and a third of a second, and most uploads are JPEG: it is imported when the first DICOM comes.
if TYPE_CHECKING:
    from pydicom import Dataset

PREFIX_AT = 128
PIXEL_TAGS = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
DEFLATED = b"1.2.840.10008.1.2.1.99"
# Colour is decoded with copies of up to a dozen bytes a pixel, so a quarter of the pixels is read.
COLOUR_COST = 4
GRAY_KINDS = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOUR_KINDS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"})

# Modalities are often empty or wrong, so only those are refused that cannot be a plain radiograph of bone.
OTHER_MODALITIES = {
    "CT": "a CT scan", "MR": "an MR scan", "US": "an ultrasound picture", "IVUS": "an ultrasound picture",
    "MG": "a mammogram", "PT": "a PET scan", "NM": "a nuclear medicine scan", "ES": "an endoscopy picture",
    "XC": "a photograph", "GM": "a microscope picture", "SM": "a microscope picture", "OP": "an eye photograph",
    "OPT": "an eye scan", "IO": "a dental radiograph", "PX": "a dental radiograph", "SEG": "a segmentation",
    "DOC": "a document", "SR": "a report", "ECG": "an ECG", "RTDOSE": "a dose map", "RTIMAGE": "a treatment image",
}  # fmt: skip

# Nothing else is taken from the file: the patient's name and numbers are skipped, not read and dropped.
TAGS_READ: list[str] = [
    "Modality", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "BurnedInAnnotation",
    "BodyPartExamined", "ImageLaterality", "Laterality", "ViewPosition", "PixelSpacing", "ImagerPixelSpacing",
]  # fmt: skip


def looks_like_dicom(data: bytes) -> bool:
    """By the DICM prefix, or without the preamble by a first element of group 0002 or 0008 with a plausible head."""
    if data[PREFIX_AT : PREFIX_AT + 4] == b"DICM":
        return True
    return bool(re.match(rb"[\x02\x08]\x00.[\x00-\x10](?:[A-Z]{2}|..\x00\x00)", data[:8], re.DOTALL))


def read_dicom(data: bytes, max_pixels: int) -> Radiograph:
    """One frame of projection radiography, decoded and windowed.

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge: with the cure, by the header.
        Exception: whatever pydicom and its codecs raise for damaged bytes; the intake maps it.
    """
    dataset = header(data)
    refuse_other_kinds(dataset, damaged=any(tag in data for tag in PIXEL_TAGS))
    width, height = checked_size(int(dataset.Columns), int(dataset.Rows), max_pixels)
    if int(dataset.get("SamplesPerPixel") or 1) > 1:
        checked_size(width, height, max_pixels // COLOUR_COST)
    decoded = stored_pixels(dataset, max_pixels)
    coloured = decoded.ndim == 3
    # Tones come after the reduction: tables and windows are smooth, and there is an eighth of the pixels left.
    decoded = fitted(decoded if coloured else stored_values(decoded, dataset))
    return Radiograph(
        pixels=gray(decoded) if coloured else gray_levels(decoded, dataset),
        format="dicom",
        original_size=(width, height),
        coloured=colour_of(decoded) > COLOUR_THRESHOLD,
        body_part=code_string(dataset, "BodyPartExamined"),
        laterality=laterality(dataset),
        view=code_string(dataset, "ViewPosition"),
        pixel_spacing_mm=spacing(dataset, height / decoded.shape[0]),
    )


def header(data: bytes) -> "Dataset":
    """The elements of `TAGS_READ`. A deflated file is refused first: pydicom inflates it without a limit."""
    if DEFLATED in data:
        raise UnsupportedImage("The DICOM file is deflated: export it as Explicit VR Little Endian.")
    import pydicom

    # Otherwise pydicom warns with the offending value, and a patient's data would stand in the log.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    dataset = pydicom.dcmread(io.BytesIO(data), force=True, specific_tags=list(TAGS_READ))
    if not len(dataset):
        raise UnreadableImage("The DICOM file is damaged or incomplete: export it again from its source.")
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        native = "1.2.840.10008.1.2" + ("" if implicit else ".1" if little else ".2")
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(native)
    return dataset


def refuse_other_kinds(dataset: "Dataset", damaged: bool) -> None:
    """Refuse what is no single gray (or simple RGB) picture. `damaged`: the file has pixels that were not reached."""
    modality = code_string(dataset, "Modality") or ""
    if modality in OTHER_MODALITIES:
        raise UnsupportedImage(
            f"The DICOM file is {OTHER_MODALITIES[modality]} (modality {modality}): send a plain radiograph."
        )
    if not dataset.get("PixelData"):
        if damaged:
            raise UnreadableImage("The DICOM file is damaged or incomplete: export it again from its source.")
        raise UnsupportedImage("The DICOM file has no pixels: send the object that holds the radiograph itself.")
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        raise UnsupportedImage("The DICOM file has several frames: send a single-frame radiograph.")
    if (code_string(dataset, "BurnedInAnnotation") or "") == "YES":
        raise UnsupportedImage(
            "The DICOM file says that a patient's data is written into the picture: export it without annotations."
        )
    refuse_other_pixels(dataset)


def refuse_other_pixels(dataset: "Dataset") -> None:
    """Refuse palettes, one-bit and 32-bit pixels, and colours of more than 8 bit."""
    kind = code_string(dataset, "PhotometricInterpretation") or ""
    bits, samples = int(dataset.get("BitsAllocated") or 0), int(dataset.get("SamplesPerPixel") or 1)
    gray_picture = kind in GRAY_KINDS and samples == 1 and bits in (8, 16)
    colour_picture = kind in COLOUR_KINDS and samples == 3 and bits == 8
    if not gray_picture and not colour_picture:
        raise UnsupportedImage(
            f"The DICOM pixels are {kind or 'of no stated kind'} with {samples} samples of {bits} bit: "
            "export the radiograph as MONOCHROME2 with 8 or 16 bit."
        )


def code_string(dataset: "Dataset", name: str) -> str | None:
    """A code of the file in upper case, at most the standard's 16 letters, or None where it is absent or empty."""
    value: Any = dataset.get(name)
    return str(value).strip().upper()[:16] or None if value else None


def laterality(dataset: "Dataset") -> Laterality | None:
    """The one side that the file names; both, unpaired and nonsense are None."""
    code = code_string(dataset, "ImageLaterality") or code_string(dataset, "Laterality")
    sides: dict[str | None, Laterality] = {"L": "left", "R": "right"}
    return sides.get(code)


def spacing(dataset: "Dataset", reduction: float) -> tuple[float, float] | None:
    """Distance of two working pixels: PixelSpacing (calibrated), else ImagerPixelSpacing (the detector's)."""
    values: Any = dataset.get("PixelSpacing") or dataset.get("ImagerPixelSpacing")
    try:
        vertical, horizontal = (float(value) * reduction for value in values)
    except (TypeError, ValueError):
        return None  # absent or not two numbers: the picture itself is still good
    return (vertical, horizontal) if vertical > 0 and horizontal > 0 else None
