"""Damaged files of every kind only ever raise a TrabeculaError."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.problems import TrabeculaError
from shared.radiograph import phantom
from shared.radiograph.intake import IntakeLimits, decode

PIXELS = phantom.knee(size=(60, 50))
LIMITS = IntakeLimits(max_pixels=1_000_000)


def saved(mode: str, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **options)
    return file.getvalue()


def sideways() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


FILES = {
    "gray jpeg": phantom.as_jpeg(PIXELS),
    "progressive jpeg": saved("RGB", "JPEG", progressive=True),
    "jpeg with orientation": saved("L", "JPEG", exif=sideways()),
    "16-bit png": phantom.as_png16(PIXELS),
    "palette png": saved("P", "PNG"),
    "png with alpha": saved("RGBA", "PNG"),
    "dicom": phantom.as_dicom(PIXELS),
    "inverted dicom": phantom.as_dicom(PIXELS, "MONOCHROME1"),
}  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(sorted(FILES.values()))))
    # The headers are where decoders differ; the pixels are most of the file.
    last = draw(st.sampled_from([200, 1200, len(data)]))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, min(last, len(data)) - 1))
        data[at] ^= draw(st.integers(1, 255))
    return bytes(data[: draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))])


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged())
def test_damaged_files(data: bytes) -> None:
    try:
        radiograph = decode(data, LIMITS)
    except TrabeculaError:
        return
    assert radiograph.pixels.size > 0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", bytes(128) + b"DICM"]), st.binary(max_size=400))
@pytest.mark.filterwarnings("ignore")
def test_noise_behind_a_magic_number(magic: bytes, noise: bytes) -> None:
    with pytest.raises(TrabeculaError):
        decode(magic + noise)
