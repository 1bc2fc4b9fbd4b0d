"""A whole file is never called damaged: it is named, and the cure is given."""

import gzip
import io
import zipfile

import pytest

from shared.problems import TrabeculaError, UnreadableImage, UnsupportedImage
from shared.radiograph import phantom
from shared.radiograph.intake import decode
from shared.radiograph.prepare import GrayPixels


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.dcm", b"x")
    return file.getvalue()


KINDS = {
    "gzip": gzip.compress(b"knee" * 500), "ZIP": zipped(), "7z": b"7z\xbc\xaf\x27\x1c" + bytes(90),
    "RAR": b"Rar!\x1a\x07\x01\x00" + bytes(90),
    "tar": bytes(257) + b"ustar" + bytes(300), "bzip2": b"BZh91AY&SY" + bytes(90),
    "xz": b"\xfd7zXZ\x00" + bytes(90), "Zstandard": b"\x28\xb5\x2f\xfd" + bytes(90),
    "HTML": b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "XML": b"\xef\xbb\xbf<?xml version='1.0'?><a/>",
    "SVG": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "JSON": b"\xef\xbb\xbf{\"00080060\": {}}", "JSON document": b"[1, 2]", "plain text": "Grüße".encode(),
    "plain text ": "Befund: Knie".encode("utf-16"), "BigTIFF": b"II+\x00\x08\x00" + bytes(90),
    "JPEG XL": b"\xff\x0a" + bytes(90), "JPEG XL ": b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(90),
    "JPEG 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(90), "NIfTI": bytes(344) + b"n+1\x00" + bytes(9),
    "NRRD": b"NRRD0004\n" + bytes(90), "MHA": b"ObjectType = Image\nNDims = 3\n", "PSD": b"8BPS\x00\x01" + bytes(90),
    "PGM": b"P5\n10 10\n255\n" + bytes(100), "PPM": b"P3 1 1 255 0 0 0", "PBM": b"P4\n8 1\n\x00",
    "WebM": b"\x1aE\xdf\xa3" + bytes(90), "MP4": b"\x00\x00\x00\x18ftypmp42" + bytes(90),
    "QuickTime": b"\x00\x00\x00\x08wide" + bytes(90), "AVI": b"RIFF\x10\x00\x00\x00AVI LIST" + bytes(90),
    "RTF": b"{\\rtf1 Befund}", "Office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(90), "PDF": b"%PDF-1.7\n",
    "EXE": b"MZ\x90\x00" + bytes(90), "ELF": b"\x7fELF" + bytes(90), "ICO": b"\x00\x00\x01\x00\x01\x00" + bytes(90),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(90), "AVIF": b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00avifmiaf" + bytes(90),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_other_kinds_are_named(name: str) -> None:
    with pytest.raises(UnsupportedImage) as caught:
        decode(KINDS[name])
    detail = caught.value.detail
    assert name.strip() in detail
    assert "damaged" not in detail
    assert "send" in detail or "save" in detail


@pytest.mark.parametrize("data", [b"\x00" * 5000, b"\x80\x81" * 50, bytes(range(256))])
def test_what_is_not_known_is_no_image(data: bytes) -> None:
    with pytest.raises(UnreadableImage, match="not an image that is known"):
        decode(data)


def test_the_cases_are_what_no_reader_takes(knee: GrayPixels) -> None:
    for data in (phantom.as_jpeg(knee), phantom.as_png16(knee), phantom.as_dicom(knee)):
        try:
            decode(data)
        except TrabeculaError as error:
            pytest.fail(error.detail)
