"""What a DICOM file that came in by itself says of itself, and whether it is a film to assess. Its pixels are not read.

Only headers up to the pixels are parsed, in pure Python, of files whose size was limited before. The picture itself is
decoded by the services, as every upload is.
"""

import hashlib
import io
from typing import TYPE_CHECKING

from gateway.interop.dicom.identity import PRODUCT
from gateway.records.films import ROUTINE, ReceivedFilm
from shared.problems import InvalidInput
from shared.radiograph.dicom_elements import code, codes
from shared.radiograph.dicom_identity import TEXTS, known_character_set, text

if TYPE_CHECKING:
    from pydicom import FileDataset

STORAGE = "1.2.840.10008.5.1.4.1.1."
# CR, DX for presentation and for processing, and secondary capture, which older digitisers send.
FILM_CLASSES = (f"{STORAGE}1", f"{STORAGE}1.1", f"{STORAGE}1.1.1", f"{STORAGE}7")
NATIVE_SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2")
# As the services read them: JPEG, JPEG-LS and JPEG 2000, lossy and not, and RLE. Deflated ones are not: a bomb is one.
COMPRESSED_SYNTAXES = tuple(f"1.2.840.10008.1.2.{tail}" for tail in
                            ("4.50", "4.51", "4.57", "4.70", "4.80", "4.81", "4.90", "4.91", "5"))  # fmt: skip
SYNTAXES = (*NATIVE_SYNTAXES, *COMPRESSED_SYNTAXES)
IMPLICIT = "1.2.840.10008.1.2"
MODALITIES = frozenset({"CR", "DX"})
# Of Body Part Examined (PS3.16 annex L), those that this system reads; many devices leave it empty.
BODY_PARTS = frozenset(
    {"", "KNEE", "SPINE", "LSPINE", "TSPINE", "CSPINE", "LUMBAR", "TLSPINE", "LSSPINE", "WHOLESPINE"}
)
NEEDED = {"SOPClassUID": "(0008,0016)", "SOPInstanceUID": "(0008,0018)",
          "StudyInstanceUID": "(0020,000D)", "SeriesInstanceUID": "(0020,000E)"}  # fmt: skip
KEPT = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "AccessionNumber",
        "StudyDate", "Modality")  # fmt: skip
FILTERED_BY = ("ImageType", "BodyPartExamined", "Manufacturer", "SpecificCharacterSet")
# Bytes of PixelData's own header: tag, length and, where the value representation is explicit, that with a gap.
IMPLICIT_HEADER, EXPLICIT_HEADER = 8, 12


def received_film(data: bytes, priority: int = ROUTINE) -> ReceivedFilm:
    """A DICOM file (PS3.10) as it is taken in; `ignored` says why it is no film to assess.

    Raises:
        InvalidInput: it is no DICOM file, or lacks what identifies it; `reason` names which.
    """
    dataset, pixels_at = _header(data)
    known_character_set(dataset)
    found = {TEXTS[name][0]: text(dataset, name, TEXTS[name][1]) for name in KEPT}
    lacking = [f"{name} {tag}" for name, tag in NEEDED.items() if not found[TEXTS[name][0]]]
    if lacking:
        raise InvalidInput(
            f"The DICOM file lacks {', '.join(lacking)}, or it is no UID: have its sender make a whole object.",
            reason="missing_uid",
        )
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in SYNTAXES:
        raise InvalidInput(
            f"The transfer syntax {syntax[:64] or '(none)'} is not read: send Explicit VR Little Endian.",
            reason="transfer_syntax",
        )
    header = EXPLICIT_HEADER if syntax != IMPLICIT else IMPLICIT_HEADER
    return ReceivedFilm(
        sop_uid=found["sop_uid"] or "",
        pixels_sha256=hashlib.sha256(memoryview(data)[pixels_at + header :]).digest(),
        encoding="native" if syntax in NATIVE_SYNTAXES else syntax,
        header=found,
        data=data,
        ignored=why_ignored(dataset),
        priority=priority,
    )


def why_ignored(dataset: "FileDataset") -> str | None:
    """Why an object is no film to assess, in one word; null where it is one."""
    if (code(dataset, "Manufacturer") or "") == PRODUCT.upper():
        return "own_result"  # or it would be assessed, sent, and come back, for ever
    if str(dataset.SOPClassUID) not in FILM_CLASSES:
        return "sop_class"
    if (code(dataset, "Modality") or "") not in MODALITIES:
        return "modality"
    if {"DERIVED", "SECONDARY"} <= set(codes(dataset, "ImageType")[:2]):
        return "derived"
    if (code(dataset, "BodyPartExamined") or "").replace(" ", "") not in BODY_PARTS:
        return "body_part"
    return None


def _header(data: bytes) -> tuple["FileDataset", int]:
    """The elements that are looked at, and where the pixels begin."""
    from pydicom import dcmread

    file = io.BytesIO(data)
    try:
        dataset = dcmread(file, stop_before_pixels=True, specific_tags=[*KEPT, *FILTERED_BY])
    except Exception as error:  # whatever pydicom raises for damaged bytes
        raise InvalidInput(
            "This is no DICOM file (PS3.10), or it is damaged: export it again from its source.", reason="not_dicom"
        ) from error
    return dataset, file.tell()
