"""Files whose bits, padding, windows and tables are written as they should not be show the same picture."""

import numpy as np
import pytest
from pydicom import Dataset

from shared.problems import UnreadableImage
from shared.radiograph import phantom
from shared.radiograph.intake import decode
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.radiograph import Radiograph
from tests.unit.shared.radiograph.dicom_files import BIG_ENDIAN, bytes_of, changed, dataset_of, native

DEEPEST = 4095


def stored(knee: GrayPixels) -> np.ndarray:
    return dataset_of(phantom.as_dicom(knee)).pixel_array


def mean_difference(radiograph: Radiograph, knee: GrayPixels) -> float:
    return float(np.abs(radiograph.pixels.astype(float) - knee).mean())


def kinds(radiograph: Radiograph) -> list[str]:
    return [warning.type for warning in radiograph.warnings]


def with_text(knee: GrayPixels, **texts: bytes) -> bytes:
    """The phantom's DICOM with elements whose bytes no writer would write."""
    data = phantom.as_dicom(knee)
    dataset = dataset_of(data)
    for name, text in texts.items():
        element = dataset.get_item(name)
        tag = element.tag.group.to_bytes(2, "little") + element.tag.element.to_bytes(2, "little")
        at = data.index(tag)
        length = int.from_bytes(data[at + 6 : at + 8], "little")
        text += b" " * (len(text) % 2)
        data = data[: at + 6] + len(text).to_bytes(2, "little") + text + data[at + 8 + length :]
    return data


def test_pixels_at_the_high_end_of_their_words(knee: GrayPixels) -> None:
    data = changed(knee, HighBit=15, PixelData=(stored(knee) << 4).tobytes())
    assert mean_difference(decode(data), knee) < 0.1


def test_low_bits_below_left_aligned_pixels_are_not_shown(knee: GrayPixels) -> None:
    data = changed(knee, HighBit=15, PixelData=((stored(knee) << 4) | 5).tobytes())
    assert mean_difference(decode(data), knee) < 0.1


def test_a_high_bit_that_the_values_belie_is_not_believed(knee: GrayPixels) -> None:
    assert mean_difference(decode(changed(knee, HighBit=15)), knee) < 0.1


@pytest.mark.parametrize("factor", [2, 16])
def test_more_bits_than_bits_stored_do_not_wrap(knee: GrayPixels, factor: int) -> None:
    data = changed(
        knee,
        PixelData=(stored(knee) * factor).tobytes(),
        WindowCenter=str(2048 * factor),
        WindowWidth=str(4096 * factor),
    )
    assert mean_difference(decode(data), knee) < 0.5


def test_an_overlay_beside_more_bits_is_still_taken_away(knee: GrayPixels) -> None:
    values = stored(knee).copy()
    values[50:60, 100:140] |= 0x1000
    assert mean_difference(decode(changed(knee, PixelData=values.tobytes())), knee) == 0


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("slope", ["-1", "1"])
def test_padding_is_dark_whatever_turns_the_tones_round(knee: GrayPixels, photometric: str, slope: str) -> None:
    turned = (photometric == "MONOCHROME1") != (slope == "-1")
    values = np.asarray(DEEPEST - stored(knee) if turned else stored(knee), np.uint16)
    values[:, :20] = 0 if turned else DEEPEST
    data = changed(
        knee, PixelPaddingValue=int(values[0, 0]), RescaleSlope=slope, PhotometricInterpretation=photometric,
        RescaleIntercept="4095" if slope == "-1" else "0", PixelData=values.tobytes(),
    )  # fmt: skip
    pixels = decode(data).pixels
    assert pixels[:, :20].max() == 0
    assert np.abs(pixels[:, 20:].astype(int) - knee[:, 20:]).mean() < 2


def test_padding_above_the_bits_stored_is_found_before_these_are_cut(knee: GrayPixels) -> None:
    values = stored(knee).copy()
    values[:, 200:] = 65535
    pixels = decode(changed(knee, PixelPaddingValue=65535, PixelData=values.tobytes())).pixels
    assert pixels[:, 200:].max() == 0
    assert np.abs(pixels[:, :200].astype(int) - knee[:, :200]).max() == 0


def test_negative_padding_written_as_an_unsigned_number(knee: GrayPixels) -> None:
    values = stored(knee).astype(np.int16) - 2048
    values[:, 200:] = -32768
    data = changed(
        knee, PixelRepresentation=1, PixelPaddingValue=32768, RescaleIntercept="2048", PixelData=values.tobytes()
    )
    assert decode(data).pixels[:, 200:].max() == 0


@pytest.mark.parametrize(("bits", "most"), [(16, 4095), (8, 4095), (16, 1023)])
def test_a_table_whose_bits_are_not_those_it_says(knee: GrayPixels, bits: int, most: int) -> None:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4096, 0, bits], [round(i * most / 4095) for i in range(4096)]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    assert mean_difference(decode(changed(knee, VOILUTSequence=[item], WindowCenter=None, WindowWidth=None)), knee) < 1


def test_a_broken_table_gives_way_to_the_window(knee: GrayPixels) -> None:
    item = Dataset()
    item.LUTDescriptor = [4096, 0]
    item["LUTDescriptor"].VR = "US"
    assert mean_difference(decode(changed(knee, VOILUTSequence=[item])), knee) == 0


