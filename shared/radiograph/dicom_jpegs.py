"""JPEG, JPEG-LS and JPEG 2000 streams of a DICOM file, each with the codec that reads it, once its size has passed."""

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from shared.problems import UnreadableImage, UnsupportedImage
from shared.radiograph import codestream, gdcm_frame, jpeg_stream
from shared.radiograph.dicom_elements import integer
from shared.radiograph.limits import IntakeLimits, checked_size
from shared.radiograph.raster import opened_jpeg
from shared.radiograph.tones import Pixels, working_size

if TYPE_CHECKING:
    from pydicom import Dataset

# Each of gdcm's kinds with the transfer syntaxes that it goes by.
GDCM_NAMES = {
    jpeg_stream.LOSSLESS: ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"),
    jpeg_stream.JPEG_LS: ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
}
# Bytes a pixel while decoding: gdcm answers in a text of two bytes a letter, then in bytes; OpenJPEG works in 32-bit
# numbers and hands over 16-bit ones.
GDCM_COST, OPENJPEG_COST = 7.0, 10.0


def same_size(size: tuple[int, int], stream: tuple[int, int]) -> None:
    """Raise `UnreadableImage` where the stream is of another size than the header says."""
    if size != stream:
        raise UnreadableImage("The DICOM header and its pixels differ in size: export the file again.")


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
        return lossless_pixels(stream, syntax if syntax in names else names[-1], jpeg.frame, dataset)
    if jpeg.frame.precision != 8:
        raise UnsupportedImage(
            f"The DICOM pixels are {jpeg.frame.precision}-bit JPEG: export the file as Explicit VR Little Endian."
        )
    jpeg_stream.refuse_other_processes(jpeg.frame, "The DICOM pixels are")
    with opened_jpeg(stream, jpeg, limits) as image:
        image.draft("L", working_size(*size))
        return np.asarray(image)


def lossless_pixels(stream: bytes, syntax: str, frame: jpeg_stream.Frame, dataset: "Dataset") -> Pixels:
    """One gray frame of JPEG lossless or JPEG-LS, by gdcm."""
    allocated = 8 if frame.precision <= 8 else 16
    samples = gdcm_frame.decoded(stream, syntax, frame.height, frame.width, allocated, frame.precision)
    kind = f"<{'i' if integer(dataset, 'PixelRepresentation') else 'u'}{allocated // 8}"
    return np.frombuffer(samples, kind).reshape(frame.height, frame.width)


def jpeg_colour(stream: bytes, size: tuple[int, int], limits: IntakeLimits, converted: bool) -> Pixels:
    """A colour JPEG. `converted`: it holds luma and chroma, as nearly all do; otherwise its channels are RGB."""
    jpeg = jpeg_stream.jpeg_of(stream)
    checked_size(*jpeg.size, limits)
    same_size(size, jpeg.size)
    if jpeg.frame.process in GDCM_NAMES:
        raise UnsupportedImage("The DICOM pixels are lossless colour: export the radiograph as MONOCHROME2.")
    jpeg_stream.refuse_other_processes(jpeg.frame, "The DICOM pixels are")
    if len(jpeg.frame.sampling) != 3:
        raise UnreadableImage("The DICOM header and its pixels differ in colour: export the file again.")
    with opened_jpeg(stream, jpeg, limits) as image:
        image.draft("RGB" if converted else "YCbCr", working_size(*size))  # libjpeg leaves these channels as they are
        return np.asarray(image)


def jpeg_2000_pixels(stream: bytes, size: tuple[int, int], limits: IntakeLimits, components: int = 1) -> Pixels:
    """A JPEG 2000 codestream, gray or RGB, halved while it is decoded as long as the working size is left."""
    picture = codestream.jpeg_2000_of(stream)
    checked_size(picture.width, picture.height, limits)
    same_size(size, (picture.width, picture.height))
    if picture.components != components or picture.precision > (16 if components == 1 else 8):
        raise UnsupportedImage(
            f"The JPEG 2000 pixels have {picture.components} components of {picture.precision} bit, unlike the header: "
            "export the radiograph as MONOCHROME2."
        )
    spare = max(size) // max(working_size(*size))
    halvings = min(picture.halvings, max(0, spare.bit_length() - 1))
    checked_size(*size, limits, OPENJPEG_COST * (components + 1) / 2 / 4**halvings, "JPEG 2000 picture")
    with Image.open(io.BytesIO(stream), formats=["JPEG2000"]) as image:
        same_size(size, image.size)
        image.reduce = halvings  # type: ignore[method-assign, assignment]  # Pillow: a property of this class
        values = np.asarray(image)
    # Pillow moves all values up to 8 or 16 bit, and signed ones to above zero.
    values = values >> (8 * values.dtype.itemsize - picture.precision)
    return values.astype(np.int16) - 2 ** (picture.precision - 1) if picture.signed else values
