"""Every transfer syntax and every tone transform gives the phantom back."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from shared.problems import UnreadableImage, UnsupportedImage
from shared.radiograph import phantom
from shared.radiograph.intake import decode
from shared.radiograph.prepare import GrayPixels
from tests.unit.shared.radiograph.dicom_files import (
    BIG_ENDIAN,
    COMPRESSED,
    EXPLICIT,
    IMPLICIT,
    LOSSY,
    bytes_of,
    changed,
    compressed,
    dataset_of,
    native,
)  # fmt: skip

DEEPEST = 4095


def stored(knee: GrayPixels) -> np.ndarray:
    return dataset_of(phantom.as_dicom(knee)).pixel_array


def differs(pixels: GrayPixels, expected: np.ndarray) -> float:
    return float(np.abs(pixels.astype(float) - expected).max())


def test_what_the_file_says_is_kept(knee: GrayPixels) -> None:
    radiograph = decode(phantom.as_dicom(knee, pixel_mm=0.5))
    assert (radiograph.format, radiograph.body_part, radiograph.view) == ("dicom", "KNEE", "AP")
    assert radiograph.laterality == "right"
    assert radiograph.pixel_spacing_mm == (0.5, 0.5)
    assert not radiograph.coloured


def test_a_large_one_is_reduced_with_its_spacing() -> None:
    radiograph = decode(phantom.as_dicom(phantom.knee(size=(2048, 1024)), pixel_mm=0.2))
    assert radiograph.pixels.shape == (1024, 512)
    assert radiograph.original_size == (1024, 2048)
    assert radiograph.pixel_spacing_mm == pytest.approx((0.4, 0.4))


@pytest.mark.parametrize("elements", [{"ImagerPixelSpacing": None}, {"ImagerPixelSpacing": ["0", "0"]}])
def test_no_usable_spacing(knee: GrayPixels, elements: dict[str, object]) -> None:
    assert decode(changed(knee, **elements)).pixel_spacing_mm is None


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN])
def test_uncompressed(knee: GrayPixels, syntax: str) -> None:
    assert differs(decode(native(phantom.as_dicom(knee), syntax)).pixels, knee) == 0


@pytest.mark.parametrize("syntax", COMPRESSED, ids=COMPRESSED.get)
def test_lossless(knee: GrayPixels, syntax: str, tmp_path: Path) -> None:
    assert differs(decode(compressed(phantom.as_dicom(knee), syntax, tmp_path)).pixels, knee) == 0


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91"], ids=LOSSY.get)
def test_lossy(knee: GrayPixels, syntax: str, tmp_path: Path) -> None:
    pixels = decode(compressed(phantom.as_dicom(knee), syntax, tmp_path)).pixels
    assert np.abs(pixels.astype(int) - knee).mean() < 2


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"])
def test_8_bit_jpeg(knee: GrayPixels, syntax: str) -> None:
    pixels = decode(in_jpeg(knee, syntax)).pixels
    assert np.abs(pixels.astype(int) - knee).mean() < 1.5


def in_jpeg(knee: GrayPixels, syntax: str) -> bytes:
    dataset = dataset_of(phantom.as_dicom(knee))
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.WindowCenter, dataset.WindowWidth = "128", "256"
    dataset.PixelData = encapsulate([phantom.as_jpeg(knee, quality=95)])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    return bytes_of(dataset)


def test_12_bit_jpeg_is_refused_with_the_cure(knee: GrayPixels, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedImage, match=r"1[26]-bit JPEG"):
        decode(compressed(phantom.as_dicom(knee), "1.2.840.10008.1.2.4.51", tmp_path))


def test_a_crash_of_the_codec_costs_one_upload(knee: GrayPixels, tmp_path: Path) -> None:
    data = bytearray(compressed(phantom.as_dicom(knee), "1.2.840.10008.1.2.4.70", tmp_path))
    scan = data.find(b"\xff\xda", data.find(b"\xff\xc3"))
    data[scan + 2 :] = bytes(len(data) - scan - 2)
    with pytest.raises(UnreadableImage):
        decode(bytes(data))


def test_a_file_without_preamble(knee: GrayPixels) -> None:
    assert differs(decode(phantom.as_dicom(knee)[132:]).pixels, knee) == 0


def test_a_data_set_alone(knee: GrayPixels) -> None:
    file = io.BytesIO()
    dataset = Dataset()
    dataset.update({element.tag: element for element in dataset_of(phantom.as_dicom(knee))})
    dataset.save_as(file, implicit_vr=True, little_endian=True)
    assert differs(decode(file.getvalue()).pixels, knee) == 0


def test_monochrome1_is_shown_like_monochrome2(knee: GrayPixels) -> None:
    dark, bright = (decode(phantom.as_dicom(knee, kind)).pixels for kind in ("MONOCHROME1", "MONOCHROME2"))
    assert differs(dark, bright) == 0


def test_monochrome1_without_a_window(knee: GrayPixels) -> None:
    inverted = np.asarray(DEEPEST - stored(knee), np.uint16)
    plain = changed(knee, WindowCenter=None, WindowWidth=None)
    upside_down = changed(
        knee, WindowCenter=None, WindowWidth=None, PhotometricInterpretation="MONOCHROME1", PixelData=inverted.tobytes()
    )
    assert differs(decode(plain).pixels, decode(upside_down).pixels) <= 1


def test_no_window_is_scaled_by_percentiles(knee: GrayPixels) -> None:
    pixels = decode(changed(knee, WindowCenter=None, WindowWidth=None)).pixels
    low, high = np.percentile(stored(knee), (0.5, 99.5))
    assert differs(pixels, np.clip((stored(knee) - low) / (high - low), 0, 1) * 255) <= 1


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows(knee: GrayPixels, function: str) -> None:
    values = stored(knee).astype(float)
    pixels = decode(changed(knee, WindowCenter="2000", WindowWidth="2400", VOILUTFunction=function)).pixels
    shares = {
        "LINEAR": (values - 1999.5) / 2399 + 0.5,
        "LINEAR_EXACT": (values - 2000) / 2400 + 0.5,
        "SIGMOID": 1 / (1 + np.exp(-4 * (values - 2000) / 2400)),
    }[function]
    assert differs(pixels, np.clip(shares, 0, 1) * 255) <= 1


def test_the_first_of_several_windows(knee: GrayPixels) -> None:
    assert differs(decode(changed(knee, WindowCenter=["2048", "1"], WindowWidth=["4096", "2"])).pixels, knee) == 0


@pytest.mark.parametrize("window", [("-9000", "10"), ("2000", "0"), ("2000", "-5")])
def test_a_window_that_shows_nothing_is_not_used(knee: GrayPixels, window: tuple[str, str]) -> None:
    pixels = decode(changed(knee, WindowCenter=window[0], WindowWidth=window[1])).pixels
    assert pixels.max() - pixels.min() == 255


def test_rescale_comes_before_the_window(knee: GrayPixels) -> None:
    data = changed(knee, RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="3096", WindowWidth="8192")
    assert differs(decode(data).pixels, knee) <= 1


def table(first: int, entries: list[int], bits: int, as_bytes: bool) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.asarray(entries, "<u2").tobytes() if as_bytes else entries
    item["LUTData"].VR = "OW" if as_bytes else "US"
    return item


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
@pytest.mark.parametrize("as_bytes", [False, True])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_voi_table(knee: GrayPixels, bits: int, as_bytes: bool, syntax: str) -> None:
    curve = np.sqrt(np.arange(4096) / DEEPEST)
    item = table(0, [round(v * (2**bits - 1)) for v in curve], bits, as_bytes and syntax != BIG_ENDIAN)
    pixels = decode(native(changed(knee, VOILUTSequence=[item]), syntax)).pixels
    assert differs(pixels, curve[stored(knee)] * 255) <= 1.5


def test_a_voi_table_starts_where_it_says(knee: GrayPixels) -> None:
    item = table(1000, list(range(0, 4096, 2)), 12, as_bytes=False)
    pixels = decode(changed(knee, VOILUTSequence=[item])).pixels
    assert differs(pixels, np.clip(stored(knee).astype(float) - 1000, 0, 2047) * 2 / DEEPEST * 255) <= 1


def test_modality_table(knee: GrayPixels) -> None:
    item = table(0, list(range(DEEPEST, -1, -1)), 12, as_bytes=False)
    data = changed(knee, ModalityLUTSequence=[item], RescaleSlope=None, RescaleIntercept=None)
    assert differs(decode(data).pixels, 255 - knee.astype(int)) <= 1


def test_overlay_bits_are_not_shown(knee: GrayPixels) -> None:
    with_overlay = stored(knee).copy()
    with_overlay[50:60] |= 0x8000
    assert differs(decode(changed(knee, PixelData=with_overlay.tobytes())).pixels, knee) == 0


def test_signed_values(knee: GrayPixels) -> None:
    signed = stored(knee).astype(np.int16) - 2048
    data = changed(knee, PixelRepresentation=1, PixelData=signed.tobytes(), RescaleIntercept="2048")
    assert differs(decode(data).pixels, knee) == 0


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_dark_and_does_not_decide_the_contrast(knee: GrayPixels, photometric: str) -> None:
    values = stored(knee).copy()
    values[:, :20] = 0 if photometric == "MONOCHROME1" else DEEPEST
    data = changed(
        knee, PixelPaddingValue=int(values[0, 0]), WindowCenter=None, WindowWidth=None,
        PhotometricInterpretation=photometric, PixelData=values.tobytes(),
    )  # fmt: skip
    pixels = decode(data).pixels
    assert pixels[:, :20].max() == 0
    assert pixels[:, 20:].max() == 255


def test_simple_colour_is_read_as_gray(knee: GrayPixels) -> None:
    picture = np.asarray(Image.fromarray(knee).convert("RGB"))
    data = changed(
        knee, Modality="SC", PhotometricInterpretation="RGB", SamplesPerPixel=3, PlanarConfiguration=0,
        BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=picture.tobytes(),
    )  # fmt: skip
    assert differs(decode(data).pixels, knee) == 0


def test_sides(knee: GrayPixels) -> None:
    sides = [decode(changed(knee, ImageLaterality=code)).laterality for code in ("L", "R", "B", "U", "")]
    assert sides == ["left", "right", None, None, None]


@pytest.mark.parametrize(
    ("elements", "wanted"),
    [
        ({}, (2048.0, 4096.0, False)),
        ({"WindowWidth": "0"}, (None, None, False)),
        ({"WindowCenter": ["40", "2048"], "WindowWidth": ["400", "4096"]}, (40.0, 400.0, False)),
    ],
)
def test_how_the_file_is_shown_is_known_afterwards(
    knee: GrayPixels, elements: dict[str, object], wanted: tuple[float | None, float | None, bool]
) -> None:
    source = decode(changed(knee, **elements)).source
    assert source is not None
    assert source.grayscale is not None
    shown = source.grayscale
    assert (shown.window_center, shown.window_width, shown.has_table) == wanted
    assert (shown.photometric, shown.rescale_slope, shown.rescale_intercept) == ("MONOCHROME2", 1.0, 0.0)
