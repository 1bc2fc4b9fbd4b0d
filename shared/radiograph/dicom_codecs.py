"""From the pixel element of a DICOM file to stored values, with the codec that each kind of stream needs.

| the pixel element holds | codec |
|---|---|
| uncompressed gray | NumPy, without a copy |
| RLE gray | Pillow's PackBits, a plane at a time |
| JPEG of 8 bit, JPEG 2000 | Pillow (libjpeg-turbo, OpenJPEG), at a reduced size where the picture is large |
| JPEG lossless, JPEG-LS | gdcm in a process of its own |
| colour | pydicom, with Pillow |

What the stream is decides, not the transfer syntax: the two disagree in files that were compressed by hand. JPEG
extended of 12 bit is refused: gdcm corrupts its memory on it and Pillow does not read it.
"""

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from shared.problems import UnreadableImage, UnsupportedImage
from shared.radiograph import codestream, jpeg_stream
from shared.radiograph.dicom_elements import integer
from shared.radiograph.limits import IntakeLimits, checked_size
from shared.radiograph.raster import opened_jpeg
from shared.radiograph.reduction import strip_rows
from shared.radiograph.tones import Pixels, working_size

if TYPE_CHECKING:
    from pydicom import Dataset

PREFIX = "1.2.840.10008.1.2"
RLE, BIG_ENDIAN = f"{PREFIX}.5", f"{PREFIX}.2"
NATIVE = frozenset({PREFIX, f"{PREFIX}.1", BIG_ENDIAN})
COMPRESSED = frozenset(f"{PREFIX}.4.{tail}" for tail in (50, 51, 57, 70, 80, 81, 90, 91))
GDCM_NAMES = {jpeg_stream.LOSSLESS: (f"{PREFIX}.4.57", f"{PREFIX}.4.70"),
              jpeg_stream.JPEG_LS: (f"{PREFIX}.4.80", f"{PREFIX}.4.81")}  # fmt: skip
GDCM_SCRIPT = Path(__file__).with_name("gdcm_process.py")
GDCM_TIMEOUT_S = 30.0
ITEM = b"\xfe\xff\x00\xe0"
# Bytes a pixel while decoding: gdcm's answer comes through a pipe and is joined; OpenJPEG works in 32-bit numbers and
# hands over 16-bit ones; pydicom copies colour several times.
GDCM_COST, OPENJPEG_COST, COLOUR_COST, RLE_COST = 4.0, 10.0, 12.0, 5.0


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


def undefined_length(dataset: "Dataset") -> bool:
    """Whether the pixel element came in items although its transfer syntax is not a compressed one."""
    item = dataset.get_item("PixelData")
    return bool(getattr(item, "is_undefined_length", False) or getattr(item, "length", 0) == 0xFFFFFFFF)


def frame_of(value: bytes) -> bytes:
    """The compressed frame out of its items."""
    from pydicom.encaps import get_frame

    return get_frame(value, 0, number_of_frames=1)


def same_size(size: tuple[int, int], stream: tuple[int, int]) -> None:
    """Raise `UnreadableImage` where the stream is of another size than the header says."""
    if size != stream:
        raise UnreadableImage("The DICOM header and its pixels differ in size: export the file again.")


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
        step = strip_rows(1)
        for left in range(0, count, step):
            part = row.crop((left, 0, min(count, left + step), 1))
            result[left : left + step, sample - 1 - plane] = np.asarray(part)[0]
    kind = f"<{'i' if integer(dataset, 'PixelRepresentation') else 'u'}{sample}"
    return result.reshape(-1).view(kind).reshape(size[1], size[0])


