"""JPEG streams are walked as libjpeg walks them, and what cannot be decoded is named."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from shared.problems import ImageTooLarge, UnreadableImage, UnsupportedImage
from shared.radiograph import phantom
from shared.radiograph.intake import IntakeLimits, decode
from shared.radiograph.jpeg_stream import MAX_SCANS, jpeg_of
from shared.radiograph.prepare import GrayPixels

JFIF_END = 20


@pytest.fixture(scope="module")
def jpeg(knee: GrayPixels) -> bytes:
    return phantom.as_jpeg(knee)


def with_process(jpeg: bytes, marker: int, precision: int = 8) -> bytes:
    data = bytearray(jpeg)
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = marker, precision
    return bytes(data)


def same(data: bytes, jpeg: bytes) -> bool:
    return bool((decode(data).pixels == decode(jpeg).pixels).all())


def test_junk_between_segments_is_passed_over(jpeg: bytes) -> None:
    assert same(jpeg[:JFIF_END] + b"\x00\x00\x00" + jpeg[JFIF_END:], jpeg)
    assert same(jpeg[:JFIF_END] + b"\xff\xff\xff" + jpeg[JFIF_END:], jpeg)


def test_an_adobe_segment_of_a_wrong_length(jpeg: bytes) -> None:
    assert same(jpeg[:2] + b"\xff\xee\x00\x07Adobe\x00\x00\x00\x00\x00" + jpeg[2:], jpeg)


@pytest.mark.parametrize("tail", [b"\xff\xda" * 500, b"ftypmp42" + b"\xff\xda\x00\x0c" * 400, b"\xff\xd8\xff\xe0" * 9])
def test_what_lies_behind_the_picture_is_not_counted(jpeg: bytes, tail: bytes) -> None:
    assert same(jpeg + tail, jpeg)


def test_scan_markers_inside_a_comment_are_not_counted(jpeg: bytes) -> None:
    assert same(jpeg[:2] + b"\xff\xfe\x0f\xa2" + b"\xff\xda" * 2000 + jpeg[2:], jpeg)


def test_a_second_picture_inside_the_first_is_refused(jpeg: bytes) -> None:
    frame = jpeg[jpeg.index(b"\xff\xc0") :][:13]
    with pytest.raises(UnsupportedImage, match="second picture"):
        decode(jpeg[:JFIF_END] + frame + jpeg[JFIF_END:])
    with pytest.raises(UnsupportedImage, match="second picture"):
        decode(jpeg[:-2] + jpeg)


def test_two_pictures_one_after_the_other_are_the_first(knee: GrayPixels, jpeg: bytes) -> None:
    """As phones keep several pictures in one file (MPO)."""
    file = io.BytesIO()
    first = Image.fromarray(knee)
    first.save(file, "MPO", save_all=True, append_images=[Image.fromarray(255 - knee)], quality=90)
    assert np.abs(decode(file.getvalue()).pixels.astype(int) - knee).mean() < 1.5


@pytest.mark.parametrize(
    ("marker", "precision", "name"),
    [(0xC1, 12, "12-bit JPEG"), (0xC3, 8, "lossless JPEG"), (0xC9, 8, "arithmetic"), (0xCA, 8, "arithmetic"),
     (0xC5, 8, "hierarchical"), (0xF7, 8, "JPEG-LS")],
)  # fmt: skip
def test_processes_that_are_not_read_are_named(jpeg: bytes, marker: int, precision: int, name: str) -> None:
    with pytest.raises(UnsupportedImage, match=name):
        decode(with_process(jpeg, marker, precision))


def test_the_walk_takes_linear_time() -> None:
    start = time.monotonic()
    for filling in (b"\xff\x00", b"\xff\xff", b"\xff\xd0", b"\xff\xe0\x00\x02"):
        with pytest.raises(UnreadableImage):
            jpeg_of(b"\xff\xd8\xff" + filling * (20_000_000 // len(filling)))
    assert time.monotonic() - start < 5


def test_scans_are_bounded(knee: GrayPixels) -> None:
    file = io.BytesIO()
    Image.fromarray(knee).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    scan = data.rindex(b"\xff\xda")
    with pytest.raises(UnreadableImage, match="scans"):
        decode(data[:-2] + data[scan:-2] * MAX_SCANS + b"\xff\xd9")


def test_a_picture_of_several_scans_is_limited_by_its_coefficients(knee: GrayPixels) -> None:
    file = io.BytesIO()
    Image.fromarray(np.dstack([knee] * 3)).save(file, "JPEG", progressive=True, subsampling=0)
    with pytest.raises(ImageTooLarge, match="progressive JPEG is 250 x 300"):
        decode(file.getvalue(), IntakeLimits(max_bytes=6 * 75_000 - 1))
    assert decode(file.getvalue(), IntakeLimits(max_bytes=6 * 75_000)).original_size == (250, 300)
