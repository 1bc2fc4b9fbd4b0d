"""From the pixel element of a DICOM file to stored values, with the codec that each transfer syntax needs.

| transfer syntax | codec |
|---|---|
| uncompressed, RLE | pydicom |
| JPEG baseline, JPEG extended of 8 bit, JPEG 2000 | Pillow (libjpeg-turbo, OpenJPEG) through pydicom |
| JPEG lossless, JPEG-LS | gdcm in a process of its own |

JPEG extended of 12 bit is refused: gdcm corrupts its memory on it and Pillow does not read it.
"""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from shared.problems import UnreadableImage, UnsupportedImage
from shared.radiograph.codestream import checked_size, compressed_size, jpeg_precision
from shared.radiograph.tones import Pixels

if TYPE_CHECKING:
    from pydicom import Dataset

PREFIX = "1.2.840.10008.1.2"
PYDICOM_SYNTAXES = frozenset({PREFIX, f"{PREFIX}.1", f"{PREFIX}.2", f"{PREFIX}.5"})
PILLOW_SYNTAXES = frozenset(f"{PREFIX}.4.{code}" for code in (50, 51, 90, 91))
GDCM_SYNTAXES = frozenset(f"{PREFIX}.4.{code}" for code in (57, 70, 80, 81))
JPEG_EXTENDED = f"{PREFIX}.4.51"
GDCM_SCRIPT = Path(__file__).with_name("gdcm_process.py")
GDCM_TIMEOUT_S = 30.0


def stored_pixels(dataset: "Dataset", max_pixels: int) -> Pixels:
    """Stored values, (rows, columns), or RGB, (rows, columns, 3), in this machine's byte order.

    Raises:
        UnsupportedImage: a transfer syntax that is not read.
        UnreadableImage: the compressed picture is of another size than the header says, or damaged.
        Exception: whatever pydicom and Pillow raise for damaged bytes; the intake maps it.
    """
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if syntax in PYDICOM_SYNTAXES:
        return native_order(dataset.pixel_array)
    if syntax not in PILLOW_SYNTAXES | GDCM_SYNTAXES:
        raise UnsupportedImage(
            f"The DICOM transfer syntax {syntax[:64]} is not read: export the file as Explicit VR Little Endian."
        )
    stream = frame_of(dataset, max_pixels)
    if syntax in GDCM_SYNTAXES:
        return decoded_apart(stream, syntax, dataset)
    if syntax == JPEG_EXTENDED and jpeg_precision(stream) != 8:
        raise UnsupportedImage("The DICOM pixels are 12-bit JPEG: export the file as Explicit VR Little Endian.")
    dataset.pixel_array_options(decoding_plugin="pillow")
    return native_order(dataset.pixel_array)


def frame_of(dataset: "Dataset", max_pixels: int) -> bytes:
    """The compressed frame. A codec allocates by the size in the stream itself, so that has to pass the limit too."""
    from pydicom.encaps import get_frame

    stream = get_frame(dataset.PixelData, 0, number_of_frames=1)
    if checked_size(*compressed_size(stream), max_pixels) != (dataset.Columns, dataset.Rows):
        raise UnreadableImage("The DICOM header and its pixels differ in size: export the file again.")
    return stream


def decoded_apart(stream: bytes, syntax: str, dataset: "Dataset") -> Pixels:
    """One gray frame, decoded by gdcm in a process of its own (0.1 s); see `gdcm_process` for why."""
    if int(dataset.SamplesPerPixel) != 1:
        raise UnsupportedImage("The DICOM pixels are lossless colour: export the radiograph as MONOCHROME2.")
    precision = jpeg_precision(stream)
    allocated = 8 if precision <= 8 else 16
    numbers = (str(number) for number in (dataset.Rows, dataset.Columns, allocated, precision))
    result = subprocess.run(  # noqa: S603 - our own script, and its arguments are four numbers and a known name
        [sys.executable, "-P", str(GDCM_SCRIPT), syntax, *numbers],
        input=stream,
        capture_output=True,
        timeout=GDCM_TIMEOUT_S,
        check=False,
    )
    if result.returncode != 0:
        raise UnreadableImage("The DICOM pixels are damaged: export the file again from its source.")
    kind = f"<{'i' if dataset.PixelRepresentation else 'u'}{allocated // 8}"
    return native_order(np.frombuffer(result.stdout, kind).reshape(dataset.Rows, dataset.Columns))


def native_order(pixels: Pixels) -> Pixels:
    """The same values in this machine's byte order, which OpenCV expects; big-endian files come in theirs."""
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