def jpeg_pixels(stream: bytes, syntax: str, dataset: "Dataset", size: tuple[int, int], limits: IntakeLimits) -> Pixels:
    """A gray JPEG or JPEG-LS stream."""
    jpeg = jpeg_stream.jpeg_of(stream)
    checked_size(*jpeg.size, limits)
    same_size(size, jpeg.size)
    if len(jpeg.frame.sampling) != 1:
        raise UnsupportedImage("The DICOM pixels are colour and the header says gray: export the file again.")
    if jpeg.frame.process in GDCM_NAMES:
        checked_size(*size, limits, GDCM_COST, "losslessly compressed picture")
        names = GDCM_NAMES[jpeg.frame.process]
        return decoded_apart(stream, syntax if syntax in names else names[-1], jpeg.frame, dataset)
    if jpeg.frame.precision != 8:
        raise UnsupportedImage(
            f"The DICOM pixels are {jpeg.frame.precision}-bit JPEG: export the file as Explicit VR Little Endian."
        )
    jpeg_stream.refuse_other_processes(jpeg.frame, "The DICOM pixels are")
    with opened_jpeg(stream, jpeg, limits) as image:
        image.draft("L", working_size(*size))
        return np.asarray(image)


def jpeg_2000_pixels(stream: bytes, size: tuple[int, int], limits: IntakeLimits) -> Pixels:
    """A gray JPEG 2000 codestream, halved while it is decoded as long as the working size is left."""
    picture = codestream.jpeg_2000_of(stream)
    checked_size(picture.width, picture.height, limits)
    same_size(size, (picture.width, picture.height))
    if picture.components != 1 or picture.precision > 16:
        raise UnsupportedImage(
            "The JPEG 2000 pixels are no gray of up to 16 bit: export the radiograph as MONOCHROME2."
        )
    spare = max(size) // max(working_size(*size))
    halvings = min(picture.halvings, max(0, spare.bit_length() - 1))
    checked_size(*size, limits, OPENJPEG_COST / 4**halvings, "JPEG 2000 picture")
    with Image.open(io.BytesIO(stream), formats=["JPEG2000"]) as image:
        same_size(size, image.size)
        image.reduce = halvings  # type: ignore[method-assign, assignment]  # Pillow: a property of this class
        values = np.asarray(image)
    # Pillow moves all values up to 8 or 16 bit, and signed ones to above zero.
    values = values >> (8 * values.dtype.itemsize - picture.precision)
    return values.astype(np.int16) - 2 ** (picture.precision - 1) if picture.signed else values


def decoded_apart(stream: bytes, syntax: str, frame: jpeg_stream.Frame, dataset: "Dataset") -> Pixels:
    """One gray frame, decoded by gdcm in a process of its own (0.1 s); see `gdcm_process` for why."""
    allocated = 8 if frame.precision <= 8 else 16
    numbers = (str(number) for number in (frame.height, frame.width, allocated, frame.precision))
    result = subprocess.run(  # noqa: S603 - our own script, and its arguments are four numbers and a known name
        [sys.executable, "-P", str(GDCM_SCRIPT), syntax, *numbers],
        input=stream,
        capture_output=True,
        timeout=GDCM_TIMEOUT_S,
        check=False,
    )
    if result.returncode != 0:
        raise UnreadableImage("The DICOM pixels are damaged: export the file again from its source.")
    kind = f"<{'i' if integer(dataset, 'PixelRepresentation') else 'u'}{allocated // 8}"
    return np.frombuffer(result.stdout, kind).reshape(frame.height, frame.width)


def colour_pixels(dataset: "Dataset", stream: bytes, size: tuple[int, int], limits: IntakeLimits) -> Pixels:
    """RGB by pydicom, which knows the colour spaces; the stream's own size is checked first."""
    kind = "colour picture"
    checked_size(*size, limits, COLOUR_COST, kind)
    if stream.startswith(jpeg_stream.START):
        jpeg = jpeg_stream.jpeg_of(stream)
        checked_size(*jpeg.size, limits, COLOUR_COST, kind)
        same_size(size, jpeg.size)
        if jpeg.frame.process in GDCM_NAMES:
            raise UnsupportedImage("The DICOM pixels are lossless colour: export the radiograph as MONOCHROME2.")
        jpeg_stream.refuse_other_processes(jpeg.frame, "The DICOM pixels are")
        dataset.pixel_array_options(decoding_plugin="pillow")
    elif stream.startswith((codestream.START, codestream.JP2_START)):
        picture = codestream.jpeg_2000_of(stream)
        checked_size(picture.width, picture.height, limits, COLOUR_COST, kind)
        same_size(size, (picture.width, picture.height))
        dataset.pixel_array_options(decoding_plugin="pillow")
    return np.ascontiguousarray(dataset.pixel_array)
