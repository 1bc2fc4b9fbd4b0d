"""Look-up tables of DICOM (PS3.3 C.11.1 and C.11.2), whose descriptor and data often disagree."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from shared.radiograph.dicom_elements import element, numbers
from shared.radiograph.tones import Pixels

if TYPE_CHECKING:
    from pydicom import Dataset

MOST_ENTRIES = 65536


def looked_up(values: Pixels, item: "Dataset", dataset: "Dataset") -> tuple[Pixels, float] | None:
    """(values through the table of a LUT item, the table's full brightness), or None where the table is unusable.

    Outside the table its ends hold.
    """
    descriptor, data = numbers(item, "LUTDescriptor"), element(item, "LUTData")
    if len(descriptor) != 3 or None in descriptor or data is None:
        return None
    entries, start, bits = (int(value or 0) for value in descriptor)
    if start >= 2**15 and values.min() < 0:
        start -= 2**16  # written as an unsigned number, of signed pixels
    try:
        table = table_of(data, entries or MOST_ENTRIES, big_endian=not dataset.original_encoding[1])
    except (TypeError, ValueError, OverflowError):
        return None
    if not table.size:
        return None
    index = np.clip(np.rint(values).astype(np.int64) - start, 0, len(table) - 1)
    return table[index], brightest(table, bits)


def table_of(data: bytes | Sequence[int], entries: int, big_endian: bool) -> npt.NDArray[np.int64]:
    """The entries of a table, which files keep as numbers or as bytes of one or two each."""
    if isinstance(data, bytes):
        width = "u1" if len(data) < 2 * entries else ">u2" if big_endian else "<u2"
        return np.frombuffer(data, width)[:entries].astype(np.int64)
    return np.asarray(data, np.int64).reshape(-1)[:entries]


def brightest(table: npt.NDArray[np.int64], bits: int) -> float:
    """Full brightness: by the descriptor's bits, unless the data needs more, or two fewer, bits than these."""
    most = int(table.max())
    said = 2 ** min(max(bits, 1), 16) - 1
    return float(said if said // 4 < most <= said else 2 ** most.bit_length() - 1) or 1.0
