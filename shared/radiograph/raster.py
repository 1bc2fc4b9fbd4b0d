"""JPEG and PNG to gray working pixels. The size is checked before decoding; a truncated file is refused."""

import io
import warnings
from dataclasses import replace

import numpy as np
from PIL import ExifTags, Image

from shared.problems import UnsupportedImage
from shared.radiograph.colour import gray, judged_colour
from shared.radiograph.jpeg_quality import jpeg_quality
from shared.radiograph.jpeg_stream import Jpeg, jpeg_of, refuse_other_processes
from shared.radiograph.limits import IntakeLimits, checked_size
from shared.radiograph.png_shown import shown_png
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.radiograph import Format, Radiograph
from shared.radiograph.reduction import fitted
from shared.radiograph.tones import Pixels, contrast_warnings, stretched, working_size

# The sizes are checked against the intake's own limit first, so Pillow's warning about large pictures adds nothing.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

SIDEWAYS = frozenset({5, 6, 7, 8})
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
# libjpeg halves a picture up to three times while it decodes, so at most a quarter of the sides' pixels and often a
# sixtieth is allocated; what remains is less than the file itself.
STREAMED_COST = 1.0


def read_jpeg(data: bytes, limits: IntakeLimits) -> Radiograph:
    """A JPEG, decoded at half, quarter or eighth size where that is still at least the working size.

    Raises:
        UnreadableImage, ImageTooLarge: by the header.
        UnsupportedImage: CMYK or YCCK, or a JPEG process that is not read.
        OSError, SyntaxError, ValueError: Pillow's, for a damaged or truncated file.
    """
    jpeg = jpeg_of(data)
    refuse_other_processes(jpeg.frame)
    with opened_jpeg(data, jpeg, limits) as image:
        if image.mode not in ("L", "RGB"):
            raise UnsupportedImage("The JPEG is in CMYK, a print format: save it as a grayscale JPEG or PNG.")
        turned = orientation(image.info.get("exif", b""))
        image.draft(image.mode, working_size(*jpeg.size))
        quality = jpeg_quality(image)
        return replace(radiograph_of(fitted(np.asarray(image)), jpeg.size, "jpeg", turned), jpeg_quality=quality)


def opened_jpeg(data: bytes, jpeg: Jpeg, limits: IntakeLimits) -> Image.Image:
    """The stream in Pillow's hands, not decoded yet, once its size has passed.

    Raises:
        ImageTooLarge: by pixels, or where the decoder buffers the whole picture by bytes.
        ValueError: Pillow sees another picture than `jpeg`.
    """
    buffered = jpeg.is_buffered(data)
    cost = jpeg.coefficient_bytes_per_pixel if buffered else STREAMED_COST
    checked_size(*jpeg.size, limits, cost, "progressive JPEG" if buffered else "JPEG")
    image = Image.open(io.BytesIO(jpeg.stream(data)), formats=["JPEG"])
    if image.size != jpeg.size:
        raise ValueError("the JPEG has two sizes")
    return image


def read_png(data: bytes, limits: IntakeLimits) -> Radiograph:
    """A PNG of any kind: 1 to 16 bit, gray, palette or colour, with or without transparency (shown on black).

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge: by the header.
        OSError, SyntaxError, ValueError, zlib.error: for a damaged or truncated file.
    """
    pixels, size, exif = shown_png(data, limits)
    return radiograph_of(pixels, size, "png", orientation(exif))


def radiograph_of(values: Pixels, size: tuple[int, int], kind: Format, turned: int = 1) -> Radiograph:
    """Reduced gray or colour values as a radiograph; values of more than 8 bit are stretched.

    Args:
        values: uint8 or uint16, (height, width) or (height, width, 3), at working size.
        size: (width, height) of the picture in the file.
        kind: of the file.
        turned: EXIF orientation, 1 to 8.
    """
    coloured, cast = judged_colour(values)
    levels = gray(values)
    return Radiograph(
        pixels=upright(levels if levels.dtype == np.uint8 else stretched(levels), turned),
        format=kind,
        original_size=(size[1], size[0]) if turned in SIDEWAYS else size,
        coloured=coloured,
        warnings=cast + contrast_warnings(levels),
    )


def orientation(data: bytes) -> int:
    """Orientation by EXIF data, 1 to 8; 1 is upright, and what is assumed where there is none that can be read."""
    exif = Image.Exif()
    try:
        exif.load(data)
        return int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # a damaged comment is no reason to refuse the picture
        return 1


def upright(pixels: Pixels, turned: int) -> GrayPixels:
    """Undo an EXIF orientation."""
    if turned in TURNS:
        pixels = np.asarray(Image.fromarray(pixels).transpose(TURNS[turned]))
    return np.ascontiguousarray(pixels, np.uint8)