WINDOWS = {
    "8 bit on 12 bit": ("128", "256"), "16 bit on 12 bit": ("32768", "65536"), "narrow and high": ("3600", "400"),
    "far above": ("60000", "100"), "far below": ("-9000", "10"),
}  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_that_does_not_fit_is_set_aside_with_a_warning(knee: GrayPixels, window: str) -> None:
    centre, width = WINDOWS[window]
    radiograph = decode(changed(knee, WindowCenter=centre, WindowWidth=width))
    assert kinds(radiograph) == ["window_ignored"]
    assert mean_difference(radiograph, knee) < 15


@pytest.mark.parametrize("window", [("2048", "4096"), ("2000", "0"), ("2500", "3000"), ("1800", "5000")])
def test_a_window_that_fits_or_is_none_needs_no_warning(knee: GrayPixels, window: tuple[str, str]) -> None:
    assert kinds(decode(changed(knee, WindowCenter=window[0], WindowWidth=window[1]))) == []


def test_the_first_window_that_fits_of_several(knee: GrayPixels) -> None:
    radiograph = decode(changed(knee, WindowCenter=["128", "2048"], WindowWidth=["256", "4096"]))
    assert (kinds(radiograph), mean_difference(radiograph, knee)) == ([], 0)


@pytest.mark.parametrize("texts", [(b"2047,5", b"4096,0"), (b"\\2048", b"\\4096"), (b"wide\\2048", b"1e99\\4096")])
def test_windows_written_by_hand(knee: GrayPixels, texts: tuple[bytes, bytes]) -> None:
    data = with_text(knee, WindowCenter=texts[0], WindowWidth=texts[1])
    assert mean_difference(decode(data), knee) < 0.5


@pytest.mark.parametrize(
    "texts",
    [
        {"WindowCenter": b"middle", "WindowWidth": b"?"},
        {"RescaleSlope": b"NaN"},
        {"ImagerPixelSpacing": b"0.15"},
        {"SeriesNumber": b"first"},
    ],
)
def test_optional_elements_that_do_not_parse_are_passed_over(knee: GrayPixels, texts: dict[str, bytes]) -> None:
    assert decode(with_text(knee, **texts)).pixels.shape == knee.shape


def test_a_presentation_table_that_inverts(knee: GrayPixels) -> None:
    upside_down = np.asarray(DEEPEST - stored(knee), np.uint16).tobytes()
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        data = changed(
            knee, PresentationLUTShape="INVERSE", PhotometricInterpretation=photometric, PixelData=upside_down
        )
        assert mean_difference(decode(data), knee) == 0


def signal(knee: GrayPixels) -> np.ndarray:
    """What reaches a detector: much behind air and little behind bone."""
    return np.rint(4000 * np.exp(-3.0 * knee.astype(float) / 255.0)).astype(np.uint16)


@pytest.mark.parametrize(("relationship", "sign"), [("LIN", 1), ("LOG", -1), ("LOG", 1)])
def test_a_raw_picture_is_read_by_its_physics_with_a_warning(knee: GrayPixels, relationship: str, sign: int) -> None:
    values = signal(knee) if relationship == "LIN" else stored(knee) if sign == -1 else DEEPEST - stored(knee)
    dataset = dataset_of(
        changed(knee, WindowCenter=None, WindowWidth=None, PresentationIntentType="FOR PROCESSING",
                PixelIntensityRelationship=relationship, PixelData=values.astype(np.uint16).tobytes())
    )  # fmt: skip
    dataset.PixelIntensityRelationshipSign = sign
    radiograph = decode(bytes_of(dataset))
    assert kinds(radiograph) == ["not_for_presentation"]
    assert np.corrcoef(radiograph.pixels.ravel(), knee.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("element", ["PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"])
def test_pixels_that_are_not_square_are_made_so(knee: GrayPixels, element: str) -> None:
    low = np.ascontiguousarray(stored(knee)[::2])
    spacing: dict[str, object] = {"ImagerPixelSpacing": None, element: ["2", "1"]}
    radiograph = decode(changed(knee, Rows=150, PixelData=low.tobytes(), **spacing))
    assert radiograph.original_size == (250, 300)
    assert radiograph.pixels.shape == (300, 250)
    assert mean_difference(radiograph, knee) < 5
    expected = None if element == "PixelAspectRatio" else (1.0, 1.0)
    assert radiograph.pixel_spacing_mm == expected


def test_an_implausible_aspect_is_a_slip_of_the_pen(knee: GrayPixels) -> None:
    assert decode(changed(knee, PixelSpacing=["0.1", "100"])).original_size == (250, 300)


def test_a_marker_does_not_decide_the_contrast(knee: GrayPixels) -> None:
    plain = decode(changed(knee, WindowCenter=None, WindowWidth=None)).pixels
    values = stored(knee).copy()
    values[10:40, 5:30] = 65535
    marked = decode(
        changed(knee, WindowCenter=None, WindowWidth=None, BitsStored=16, HighBit=15, PixelData=values.tobytes())
    ).pixels
    assert np.abs(marked[60:].astype(int) - plain[60:]).mean() < 1


def test_few_levels_of_gray_are_warned_of(knee: GrayPixels) -> None:
    data = changed(knee, PixelData=(stored(knee) >> 8).tobytes(), WindowCenter="8", WindowWidth="16")
    assert kinds(decode(data)) == ["low_contrast"]


def test_big_endian_without_a_head(knee: GrayPixels) -> None:
    data = native(phantom.as_dicom(knee), BIG_ENDIAN)
    group_length = int.from_bytes(data[140:144], "little")
    assert mean_difference(decode(data[144 + group_length :]), knee) == 0


def test_fewer_pixels_than_the_header_says(knee: GrayPixels) -> None:
    with pytest.raises(UnreadableImage, match="fewer pixels"):
        decode(changed(knee, PixelData=stored(knee).tobytes()[:-500]))
