"""What scanners, messengers and phones make: TIFF, WebP and HEIC, and photographs of a film."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from shared.problems import ImageTooLarge, UnreadableImage, UnsupportedImage
from shared.radiograph import phantom
from shared.radiograph.intake import IntakeLimits, decode
from shared.radiograph.more_rasters import webp_size
from shared.radiograph.prepare import GrayPixels
from tests.fuzz.inputs import interlaced_png, saved, sideways
from tests.unit.shared.radiograph.heic_file import SMALL_HEIC


def difference(data: bytes, knee: GrayPixels) -> float:
    return float(np.abs(decode(data).pixels.astype(int) - knee).mean())


def kinds(data: bytes) -> list[str]:
    return [warning.type for warning in decode(data).warnings]


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_tiff(knee: GrayPixels, mode: str, compression: str) -> None:
    data = saved(Image.fromarray(knee).convert(mode), "TIFF", compression=compression)
    radiograph = decode(data)
    assert (radiograph.format, radiograph.original_size, radiograph.coloured) == ("tiff", (250, 300), False)
    assert difference(data, knee) <= (1 if mode == "P" else 0)


def tiff16(pixels: GrayPixels, order: str, white_is_zero: bool) -> bytes:
    """A TIFF 6.0 file of one strip."""
    values = (pixels.astype(np.uint16) * 257).astype(f"{order}u2")
    height, width = pixels.shape
    tags = [(256, 4, width), (257, 4, height), (258, 3, 16), (259, 3, 1), (262, 3, 0 if white_is_zero else 1),
            (273, 4, 8 + 2 + 12 * 9 + 4), (277, 3, 1), (278, 4, height), (279, 4, values.nbytes)]  # fmt: skip
    short, long = f"{order}HHIHxx", f"{order}HHII"
    entries = b"".join(struct.pack(short if kind == 3 else long, tag, kind, 1, value) for tag, kind, value in tags)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    return head + entries + struct.pack(f"{order}I", 0) + values.tobytes()


@pytest.mark.parametrize(("order", "white_is_zero"), [("<", False), (">", False), ("<", True)])
def test_16_bit_tiff(knee: GrayPixels, order: str, white_is_zero: bool) -> None:
    data = tiff16(255 - knee if white_is_zero else knee, order, white_is_zero)
    assert difference(data, decode(phantom.as_png16(knee)).pixels) <= 1


def test_a_tiff_that_lies_on_its_side(knee: GrayPixels) -> None:
    data = saved(Image.fromarray(np.ascontiguousarray(np.rot90(knee))), "TIFF", exif=sideways())
    assert decode(data).original_size == (250, 300)
    assert difference(data, knee) == 0


def test_tiffs_that_are_not_read_are_named(knee: GrayPixels) -> None:
    picture = Image.fromarray(knee)
    pages = saved(picture, "TIFF", save_all=True, append_images=[picture])
    for data in (pages, saved(picture.convert("CMYK"), "TIFF"), saved(picture.convert("F"), "TIFF")):
        with pytest.raises(UnsupportedImage, match="TIFF"):
            decode(data)


def test_a_tiff_that_ends_before_its_rows(knee: GrayPixels) -> None:
    data = saved(Image.fromarray(knee), "TIFF")
    with pytest.raises(UnreadableImage):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp(knee: GrayPixels, mode: str) -> None:
    data = saved(Image.fromarray(knee).convert(mode), "WEBP", lossless=True)
    assert decode(data).format == "webp"
    assert difference(data, knee) == 0


def test_an_animated_webp_is_refused(knee: GrayPixels) -> None:
    pictures = [Image.fromarray(knee), Image.fromarray(255 - knee)]
    with pytest.raises(UnsupportedImage, match="animation"):
        decode(saved(pictures[0], "WEBP", save_all=True, append_images=pictures[1:]))


def test_heic() -> None:
    radiograph = decode(SMALL_HEIC)
    assert (radiograph.format, radiograph.original_size, radiograph.coloured) == ("heic", (40, 48), False)
    assert radiograph.pixels.std() > 30


@pytest.mark.parametrize("name", ["TIFF", "WebP", "HEIC picture"])
def test_sizes_are_checked_before_decoding(knee: GrayPixels, name: str) -> None:
    data = SMALL_HEIC if name.startswith("HEIC") else saved(Image.fromarray(knee), name.upper())
    with pytest.raises(ImageTooLarge, match=f"The {name} is"):
        decode(data, IntakeLimits(max_pixels=1000))


@pytest.mark.parametrize("tint", [(1.0, 0.93, 0.7), (0.7, 0.85, 1.0), (1.0, 0.8, 0.65)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_even_cast_is_a_photographed_film_and_no_colour(
    knee: GrayPixels, tint: tuple[float, ...], kind: str
) -> None:
    film = np.rint((40 + knee[..., np.newaxis] * 0.8) * tint).astype(np.uint8)
    data = saved(Image.fromarray(film), kind)
    assert not decode(data).coloured
    assert kinds(data) == ["photographed_film"]


def test_colour_that_varies_is_colour(knee: GrayPixels) -> None:
    photo = np.dstack([knee, np.roll(knee, 60, axis=1), 255 - knee])
    assert decode(saved(Image.fromarray(photo), "PNG")).coloured
    hot = np.asarray(cv2.applyColorMap(knee, cv2.COLORMAP_JET))
    assert decode(saved(Image.fromarray(hot), "PNG")).coloured


def test_a_picture_that_is_transparent_everywhere_is_shown(knee: GrayPixels) -> None:
    for alpha in (0, 40):
        clear = np.dstack([knee, knee, knee, np.full_like(knee, alpha)])
        assert difference(saved(Image.fromarray(clear), "PNG"), knee) == 0
    clear16 = np.dstack([knee.astype(np.uint16) * 257] * 3 + [np.zeros(knee.shape, np.uint16)])
    assert difference(cv2.imencode(".png", clear16)[1].tobytes(), decode(phantom.as_png16(knee)).pixels) <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_an_interlaced_png(knee: GrayPixels, channels: int) -> None:
    pixels = knee if channels == 1 else np.dstack([knee] * 3)
    assert difference(interlaced_png(pixels, 0 if channels == 1 else 2), knee) == 0


def test_an_interlaced_16_bit_png(knee: GrayPixels) -> None:
    deep = knee.astype(np.uint16) * 257
    assert difference(interlaced_png(deep, 0), decode(phantom.as_png16(knee)).pixels) == 0
    with pytest.raises(UnsupportedImage, match="interlaced"):
        decode(interlaced_png(np.dstack([deep] * 3), 2))


def test_a_marker_does_not_decide_the_contrast_of_a_16_bit_png(knee: GrayPixels) -> None:
    deep = knee.astype(np.uint16) * 16
    marked = deep.copy()
    marked[10:40, 5:30] = 65535
    plain, found = (decode(cv2.imencode(".png", picture)[1].tobytes()).pixels for picture in (deep, marked))
    assert np.abs(found[60:].astype(int) - plain[60:]).mean() < 1


def test_12_bit_values_squashed_into_8_bit_are_warned_of(knee: GrayPixels) -> None:
    assert kinds(saved(Image.fromarray(knee // 17), "PNG")) == ["low_contrast"]
    assert kinds(saved(Image.fromarray(knee), "PNG")) == []


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(2400, 1999), (1025, 3), (3, 2050)])
def test_strips_are_the_picture(mode: str, size: tuple[int, int]) -> None:
    """The reduction by strips is the reduction of the whole."""
    large = phantom.knee(size=(600, 500))
    image = Image.fromarray(cv2.resize(large, size)).convert(mode)
    pixels = decode(saved(image, "PNG")).pixels
    whole = np.asarray(image.convert("L"))
    expected = cv2.resize(whole, pixels.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(pixels.astype(int) - expected).mean() < 1


def test_a_marker_in_air_is_dimmed_and_metal_in_tissue_is_not(knee: GrayPixels) -> None:
    deep = knee.astype(np.uint16) * 16
    deep[10:40, 5:30] = 65535
    deep[140:150, 120:130] = 65535
    pixels = decode(cv2.imencode(".png", deep)[1].tobytes()).pixels
    assert pixels[20:30, 10:20].min() > 100
    assert pixels[10:40, 5:30].max() <= 128
    assert pixels[140:150, 120:130].min() == 255


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"lossless": True, "exif": sideways()}])
def test_a_webp_announces_its_size_in_its_first_chunk(knee: GrayPixels, options: dict[str, object]) -> None:
    data = saved(Image.fromarray(np.dstack([knee] * 3)), "WEBP", **options)
    assert webp_size(data) == (250, 300)
    huge = b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\xff\x3f\x00" * 2
    with pytest.raises(ImageTooLarge, match="16,384 x 16,384"):
        decode(huge)
