"""What is decoded at most, compared with a picture's own header before anything is allocated."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from shared.problems import ImageTooLarge, UnreadableImage

# Bytes from which a picture is large: a film of a detector, 8 megapixels of 16 bit, is not.
LARGE_BYTES = 32_000_000


def at_once() -> None:
    """Large pictures are decoded as they come."""


@dataclass(frozen=True)
class IntakeLimits:
    """The largest picture that is decoded.

    Attributes:
        max_pixels: width x height in the header.
        max_bytes: what the decoder allocates for the pixels, by `width x height x bytes a pixel`. Kinds that are
            decoded in strips or at a reduced size need few bytes a pixel, others many.
        before_large: called before a large picture is decoded; it may wait.
    """

    max_pixels: int = 64_000_000
    max_bytes: int = 134_217_728
    before_large: Callable[[], None] = at_once


# Pillow raises an error of its own at twice this number. Our check comes first; this is what holds should it fail.
Image.MAX_IMAGE_PIXELS = IntakeLimits.max_pixels // 2


def checked_size(
    width: int, height: int, limits: IntakeLimits, bytes_per_pixel: float = 1.0, kind: str = "image"
) -> tuple[int, int]:
    """The size as given, if a picture of it is decoded.

    Args:
        width, height: by the picture's header.
        limits: what is decoded at most.
        bytes_per_pixel: what the decoder of this kind of picture allocates.
        kind: the picture's name in the message, such as "interlaced PNG".

    Raises:
        UnreadableImage: a side is not above zero.
        ImageTooLarge: more pixels, or more bytes, than `limits` allow.
    """
    if width <= 0 or height <= 0:
        raise UnreadableImage(f"The {kind} says it is {width} x {height} pixels: export it again from its source.")
    most = min(limits.max_pixels, int(limits.max_bytes / bytes_per_pixel))
    if width * height > most:
        raise ImageTooLarge(
            f"The {kind} is {width:,} x {height:,} pixels and at most {most / 1e6:.3g} megapixels are read: "
            "send it smaller."
        )
    if width * height * bytes_per_pixel > LARGE_BYTES:
        limits.before_large()
    return width, height
