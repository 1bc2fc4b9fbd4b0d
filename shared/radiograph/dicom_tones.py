"""Stored DICOM values to 8-bit gray: overlay bits and padding removed, modality LUT, VOI LUT or window, inversion.

pydicom's own table look-ups are not used: their index has the type of the output, so an 8-bit table of a 12-bit picture
wraps, and 12-bit modality tables fail.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from shared.radiograph.prepare import GrayPixels
from shared.radiograph.tones import Pixels, stretched, to_gray

if TYPE_CHECKING:
    from pydicom import Dataset

Shares = npt.NDArray[np.float64]


def stored_values(stored: Pixels, dataset: "Dataset") -> Pixels:
    """The values that count, (height, width), integer: without overlay bits, padding as dark as the darkest tissue."""
    return without_padding(without_overlay(stored, dataset), dataset)


def gray_levels(stored: Pixels, dataset: "Dataset") -> GrayPixels:
    """Values of `stored_values`, at any size, to uint8 with bone bright.

    Without a VOI transform, or with one that leaves no contrast, the scaling is by robust percentiles.
    """
    values = modality_values(stored, dataset)
    shares = window_shares(values, dataset)
    pixels = stretched(values) if shares is None else to_gray(shares)
    if pixels.min() == pixels.max():
        pixels = stretched(values)
    return 255 - pixels if is_inverted(dataset) else pixels


def is_inverted(dataset: "Dataset") -> bool:
    """MONOCHROME1: the lowest value is shown brightest."""
    return str(dataset.PhotometricInterpretation).strip().upper() == "MONOCHROME1"


def without_overlay(stored: Pixels, dataset: "Dataset") -> Pixels:
    """Only the bits that BitsStored counts: old files keep overlay planes in the bits above them."""
    spare = 8 * stored.dtype.itemsize - int(dataset.get("BitsStored") or 0)
    if spare <= 0 or spare >= 8 * stored.dtype.itemsize or not outside_bits(stored, spare):
        return stored
    return (stored << spare) >> spare  # in a signed type the second shift carries the sign


def outside_bits(stored: Pixels, spare: int) -> bool:
    """Whether any value needs the `spare` high bits."""
    limits = np.iinfo(stored.dtype)
    return bool(stored.max() > limits.max >> spare or stored.min() < limits.min >> spare)


def without_padding(stored: Pixels, dataset: "Dataset") -> Pixels:
    """Padding (outside the shutter or the detector) is set to the darkest value of the picture."""
    padding = dataset.get("PixelPaddingValue")
    if not isinstance(padding, int):
        return stored
    limit = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted((padding, limit if isinstance(limit, int) else padding))
    outside = (stored >= low) & (stored <= high)
    if outside.all() or not outside.any():
        return stored
    inside = stored[~outside]
    return np.where(outside, inside.max() if is_inverted(dataset) else inside.min(), stored)


def modality_values(values: Pixels, dataset: "Dataset") -> Pixels:
    """The modality LUT or the rescale slope and intercept; unchanged where there is neither."""
    tables = dataset.get("ModalityLUTSequence")
    if tables:
        return looked_up(values, tables[0], dataset)[0]
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    if slope is None or intercept is None or float(slope) == 0:
        return values
    return values * float(slope) + float(intercept)


def window_shares(values: Pixels, dataset: "Dataset") -> Shares | None:
    """The first VOI LUT, else the first window (PS3.3 C.11.2), as shares of full brightness; None where neither is."""
    tables = dataset.get("VOILUTSequence")
    if tables:
        shown, brightest = looked_up(np.rint(values).astype(np.int64), tables[0], dataset)
        return shown / brightest
    centre, width = first(dataset.get("WindowCenter")), first(dataset.get("WindowWidth"))
    function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
    if centre is None or width is None or width < 1 or (function == "LINEAR" and width == 1):
        return None
    offset = values.astype(np.float64) - centre
    if function == "SIGMOID":
        return np.asarray(1.0 / (1.0 + np.exp(np.clip(-4.0 * offset / width, -60.0, 60.0))))
    return offset / width + 0.5 if function == "LINEAR_EXACT" else (offset + 0.5) / (width - 1.0) + 0.5


def first(value: float | str | Sequence[float] | None) -> float | None:
    """The first of one or several numbers; the others are alternative windows."""
    if value is None or value == "":
        return None
    return float(value if isinstance(value, str | int | float) else value[0])


def looked_up(values: Pixels, item: "Dataset", dataset: "Dataset") -> tuple[Pixels, float]:
    """(values through the table of a LUT item, the table's full brightness). Outside the table its ends hold."""
    entries, start, bits = (int(number) for number in item.LUTDescriptor)
    table = table_of(item.LUTData, entries or 65536, big_endian=not dataset.original_encoding[1])
    index = np.clip(values.astype(np.int64) - start, 0, len(table) - 1)
    return table[index], float(2**bits - 1)


def table_of(data: bytes | Sequence[int], entries: int, big_endian: bool) -> npt.NDArray[np.int64]:
    """The entries of a table, which files keep as numbers or as bytes of one or two each."""
    if isinstance(data, bytes):
        width = "u1" if len(data) < 2 * entries else ">u2" if big_endian else "<u2"
        return np.frombuffer(data, width)[:entries].astype(np.int64)
    return np.asarray(data, np.int64)[:entries]
