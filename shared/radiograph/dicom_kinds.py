"""Which DICOM objects are read: plain radiographs. All others are refused by name, whatever their modality says."""

from typing import TYPE_CHECKING

from shared.problems import UnreadableImage, UnsupportedImage
from shared.radiograph.dicom_elements import code, element, integer

if TYPE_CHECKING:
    from pydicom import Dataset

STANDARD, STORAGE, DICOMDIR = "1.2.840.10008.", "1.2.840.10008.5.1.4.1.1.", "1.2.840.10008.1.3.10"
# CR, DX for presentation and for processing, secondary capture, and single frames of angiography and fluoroscopy.
READ = frozenset(
    STORAGE + tail
    for tail in ("1", "1.1", "1.1.1", "7", "7.1", "7.2", "7.3", "7.4", "12.1", "12.2", "12.1.1", "12.2.1")
)
# The start of the class's number within the storage classes (PS3.6 annex A), the longest that fits.
CLASSES = {
    "1.2": "a mammogram", "1.3": "a dental radiograph", "13.1.3": "a breast tomosynthesis", "13": "a 3D X-ray scan",
    "2": "a CT scan", "4": "an MR scan", "3": "an ultrasound picture", "6": "an ultrasound picture",
    "14": "an optical coherence scan of a vessel", "20": "an NM (nuclear medicine) scan", "128": "a PT (PET) scan",
    "130": "a PT (PET) scan", "9": "a waveform such as an ECG", "11": "a presentation state, which has no pixels",
    "66": "a segmentation, a registration or raw data", "67": "a real-world value mapping",
    "77.1.1": "an endoscopy picture", "77.1.2": "a microscope picture", "77.1.3": "a microscope picture",
    "77.1.4": "a photograph", "77.1.5": "an eye photograph or scan", "77.1.6": "a microscope picture",
    "78": "a measurement of the eye", "88": "a structured report (SR)", "88.59": "a key object selection",
    "104.1": "an encapsulated PDF document", "104": "an encapsulated document", "481": "a radiotherapy (RT) object",
    "30": "a parametric map",
}  # fmt: skip
# Modalities are often empty or wrong, so only those are refused that cannot be a plain radiograph of bone.
MODALITIES = {
    "CT": "a CT scan", "MR": "an MR scan", "US": "an ultrasound picture", "IVUS": "an ultrasound picture",
    "MG": "a mammogram", "PT": "a PET scan", "NM": "a nuclear medicine scan", "ES": "an endoscopy picture",
    "XC": "a photograph", "GM": "a microscope picture", "SM": "a microscope picture", "OP": "an eye photograph",
    "OPT": "an eye scan", "IO": "a dental radiograph", "PX": "a dental radiograph", "SEG": "a segmentation",
    "DOC": "a document", "SR": "a report", "ECG": "an ECG", "PR": "a presentation state",
    "KO": "a key object selection",
    "RTDOSE": "a dose map", "RTIMAGE": "a treatment image", "RTPLAN": "a treatment plan",
    "RTSTRUCT": "a treatment plan",
    "REG": "a registration", "BMD": "a bone densitometry report", "OCT": "an optical coherence scan",
}  # fmt: skip
GRAY_KINDS = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOUR_KINDS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"})
CURE = "send a plain radiograph"


def refuse_other_kinds(dataset: "Dataset", damaged: bool) -> None:
    """Refuse what is no single gray (or simple RGB) radiograph. `damaged`: there are pixels that were not reached.

    Raises:
        UnsupportedImage: the object's kind, named.
        UnreadableImage: the file ends before its pixels.
    """
    refuse_other_classes(dataset)
    if "PixelData" not in dataset or not dataset.get_item("PixelData").value:
        if damaged:
            raise UnreadableImage("The DICOM file is damaged or incomplete: export it again from its source.")
        raise UnsupportedImage("The DICOM file has no pixels: send the object that holds the radiograph itself.")
    if (integer(dataset, "NumberOfFrames") or 1) > 1:
        raise UnsupportedImage("The DICOM file has several frames: send a single-frame radiograph.")
    if code(dataset, "BurnedInAnnotation") == "YES":
        raise UnsupportedImage(
            "The DICOM file says that a patient's data is written into the picture: export it without annotations."
        )
    refuse_other_pixels(dataset)


def refuse_other_classes(dataset: "Dataset") -> None:
    """Refuse by SOP class where the standard knows it, and by modality; private and absent classes go by modality."""
    uid = str(element(dataset, "SOPClassUID") or "").strip("\0 ")[:64]
    stored_as = str(dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if DICOMDIR in (uid, stored_as):
        raise UnsupportedImage(
            "The file is a DICOMDIR, which is a table of contents: send the image files that it lists."
        )
    if uid.startswith(STANDARD) and uid not in READ:
        raise UnsupportedImage(f"The DICOM file is {class_name(uid)} (SOP class {uid}): {CURE}.")
    modality = code(dataset, "Modality") or ""
    if modality in MODALITIES:
        raise UnsupportedImage(f"The DICOM file is {MODALITIES[modality]} (modality {modality}): {CURE}.")


def class_name(uid: str) -> str:
    """What a SOP class that is not read holds."""
    tail = uid.removeprefix(STORAGE) + "."
    fitting = [start for start in CLASSES if tail.startswith(f"{start}.")] if uid.startswith(STORAGE) else []
    return CLASSES[max(fitting, key=len)] if fitting else "no radiograph"


def refuse_other_pixels(dataset: "Dataset") -> None:
    """Refuse palettes, one-bit and 32-bit pixels, and colours of more than 8 bit."""
    kind = code(dataset, "PhotometricInterpretation") or ""
    bits, samples = integer(dataset, "BitsAllocated") or 0, integer(dataset, "SamplesPerPixel") or 1
    gray_picture = kind in GRAY_KINDS and samples == 1 and bits in (8, 16)
    colour_picture = kind in COLOUR_KINDS and samples == 3 and bits == 8
    if not gray_picture and not colour_picture:
        raise UnsupportedImage(
            f"The DICOM pixels are {kind or 'of no stated kind'} with {samples} samples of {bits} bit: "
            "export the radiograph as MONOCHROME2 with 8 or 16 bit."
        )
