"""From the pixel element of a DICOM file to stored values, with the codec that each kind of stream needs.

| the pixel element holds | codec |
|---|---|
| uncompressed gray | NumPy, without a copy |
| RLE gray | Pillow's PackBits, a plane at a time |
| JPEG of 8 bit, JPEG 2000 | Pillow (libjpeg-turbo, OpenJPEG), reduced where the picture is large |
| JPEG lossless, JPEG-LS | gdcm |
| uncompressed and RLE colour | pydicom |

What the stream is decides, not the transfer syntax: the two disagree in files that were compressed by hand. JPEG
extended of 12 bit is refused: gdcm corrupts its memory on it and Pillow does not read it.
"""

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from shared.problems import UnreadableImage, UnsupportedImage
from shared.radiograph import codestream, jpeg_stream
from shared.radiograph.dicom_elements import code, integer
from shared.radiograph.dicom_jpegs import jpeg_2000_pixels, jpeg_colour, jpeg_pixels
from shared.radiograph.jpeg_quality import jpeg_quality
from shared.radiograph.limits import IntakeLimits, checked_size
from shared.radiograph.reduction import STRIP_PIXELS
from shared.radiograph.tones import Pixels

if TYPE_CHECKING:
    from pydicom import Dataset

PREFIX = "1.2.840.10008.1.2"
RLE, BIG_ENDIAN = f"{PREFIX}.5", f"{PREFIX}.2"
NATIVE = frozenset({PREFIX, f"{PREFIX}.1", BIG_ENDIAN})
COMPRESSED = frozenset(f"{PREFIX}.4.{tail}" for tail in (50, 51, 57, 70, 80, 81, 90, 91))
ITEM = b"\xfe\xff\x00\xe0"
# Bytes a pixel while decoding: a plane of RLE takes three while it is unpacked, besides the result; pydicom copies
# colour several times, and converts its colour space in floating point.
RLE_COST, COLOUR_COST, CONVERTED_COST = 5.0, 12.0, 28.0


def stored_pixels(dataset: "Dataset", limits: IntakeLimits) -> Pixels:
    """Stored values, (rows, columns), or RGB, (rows, columns, 3); JPEG and JPEG 2000 may come reduced.

    Raises:
        UnsupportedImage: a transfer syntax, or a stream, that is not read.
        UnreadableImage: the picture is of another size than the header says, or damaged.
        ImageTooLarge: by the header or by the stream's own.
        Exception: whatever pydicom and Pillow raise for damaged bytes; the intake maps it.
    """
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if syntax not in NATIVE | COMPRESSED | {RLE}:
        raise UnsupportedImage(
            f"The DICOM transfer syntax {syntax[:64]} is not read: export the file as Explicit VR Little Endian."
        )
    size = checked_size(integer(dataset, "Columns") or 0, integer(dataset, "Rows") or 0, limits)
    value = dataset.get_item("PixelData").value
    encapsulated = value.startswith(ITEM) and (syntax not in NATIVE or undefined_length(dataset))
    stream = frame_of(value) if encapsulated else b""
    if (integer(dataset, "SamplesPerPixel") or 1) > 1:
        return colour_pixels(dataset, stream, size, limits)
    if syntax == RLE:
        checked_size(*size, limits, RLE_COST, "RLE picture")
        return rle_pixels(stream, dataset, size)
    if not encapsulated:
        return native_pixels(value, dataset, size, big_endian=syntax == BIG_ENDIAN)
    if stream.startswith(jpeg_stream.START):
        return jpeg_pixels(stream, syntax, dataset, size, limits)
    if stream.startswith((codestream.START, codestream.JP2_START)):
        return jpeg_2000_pixels(stream, size, limits)
    return native_pixels(stream, dataset, size, big_endian=False)


def stored_quality(dataset: "Dataset") -> float | None:
    """How much a JPEG of 8 bit was compressed, 1 to 100; None for pixels that are no such JPEG."""
    value = dataset.get_item("PixelData").value
    if not value.startswith(ITEM):
        return None
    stream = frame_of(value)
    if not stream.startswith(jpeg_stream.START) or jpeg_stream.jpeg_of(stream).frame.precision != 8:
        return None
    try:
        with Image.open(io.BytesIO(stream), formats=["JPEG"]) as image:
            return jpeg_quality(image)
    except OSError:
        return None  # lossless kinds of JPEG, which Pillow does not know


def undefined_length(dataset: "Dataset") -> bool:
    """Whether the pixel element came in items although its transfer syntax is not a compressed one."""
    item = dataset.get_item("PixelData")
    return bool(getattr(item, "is_undefined_length", False) or getattr(item, "length", 0) == 0xFFFFFFFF)


def frame_of(value: bytes) -> bytes:
    """The compressed frame out of its items."""
    from pydicom.encaps import get_frame

    return get_frame(value, 0, number_of_frames=1)


def native_pixels(value: bytes, dataset: "Dataset", size: tuple[int, int], big_endian: bool) -> Pixels:
    """Uncompressed gray values as they stand in the file."""
    width, height = size
    sample = (integer(dataset, "BitsAllocated") or 8) // 8
    if len(value) < width * height * sample:
        raise UnreadableImage("The DICOM file holds fewer pixels than its header says: export it again.")
    if big_endian and sample == 1 and dataset["PixelData"].VR == "OW":
        value = np.frombuffer(value[: len(value) // 2 * 2], np.uint16).byteswap().tobytes()
    kind = f"{'>' if big_endian else '<'}{'i' if integer(dataset, 'PixelRepresentation') else 'u'}{sample}"
    return np.frombuffer(value, kind, width * height).reshape(height, width)


def rle_pixels(stream: bytes, dataset: "Dataset", size: tuple[int, int]) -> Pixels:
    """RLE gray (PS3.5 annex G): the high bytes of all pixels, then the low bytes, each packed by PackBits."""
    count, sample = size[0] * size[1], (integer(dataset, "BitsAllocated") or 8) // 8
    planes, *starts = struct.unpack_from("<16I", stream)
    if planes != sample:
        raise UnreadableImage("The RLE pixels have another depth than the header says: export the file again.")
    result = np.empty((count, sample), np.uint8)
    ends = [*starts[1:planes], len(stream)]
    for plane, (start, end) in enumerate(zip(starts, ends, strict=False)):
        # As one long row: some writers let a run go on over the end of a row, which the standard forbids.
        row = Image.frombytes("L", (count, 1), stream[start:end], "packbits", "L")
        for left in range(0, count, STRIP_PIXELS):
            part = row.crop((left, 0, min(count, left + STRIP_PIXELS), 1))
            result[left : left + STRIP_PIXELS, sample - 1 - plane] = np.asarray(part)[0]
    kind = f"<{'i' if integer(dataset, 'PixelRepresentation') else 'u'}{sample}"
    return result.reshape(-1).view(kind).reshape(size[1], size[0])


def colour_pixels(dataset: "Dataset", stream: bytes, size: tuple[int, int], limits: IntakeLimits) -> Pixels:
    """RGB, (rows, columns, 3). Uncompressed and RLE colour by pydicom, which knows the colour spaces."""
    kind = code(dataset, "PhotometricInterpretation")
    if stream.startswith(jpeg_stream.START):
        return jpeg_colour(stream, size, limits, converted=kind != "RGB")
    if stream.startswith((codestream.START, codestream.JP2_START)):
        return jpeg_2000_pixels(stream, size, limits, components=3)
    plain = kind == "RGB" and not stream
    checked_size(*size, limits, COLOUR_COST if plain else CONVERTED_COST, "colour picture")
    return np.ascontiguousarray(dataset.pixel_array)
