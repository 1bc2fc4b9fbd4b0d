"""The intake: bytes of an upload to a `Radiograph`, or a problem that says how to mend it."""

from collections.abc import Callable

import cv2
from PIL import Image

from shared.problems import ImageTooLarge, TrabeculaError, UnreadableImage
from shared.radiograph.dicom import looks_like_dicom, read_dicom
from shared.radiograph.file_kinds import CURE, named
from shared.radiograph.limits import IntakeLimits
from shared.radiograph.more_rasters import is_heic, read_heic, read_tiff, read_webp
from shared.radiograph.radiograph import Radiograph
from shared.radiograph.raster import read_jpeg, read_png

__all__ = ["IntakeLimits", "decode"]

LIMITS = IntakeLimits()
DAMAGED = "The image is damaged or incomplete: export it again from its source."
TOO_MUCH_MEMORY = "Decoding the image takes more memory than it may: send it smaller, or as gray of 8 bit."
OPENCV_OUT_OF_MEMORY = -4
Reader = Callable[[bytes, IntakeLimits], Radiograph]
MAGICS: tuple[tuple[bytes, Reader], ...] = (
    (b"\xff\xd8\xff", read_jpeg),
    (b"\x89PNG\r\n\x1a\n", read_png),
    (b"II*\x00", read_tiff),
    (b"MM\x00*", read_tiff),
)


def decode(data: bytes, limits: IntakeLimits = LIMITS) -> Radiograph:
    """Decode an upload to gray working pixels with bone bright.

    Args:
        data: the whole file: DICOM, JPEG, PNG (1 to 16 bit), TIFF, WebP or HEIC.
        limits: the largest picture that is decoded.

    Returns:
        The radiograph; its pixels are uint8, (height, width), long side at most `WORKING_SIZE`.

    Raises:
        UnreadableImage: empty, not an image, truncated or corrupt.
        UnsupportedImage: a whole file of a kind that is not read; the detail names the kind and the cure.
        ImageTooLarge: more pixels, or more memory for them, than `limits` allow, by the header.
    """
    if not data:
        raise UnreadableImage(f"The image is empty (0 bytes): {CURE}.")
    read = reader_for(data)
    try:
        return read(data, limits)
    except TrabeculaError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(
            f"The image has more than {limits.max_pixels / 1e6:.3g} megapixels: send it smaller."
        ) from error
    except (MemoryError, cv2.error) as error:
        if isinstance(error, MemoryError) or error.code == OPENCV_OUT_OF_MEMORY:
            raise ImageTooLarge(TOO_MUCH_MEMORY) from error
        raise UnreadableImage(DAMAGED) from error
    except Exception as error:
        # The decoders meet hostile bytes and fail in every way there is (ValueError, OSError, SyntaxError, KeyError,
        # struct.error, RecursionError ...). To the caller all of them mean the same.
        raise UnreadableImage(DAMAGED) from error


def reader_for(data: bytes) -> Reader:
    """The reader of the file's kind, by its content: names and content types of uploads are often wrong.

    Raises:
        UnsupportedImage, UnreadableImage: no reader takes it.
    """
    if looks_like_dicom(data):
        return read_dicom
    for magic, reader in MAGICS:
        if data.startswith(magic):
            return reader
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return read_webp
    if is_heic(data):
        return read_heic
    raise named(data)
