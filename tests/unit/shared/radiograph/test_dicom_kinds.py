"""Which DICOM objects are read, and what is kept of what they say."""

import io
import struct

import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from shared.problems import ImageTooLarge, UnreadableImage, UnsupportedImage
from shared.radiograph import phantom
from shared.radiograph.intake import IntakeLimits, decode
from shared.radiograph.prepare import GrayPixels
from tests.unit.shared.radiograph.dicom_files import bytes_of, changed, dataset_of

STORAGE = "1.2.840.10008.5.1.4.1.1."
OTHERS = {
    "2": "CT", "2.1": "CT", "4": "MR", "4.1": "MR", "6.1": "ultrasound", "20": "NM", "128": "PET", "1.2": "mammogram",
    "1.3": "dental", "13.1.3": "tomosynthesis", "88.11": "report", "88.67": "report", "88.59": "key object",
    "104.1": "PDF", "11.1": "presentation state", "481.2": "RT", "481.5": "RT", "66.4": "segmentation",
    "77.1.4": "photograph", "9.1.1": "ECG", "99.99": "no radiograph",
}  # fmt: skip


@pytest.mark.parametrize("tail", OTHERS)
def test_other_classes_are_named_whatever_the_modality_says(knee: GrayPixels, tail: str) -> None:
    for modality in ("", "DX"):
        with pytest.raises(UnsupportedImage, match=OTHERS[tail]):
            decode(changed(knee, SOPClassUID=STORAGE + tail, Modality=modality))


@pytest.mark.parametrize("uid", [STORAGE + "1", STORAGE + "1.1.1", STORAGE + "7", STORAGE + "12.2", "1.2.3.4", None])
def test_radiographs_and_private_classes_are_read(knee: GrayPixels, uid: str | None) -> None:
    assert decode(changed(knee, SOPClassUID=uid)).pixels.shape == knee.shape


def test_a_dicomdir_is_a_table_of_contents(knee: GrayPixels) -> None:
    dataset = dataset_of(changed(knee, PixelData=None, SOPClassUID=None))
    for name in ("Rows", "Columns", "Modality"):
        delattr(dataset, name)
    dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.1.3.10")
    with pytest.raises(UnsupportedImage, match=r"DICOMDIR.*send the image files"):
        decode(bytes_of(dataset))


def test_an_icon_is_not_the_picture(knee: GrayPixels) -> None:
    icon = Dataset()
    icon.Rows, icon.Columns, icon.BitsAllocated, icon.PixelData = 4, 4, 8, bytes(16)
    icon["PixelData"].VR = "OB"
    with pytest.raises(UnsupportedImage, match="no pixels"):
        decode(changed(knee, PixelData=None, IconImageSequence=[icon]))
    whole = decode(changed(knee, IconImageSequence=[icon]))
    assert whole.pixels.shape == knee.shape


def test_what_the_file_says_of_its_patient_and_study(knee: GrayPixels) -> None:
    dataset = dataset_of(phantom.as_dicom(knee))
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName, dataset.PatientID, dataset.PatientSex = "Müller^Änne", " 47-11 ", "F"
    dataset.AccessionNumber, dataset.StudyDate, dataset.IssuerOfPatientID = "A1\0", "20260102", ""
    radiograph = decode(bytes_of(dataset))
    source = radiograph.source
    assert source is not None
    assert (source.patient_name, source.patient_id, source.patient_sex) == ("Müller^Änne", "47-11", "F")
    assert (source.accession, source.study_date, source.issuer_of_patient_id) == ("A1", "20260102", None)
    assert source.sop_class_uid == phantom.as_dicom.__globals__["DX_FOR_PRESENTATION"]
    assert source.study_uid == dataset.StudyInstanceUID
    assert (source.rows, source.columns, source.modality, source.image_laterality) == (300, 250, "DX", "R")
    assert radiograph.patient_orientation == ("L", "F")
    assert decode(phantom.as_jpeg(knee)).source is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("character_set", ["ISO_IR 192", "ISO_IR 999", "nonsense", "ISO 2022 IR 87"])
def test_texts_that_do_not_decode_are_absent_and_cost_nothing(knee: GrayPixels, character_set: str) -> None:
    dataset = dataset_of(phantom.as_dicom(knee))
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName, dataset.StudyInstanceUID = "Müller", "1.2.x"
    data = bytes_of(dataset)
    at = data.index(b"ISO_IR 100")
    data = data[: at - 2] + struct.pack("<H", len(character_set) // 2 * 2 + 2 * (len(character_set) % 2)) + (
        character_set.encode() + b" " * (len(character_set) % 2)
    ) + data[at + 10 :]  # fmt: skip
    source = decode(data).source
    assert source is not None
    assert source.study_uid is None
    assert source.patient_id == "QA-PHANTOM"


