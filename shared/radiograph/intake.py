"""The intake: bytes of an upload to a `Radiograph`, or a problem that says how to mend it."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.problems import TrabeculaError, UnreadableImage, UnsupportedImage
from shared.radiograph.dicom import looks_like_dicom, read_dicom
from shared.radiograph.radiograph import Radiograph
from shared.radiograph.raster import read_jpeg, read_png

CURE = "send a JPEG, a PNG or a DICOM radiograph"

# First bytes of what people send by mistake, so that the answer can name it.
OTHER_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"GIF8", "a GIF picture"),
    (8, b"WEBP", "a WebP picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (4, b"ftyp", "a HEIC or AVIF picture or a video"),
)


@dataclass(frozen=True)
class IntakeLimits:
    """What is decoded at most. `max_pixels` is compared with width x height in the header, before decoding."""

    max_pixels: int = 64_000_000


def decode(data: bytes, limits: IntakeLimits = IntakeLimits()) -> Radiograph:
    """Decode an upload to gray working pixels with bone bright.

    Args:
        data: the whole file, JPEG, PNG (1 to 16 bit) or DICOM.
        limits: the largest picture that is decoded.

    Returns:
        The radiograph; its pixels are uint8, (height, width), long side at most `WORKING_SIZE`.

    Raises:
        UnreadableImage: empty, not an image, truncated or corrupt.
        UnsupportedImage: a whole file of a kind that is not read; the detail names the kind and the cure.
        ImageTooLarge: more pixels than `limits` allow, by the header.
    """
    if not data:
        raise UnreadableImage(f"The image is empty (0 bytes): {CURE}.")
    read = reader_for(data)
    try:
        return read(data, limits.max_pixels)
    except TrabeculaError:
        raise
    except Exception as error:
        # The decoders meet hostile bytes and fail in every way there is (ValueError, OSError, SyntaxError, KeyError,
        # struct.error, RecursionError, MemoryError ...). To the caller all of them mean the same.
        raise UnreadableImage("The image is damaged or incomplete: export it again from its source.") from error


def reader_for(data: bytes) -> Callable[[bytes, int], Radiograph]:
    """The reader of the file's kind, by its content: names and content types of uploads are often wrong."""
    if looks_like_dicom(data):
        return read_dicom
    if data.startswith(b"\xff\xd8\xff"):
        return read_jpeg
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return read_png
    for offset, magic, kind in OTHER_KINDS:
        if data[offset : offset + len(magic)] == magic:
            raise UnsupportedImage(f"The file is {kind}, which is not read: {CURE}.")
    raise UnreadableImage(f"The file is not an image that is known here: {CURE}.")
