"""TIFF, WebP and HEIC to gray working pixels: what scanners, messengers and phones make.

Pillow decodes these whole. Each is limited by what its decoder allocates, read off its header.
"""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from shared.problems import UnsupportedImage
from shared.radiograph.limits import IntakeLimits, checked_size
from shared.radiograph.radiograph import Format, Radiograph
from shared.radiograph.raster import orientation, radiograph_of
from shared.radiograph.reduction import fitted_strips, strip_rows
from shared.radiograph.tones import Pixels

# Bytes a pixel that Pillow's image takes, by its mode. A compressed TIFF is unpacked by the strip, which may be the
# whole picture, and a turned one is copied. WebP is drawn on two canvases. HEIC comes by planes, then as colour.
MODES = {
    "1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "LA": 4, "PA": 4, "RGB": 4, "RGBA": 4, "RGBX": 4, "YCbCr": 4,
}  # fmt: skip
WEBP_COST, HEIC_COST = 16.0, 7.4
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
NOT_AVIF = (b"avif", b"avis")
HEIGHT, BITS, PHOTOMETRIC, WHITE_IS_ZERO = 257, 258, 262, 0


def is_heic(data: bytes) -> bool:
    """By the brands of an ISO media file; AVIF has one of HEIC's, too."""
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(len(data), 64), 4))}
    return data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS and not brands & set(NOT_AVIF)


def read_tiff(data: bytes, limits: IntakeLimits) -> Radiograph:
    """A TIFF of one page, 1 to 16 bit gray or 8-bit colour.

    Raises:
        UnsupportedImage: several pages, or pixels of another kind.
        ImageTooLarge: by the header.
        OSError, SyntaxError, ValueError: Pillow's, for a damaged or truncated file.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=["TIFF"])
    except UnidentifiedImageError as error:
        raise UnsupportedImage("The TIFF is of a kind that is not read: save it as gray of 8 or 16 bit.") from error
    with image:
        if getattr(image, "is_animated", False):
            raise UnsupportedImage("The TIFF has several pages: save the radiograph as a TIFF or PNG of its own.")
        tags: Any = image.tag_v2  # type: ignore[attr-defined]
        bits = tags.get(BITS, (1,))
        deep_colour = image.mode in ("RGB", "RGBA") and max(bits) > 8
        if image.mode not in MODES or deep_colour:
            raise UnsupportedImage(
                f"The TIFF's pixels are {image.mode} with {'/'.join(str(bit) for bit in bits)} bit: "
                "save it as gray of 8 or 16 bit."
            )
        if max((tile.extents[3] for tile in image.tile if tile.extents), default=0) < tags[HEIGHT]:
            raise ValueError("rows are missing")
        packed = image.info.get("compression", "raw") != "raw"
        turned = tags.get(ExifTags.Base.Orientation, 1) != 1
        return radiograph_in(image, limits, "tiff", MODES[image.mode] * (1.0 + packed + turned), "TIFF")


def read_webp(data: bytes, limits: IntakeLimits) -> Radiograph:
    """A WebP picture; raises as `read_tiff`."""
    checked_size(*webp_size(data), limits, WEBP_COST, "WebP")
    with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
        if getattr(image, "n_frames", 1) > 1:
            raise UnsupportedImage("The WebP is an animation: save the radiograph as a JPEG or PNG.")
        return radiograph_in(image, limits, "webp", WEBP_COST, "WebP")


def webp_size(data: bytes) -> tuple[int, int]:
    """(width, height) by the first chunk (RFC 9649): Pillow's decoder allocates as soon as it has the file."""
    kind, bits = data[12:16], int.from_bytes(data[21:25], "little")
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def read_heic(data: bytes, limits: IntakeLimits) -> Radiograph:
    """A phone's HEIC picture, its main one; raises as `read_tiff`."""
    import pi_heif  # 4 MB of decoder, loaded when the first HEIC comes

    pi_heif.register_heif_opener()
    with Image.open(io.BytesIO(data), formats=["HEIF"]) as image:
        return radiograph_in(image, limits, "heic", HEIC_COST, "HEIC picture")


def radiograph_in(image: Image.Image, limits: IntakeLimits, kind: Format, cost: float, name: str) -> Radiograph:
    """An opened picture as a radiograph, once its size has passed."""
    size = checked_size(*image.size, limits, cost, name)
    # The decoders of TIFF and HEIC turn a picture themselves.
    turned = orientation(image.info.get("exif", b"")) if kind == "webp" else 1
    image.load()
    if image.size != size:
        raise ValueError("the picture has two sizes")
    return radiograph_of(fitted_strips(plain_strips(image), *size), size, kind, turned)


def plain_strips(image: Image.Image) -> Iterator[Pixels]:
    """Gray or RGB, uint8 or uint16, a strip at a time; what is transparent becomes black, the colour of air."""
    rows = strip_rows(image.width)
    # Pillow turns the tones of 8-bit TIFFs only.
    white_is_zero = getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(image.height, top + rows)))
        if strip.mode.startswith("I;16"):
            values = np.asarray(strip).astype(np.uint16)
            yield ~values if white_is_zero else values
        else:
            yield np.asarray(plain(strip))


def plain(image: Image.Image) -> Image.Image:
    """A strip of any 8-bit mode in `MODES` as gray or RGB."""
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        colours = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", colours.size, "black"), colours)
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")