@pytest.mark.filterwarnings("ignore")
def test_long_and_hostile_texts_are_bounded(knee: GrayPixels) -> None:
    source = decode(changed(knee, PatientID="x" * 5000, PatientName="a\x07b", AccessionNumber="9" * 300)).source
    assert source is not None
    assert source.patient_id == "x" * 64
    assert source.patient_name is None
    assert source.accession == "9" * 16


@pytest.mark.parametrize(
    ("text", "years"), [("045Y", 45.0), ("018M", 1.5), ("026W", 0.5), ("010D", 0.03), ("", None), ("old", None),
                        ("999Y", None), ("45", 45.0)],
)  # fmt: skip
def test_ages(knee: GrayPixels, text: str, years: float | None) -> None:
    age = decode(changed(knee, PatientAge=text)).patient_age
    assert age is None if years is None else age == pytest.approx(years, abs=0.01)


@pytest.mark.parametrize(
    ("codes", "kept"), [(["A", "F"], ("A", "F")), (["l", "f"], ("L", "F")), (["L", ""], None), ("L", None)]
)
def test_orientation_is_kept_where_both_are_given(knee: GrayPixels, codes: object, kept: object) -> None:
    assert decode(changed(knee, PatientOrientation=codes)).patient_orientation == kept


def in_items(knee: GrayPixels, stream: bytes, syntax: str, **elements: object) -> bytes:
    dataset = dataset_of(changed(knee, **elements))
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    return bytes_of(dataset)


def test_uncompressed_pixels_in_items(knee: GrayPixels) -> None:
    native = dataset_of(phantom.as_dicom(knee)).PixelData
    data = in_items(knee, native, "1.2.840.10008.1.2.4.50")
    data = data.replace(b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.1\0\0\0")
    assert (decode(data).pixels == knee).all()


def test_a_baseline_jpeg_in_16_allocated_bits(knee: GrayPixels) -> None:
    data = in_items(
        knee, phantom.as_jpeg(knee, 95), "1.2.840.10008.1.2.4.50", BitsStored=8, HighBit=7, WindowCenter=None,
        WindowWidth=None,
    )  # fmt: skip
    assert abs(decode(data).pixels.astype(int) - knee).mean() < 15


def test_a_baseline_jpeg_that_is_called_lossless(knee: GrayPixels) -> None:
    data = in_items(
        knee, phantom.as_jpeg(knee, 95), "1.2.840.10008.1.2.4.70", BitsAllocated=8, BitsStored=8, HighBit=7,
        WindowCenter="128", WindowWidth="256",
    )  # fmt: skip
    assert abs(decode(data).pixels.astype(int) - knee).mean() < 1.5


def codestream(size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("L", size, 90).save(file, "JPEG2000", no_jp2=True)
    return file.getvalue()


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def test_a_second_codestream_hides_behind_no_false_header(knee: GrayPixels) -> None:
    """A JP2 file whose first box holds a small header, and whose codestream is large."""
    hidden = io.BytesIO()
    Image.new("L", (2000, 2000), 90).save(hidden, "JPEG2000")
    start = hidden.getvalue()[:12]
    evil = start + box(b"uuid", codestream((250, 300))) + hidden.getvalue()[12:]
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    with pytest.raises(UnsupportedImage, match="JP2"):
        decode(in_items(knee, evil, "1.2.840.10008.1.2.4.90", **eight))
    with pytest.raises(UnreadableImage, match="differ in size"):
        decode(in_items(knee, codestream((400, 300)), "1.2.840.10008.1.2.4.90", **eight))
    with pytest.raises(ImageTooLarge):
        decode(in_items(knee, codestream((2000, 2000)), "1.2.840.10008.1.2.4.90", **eight), IntakeLimits(10**6))


def test_a_large_jpeg_2000_is_halved_while_it_is_decoded() -> None:
    large = phantom.knee(size=(2400, 2000))
    file = io.BytesIO()
    Image.fromarray(large).save(file, "JPEG2000", no_jp2=True)
    data = in_items(
        large, file.getvalue(), "1.2.840.10008.1.2.4.91", BitsAllocated=8, BitsStored=8, HighBit=7, WindowCenter="128",
        WindowWidth="256",
    )  # fmt: skip
    radiograph = decode(data)
    plain = decode(phantom.as_dicom(large))
    assert radiograph.original_size == (2000, 2400)
    assert abs(radiograph.pixels.astype(int) - plain.pixels).mean() < 2
