"""JPEG and PNG to gray working pixels. The size is checked before decoding; a truncated file is refused."""

import io
import warnings
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from shared.problems import UnsupportedImage
from shared.radiograph.codestream import checked_size, jpeg_size, png_size
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.radiograph import Format, Radiograph
from shared.radiograph.tones import fitted, stretched, working_size

# The sizes are checked against the intake's own limit first, so Pillow's warning about large pictures tells nothing.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# Mean difference of the strongest and the weakest colour channel, in gray levels. Stored radiographs have 0, tinted
# screenshots of radiographs up to about 4; of photographs nineteen in twenty have more.
COLOUR_THRESHOLD = 8.0
SIDEWAYS = frozenset({5, 6, 7, 8})


def read_jpeg(data: bytes, max_pixels: int) -> Radiograph:
    """A JPEG, decoded at half, quarter or eighth size where that is still at least the working size.

    Raises:
        UnreadableImage, ImageTooLarge: by the header.
        UnsupportedImage: CMYK or YCCK.
        OSError, SyntaxError, ValueError: Pillow's, for a damaged or truncated file.
    """
    checked_size(*jpeg_size(data), max_pixels)
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        size = checked_size(*image.size, max_pixels)
        if image.mode not in ("L", "RGB"):
            raise UnsupportedImage("The JPEG is in CMYK, a print format: save it as a grayscale JPEG or PNG.")
        image.draft(image.mode, working_size(*size))
        return radiograph_of(image, size, "jpeg")


def read_png(data: bytes, max_pixels: int) -> Radiograph:
    """A PNG of any kind: 1 to 16 bit, gray, palette or colour, with or without transparency (shown on black).

    Raises:
        UnreadableImage, ImageTooLarge: by the header.
        OSError, SyntaxError, ValueError: Pillow's, for a damaged or truncated file.
    """
    size = checked_size(*png_size(data), max_pixels)
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        image.verify()  # every chunk's checksum; the decoder itself would pass over damage in the pixels
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        checked_size(*image.size, max_pixels)
        if data[24] == 16:
            return deep_radiograph(data, image)
        return radiograph_of(with_plain_colours(image), size, "png")


def radiograph_of(image: Image.Image, size: tuple[int, int], kind: Format) -> Radiograph:
    """An 8-bit gray or RGB picture, upright by its EXIF orientation. `size` is the size before any reduced decode."""
    if orientation(image) in SIDEWAYS:
        size = size[1], size[0]
    pixels = np.asarray(ImageOps.exif_transpose(image))
    return Radiograph(gray(fitted(pixels)), kind, size, coloured=is_coloured(pixels))


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 is upright."""
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def with_plain_colours(image: Image.Image) -> Image.Image:
    """Any 8-bit mode as "L" or "RGB"; what is transparent becomes black, the colour of air."""
    exif = image.getexif()
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA"):
        colours = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", colours.size, "black"), colours)
    plain = image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")
    plain.getexif().update(exif)
    return plain


def deep_radiograph(data: bytes, image: Image.Image) -> Radiograph:
    """A 16-bit PNG. Pillow keeps all 16 bits of plain gray only, so the pixels come from OpenCV."""
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("the PNG decoder gave nothing")
    values = fitted(np.asarray(decoded))
    pixels = stretched(deep_gray(values))
    return Radiograph(pixels, "png", image.size, coloured=is_coloured(values[..., :3] / 257.0))


def deep_gray(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """16-bit gray, blue-green-red or blue-green-red-alpha as 16-bit gray; what is transparent becomes black."""
    if values.ndim == 2:
        return values
    colours = np.ascontiguousarray(values[..., :3])
    bright: npt.NDArray[Any] = np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY))
    return bright if values.shape[2] == 3 else bright * (values[..., 3] / 65535.0)


def gray(pixels: npt.NDArray[Any]) -> GrayPixels:
    """uint8 (height, width) as it is; (height, width, 3) by the luma weights of ITU-R BT.601."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels, np.uint8)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)


def is_coloured(pixels: npt.NDArray[Any]) -> bool:
    """Whether the mean colour of (height, width, 3), 0 to 255, is clearly above zero. Every fourth pixel is enough."""
    if pixels.ndim == 2:
        return False
    sample = pixels[::4, ::4].astype(np.float32)
    return bool((sample.max(axis=2) - sample.min(axis=2)).mean() > COLOUR_THRESHOLD)
