"""JPEG and PNG of every kind become the same gray pixels."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from shared.radiograph import WORKING_SIZE, phantom
from shared.radiograph.intake import decode
from shared.radiograph.prepare import GrayPixels


def png(pixels: GrayPixels, mode: str) -> bytes:
    return saved(Image.fromarray(pixels).convert(mode), "PNG")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_every_png_mode_gives_the_gray_pixels(knee: GrayPixels, mode: str) -> None:
    radiograph = decode(png(knee, mode))
    assert np.abs(radiograph.pixels.astype(int) - knee).max() <= (2 if mode == "P" else 0)
    assert (radiograph.format, radiograph.original_size, radiograph.coloured) == ("png", (250, 300), False)


def test_one_bit_png_is_black_and_white(knee: GrayPixels) -> None:
    assert set(np.unique(decode(png(knee, "1")).pixels)) == {0, 255}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_png_is_scaled_linearly(knee: GrayPixels, channels: int) -> None:
    deep = knee.astype(np.uint16) * 16  # 12 of the 16 bits, as detectors store them
    if channels == 4:
        deep = np.dstack([deep, deep, deep, np.full_like(deep, 65535)])
    elif channels == 3:
        deep = np.dstack([deep, deep, deep])
    pixels = decode(cv2.imencode(".png", deep)[1].tobytes()).pixels
    low, high = np.percentile(knee, (0.5, 99.5))
    expected = np.clip((knee - low) / (high - low), 0, 1) * 255
    assert np.abs(pixels - expected).max() <= 1


def test_a_constant_16_bit_png_is_black() -> None:
    flat = np.full((40, 30), 30_000, np.uint16)
    assert decode(cv2.imencode(".png", flat)[1].tobytes()).pixels.max() == 0


def test_what_is_transparent_is_air() -> None:
    picture = np.full((20, 20, 4), 255, np.uint8)
    picture[:, :10, 3] = 0
    pixels = decode(saved(Image.fromarray(picture), "PNG")).pixels
    assert pixels[:, :10].max() == 0
    assert pixels[:, 10:].min() == 255


def test_a_palette_with_a_transparent_colour(knee: GrayPixels) -> None:
    image = Image.fromarray(knee).convert("P")
    pixels = decode(saved(image, "PNG", transparency=0)).pixels
    assert pixels.shape == knee.shape


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg(knee: GrayPixels, mode: str, progressive: bool) -> None:
    data = saved(Image.fromarray(knee).convert(mode), "JPEG", quality=95, progressive=progressive)
    radiograph = decode(data)
    assert np.abs(radiograph.pixels.astype(int) - knee).mean() < 1.5
    assert (radiograph.format, radiograph.coloured) == ("jpeg", False)


def test_a_large_jpeg_is_reduced_to_working_size() -> None:
    large = phantom.knee(size=(2400, 2000))
    radiograph = decode(phantom.as_jpeg(large))
    assert radiograph.original_size == (2000, 2400)
    assert radiograph.pixels.shape == (WORKING_SIZE, 853)
    plain = cv2.resize(large, (853, WORKING_SIZE), interpolation=cv2.INTER_AREA)
    assert np.abs(radiograph.pixels.astype(int) - plain).mean() < 1.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(knee: GrayPixels, orientation: int) -> None:
    turned = {1: knee, 2: knee[:, ::-1], 3: knee[::-1, ::-1], 4: knee[::-1], 5: knee.T, 6: np.rot90(knee),
              7: np.rot90(knee, 2).T, 8: np.rot90(knee, -1)}[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(np.ascontiguousarray(turned)), "JPEG", quality=95, exif=exif)
    radiograph = decode(data)
    assert radiograph.original_size == (250, 300)
    assert np.abs(radiograph.pixels.astype(int) - knee).mean() < 2


def test_exif_orientation_of_a_png_is_applied(knee: GrayPixels) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(knee))).convert("P")
    radiograph = decode(saved(turned, "PNG", exif=exif))
    assert radiograph.original_size == (250, 300)
    assert np.abs(radiograph.pixels.astype(int) - knee).max() <= 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photograph_is_coloured(kind: str) -> None:
    sky = np.zeros((64, 64, 3), np.uint8)
    sky[..., 2] = np.linspace(60, 250, 64, dtype=np.uint8)
    assert decode(saved(Image.fromarray(sky), kind)).coloured


def test_one_pixel_is_an_image() -> None:
    assert decode(saved(Image.new("L", (1, 1), 7), "PNG")).pixels.tolist() == [[7]]
