"""What is not a readable radiograph is refused with one sentence that names the cure; nothing else is ever raised."""

import io

import numpy as np
import pytest
from PIL import Image

from shared.problems import ImageTooLarge, TrabeculaError, UnreadableImage, UnsupportedImage
from shared.radiograph import phantom
from shared.radiograph.intake import IntakeLimits, decode
from shared.radiograph.jpeg_stream import MAX_SCANS
from shared.radiograph.prepare import GrayPixels
from tests.unit.shared.radiograph.dicom_files import bytes_of, changed, dataset_of, with_syntax

CURES = ("send", "export", "save")


def saved(kind: str, mode: str = "L") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (32, 24), 100 if mode == "L" else (90, 120, 60, 10)[: len(mode)]).save(file, kind)
    return file.getvalue()


def refused(data: bytes, kind: type[TrabeculaError], *words: str) -> None:
    with pytest.raises(kind) as caught:
        decode(data)
    detail = caught.value.detail
    assert type(caught.value) is kind
    assert any(cure in detail for cure in CURES), detail
    assert detail.endswith(".")
    for word in words:
        assert word in detail


def test_zero_bytes() -> None:
    refused(b"", UnreadableImage, "empty")


@pytest.mark.parametrize("data", [b"\x00" * 5000, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"DICM" * 40])
def test_not_an_image(data: bytes) -> None:
    refused(data, UnreadableImage)


@pytest.mark.parametrize("kind", ["BMP", "GIF", "PDF"])
def test_other_kinds_are_named(kind: str) -> None:
    refused(saved(kind), UnsupportedImage, kind)


@pytest.mark.parametrize("make", [phantom.as_jpeg, phantom.as_png16, phantom.as_dicom])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_truncated(knee: GrayPixels, make: object, share: float) -> None:
    data = make(knee)  # type: ignore[operator]
    refused(data[: int(len(data) * share)], UnreadableImage)


def test_a_damaged_png_is_refused_by_its_checksums(knee: GrayPixels) -> None:
    data = bytearray(phantom.as_png16(knee))
    data[len(data) // 2] ^= 1
    refused(bytes(data), UnreadableImage)


def test_cmyk() -> None:
    refused(saved("JPEG", "CMYK"), UnsupportedImage, "CMYK")


def test_a_progressive_jpeg_with_endless_scans() -> None:
    file = io.BytesIO()
    Image.new("L", (64, 64)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    scan = data.rfind(b"\xff\xda")
    refused(data[:-2] + data[scan:-2] * MAX_SCANS + b"\xff\xd9", UnreadableImage, "scans")


def test_too_many_pixels_names_the_size_and_the_limit(knee: GrayPixels) -> None:
    for data in (phantom.as_jpeg(knee), phantom.as_png16(knee), phantom.as_dicom(knee)):
        with pytest.raises(ImageTooLarge, match=r"250 x 300 pixels and at most 0\.05 megapixels"):
            decode(data, IntakeLimits(max_pixels=50_000))
        assert decode(data, IntakeLimits(max_pixels=75_000)).original_size == (250, 300)


def test_dicom_without_pixels(knee: GrayPixels) -> None:
    refused(changed(knee, PixelData=None), UnsupportedImage, "no pixels")


def test_multi_frame_dicom(knee: GrayPixels) -> None:
    dataset = dataset_of(phantom.as_dicom(knee))
    dataset.NumberOfFrames, dataset.PixelData = 2, dataset.PixelData * 2
    refused(bytes_of(dataset), UnsupportedImage, "frames")


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.102", "1.2.3.4.5"])
def test_unknown_transfer_syntax(knee: GrayPixels, syntax: str) -> None:
    refused(with_syntax(phantom.as_dicom(knee), syntax), UnsupportedImage, syntax)


def test_deflated_dicom_is_never_inflated(knee: GrayPixels) -> None:
    refused(with_syntax(phantom.as_dicom(knee), "1.2.840.10008.1.2.1.99"), UnsupportedImage, "deflated")


@pytest.mark.parametrize("modality", ["CT", "MR", "US", "MG"])
def test_other_modalities(knee: GrayPixels, modality: str) -> None:
    refused(changed(knee, Modality=modality), UnsupportedImage, modality)


@pytest.mark.parametrize("modality", ["CR", "DX", "RF", "XA", "OT", "SC", "", None])
def test_projection_radiography_is_read_whatever_it_is_called(knee: GrayPixels, modality: str | None) -> None:
    assert decode(changed(knee, Modality=modality)).pixels.shape == knee.shape


@pytest.mark.parametrize(
    "elements",
    [
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3},
        {"BitsAllocated": 32},
        {"BitsAllocated": 1},
        {"BurnedInAnnotation": "YES"},
    ],
)
def test_other_pixels(knee: GrayPixels, elements: dict[str, object]) -> None:
    refused(changed(knee, **elements), UnsupportedImage)


def test_rows_that_do_not_fit_the_pixels(knee: GrayPixels) -> None:
    refused(changed(knee, Rows=5000), UnreadableImage)
    refused(changed(knee, Rows=0), UnreadableImage)


def test_pixels_that_cost_more_memory_are_read_in_smaller_number(knee: GrayPixels) -> None:
    limits = IntakeLimits(max_pixels=75_000, max_bytes=300_000)
    colour = changed(
        knee, Modality="SC", PhotometricInterpretation="RGB", SamplesPerPixel=3, PlanarConfiguration=0,
        BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=np.dstack([knee] * 3).tobytes(),
    )  # fmt: skip
    with pytest.raises(ImageTooLarge, match="colour picture is 250 x 300"):
        decode(colour, limits)
    file = io.BytesIO()
    Image.fromarray(np.dstack([knee] * 3)).save(file, "WEBP")
    with pytest.raises(ImageTooLarge, match="WebP is 250 x 300"):
        decode(file.getvalue(), limits)
