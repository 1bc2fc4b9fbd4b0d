"""JPEG and PNG to gray working pixels. The size is checked before decoding; a truncated file is refused."""

import io
import warnings

import cv2
import numpy as np
from PIL import ExifTags, Image

from shared.problems import UnsupportedImage
from shared.radiograph.codestream import checked_size, jpeg_size, png_size
from shared.radiograph.prepare import GrayPixels
from shared.radiograph.radiograph import Format, Radiograph
from shared.radiograph.tones import Pixels, fitted, stretched, working_size

# The sizes are checked against the intake's own limit first, so Pillow's warning about large pictures adds nothing.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# Mean difference of the strongest and the weakest colour channel, in gray levels. Stored radiographs have 0, tinted
# screenshots of radiographs up to about 4; of photographs nineteen in twenty have more.
COLOUR_THRESHOLD = 8.0
SIDEWAYS = frozenset({5, 6, 7, 8})
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
STRIP_ROWS = 256
PNG_DEPTH, PNG_COLOUR_TYPE = 24, 25  # where these bytes stand in the IHDR chunk
# A 16-bit colour pixel takes four to eight times the memory of a gray one, so a quarter of the pixels is read.
DEEP_COLOUR_COST = 4


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
        if data[PNG_DEPTH] == 16:
            return deep_radiograph(data, orientation(image), max_pixels)
        return radiograph_of(image, size, "png")


def radiograph_of(image: Image.Image, size: tuple[int, int], kind: Format) -> Radiograph:
    """An 8-bit picture as a radiograph. `size` is the picture's size before any reduced decode."""
    turned = orientation(image)
    pixels, colour = gray_and_colour(image)
    return Radiograph(
        pixels=upright(fitted(pixels), turned),
        format=kind,
        original_size=(size[1], size[0]) if turned in SIDEWAYS else size,
        coloured=colour > COLOUR_THRESHOLD,
    )


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 is upright."""
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def upright(pixels: Pixels, turned: int) -> GrayPixels:
    """Undo an EXIF orientation."""
    if turned in TURNS:
        pixels = np.asarray(Image.fromarray(pixels).transpose(TURNS[turned]))
    return np.ascontiguousarray(pixels, np.uint8)


def gray_and_colour(image: Image.Image) -> tuple[GrayPixels, float]:
    """Gray pixels, (height, width), and the mean colour, 0 to 255.

    Palettes, colours and transparency are turned to gray strip by strip: a whole copy of them takes four bytes a
    pixel, and a file of a megabyte can hold 64 million pixels.
    """
    if image.mode == "L" and "transparency" not in image.info:
        return np.asarray(image), 0.0
    width, height = image.size
    pixels, colours = np.empty((height, width), np.uint8), []
    for top in range(0, height, STRIP_ROWS):
        strip = image.crop((0, top, width, min(height, top + STRIP_ROWS)))
        rows = np.asarray(with_plain_colours(strip))
        pixels[top : top + STRIP_ROWS] = gray(rows)
        colours.append(colour_of(rows) * len(rows))
    return pixels, sum(colours) / height


def with_plain_colours(image: Image.Image) -> Image.Image:
    """Any 8-bit mode as "L" or "RGB"; what is transparent becomes black, the colour of air."""
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA"):
        colours = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", colours.size, "black"), colours)
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def deep_radiograph(data: bytes, turned: int, max_pixels: int) -> Radiograph:
    """A 16-bit PNG. Pillow keeps all 16 bits of plain gray only, so the pixels come from OpenCV."""
    width, height = png_size(data)
    if data[PNG_COLOUR_TYPE] != 0:
        checked_size(width, height, max_pixels // DEEP_COLOUR_COST)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("the PNG decoder gave nothing")
    values = fitted(np.asarray(decoded))
    return Radiograph(
        pixels=upright(stretched(deep_gray(values)), turned),
        format="png",
        original_size=(height, width) if turned in SIDEWAYS else (width, height),
        coloured=colour_of(values[..., :3] / 257.0) > COLOUR_THRESHOLD,
    )


def deep_gray(values: Pixels) -> Pixels:
    """16-bit gray, blue-green-red or blue-green-red-alpha as 16-bit gray; what is transparent becomes black."""
    if values.ndim == 2:
        return values
    colours = np.ascontiguousarray(values[..., :3])
    bright: Pixels = np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY))
    return bright if values.shape[2] == 3 else bright * (values[..., 3] / 65535.0)


def gray(pixels: Pixels) -> GrayPixels:
    """uint8 (height, width) as it is; (height, width, 3) by the luma weights of ITU-R BT.601."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels, np.uint8)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)


def colour_of(pixels: Pixels) -> float:
    """Mean colour of (height, width, 3), 0 to 255; zero for gray. Every fourth pixel is enough."""
    if pixels.ndim == 2:
        return 0.0
    sample = pixels[::4, ::4].astype(np.float32)
    return float((sample.max(axis=2) - sample.min(axis=2)).mean())
