"""From the values in the file to the values that count: left-aligned pixels, overlay planes and padding removed.

All of it strip by strip and before the reduction, where a single pixel is still a single pixel.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from shared.radiograph.dicom_elements import integer
from shared.radiograph.reduction import strips
from shared.radiograph.tones import Pixels

if TYPE_CHECKING:
    from pydicom import Dataset

# A picture is judged by about as many of its rows.
SAMPLED = 512

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cleaning:
    """How the values of one file are made right.

    Attributes:
        padding: (lowest, highest) stored value of what lies outside the shutter or the detector.
        shift: by how many bits pixels are aligned too far to the left.
        spare: how many high bits hold something else, such as an overlay.
        fill: what padding becomes, after shift and bits.
    """

    padding: tuple[int, int] | None
    shift: int = 0
    spare: int = 0
    fill: int = 0

    def outside(self, stored: Pixels) -> Mask:
        """Where a strip of stored values is padding."""
        if self.padding is None:
            return np.zeros(stored.shape, np.bool_)
        low, high = self.padding
        return np.asarray((stored >= low) & (stored <= high))

    def bits(self, stored: Pixels) -> Pixels:
        """The bits of a strip that count; in a signed type the last shift carries the sign."""
        values = stored >> self.shift if self.shift else stored
        return (values << self.spare) >> self.spare if self.spare else values

    def clean(self, stored: Pixels) -> Pixels:
        """A strip as it counts."""
        native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
        values = self.bits(native)
        return (
            values if self.padding is None else np.where(self.outside(native), self.fill, values).astype(values.dtype)
        )


def cleaning_of(stored: Pixels, dataset: "Dataset", darker: Callable[[int, int], int]) -> Cleaning:
    """Judge a picture once, so that `Cleaning.clean` can take its strips.

    Args:
        stored: the whole picture.
        dataset: what the file says of it.
        darker: which of two stored values is shown darker; padding becomes the darkest value of all.
    """
    padding = padding_range(stored, dataset)
    sample = sampled(stored)
    inside = sample[~Cleaning(padding).outside(sample)]
    if not inside.size:
        padding, inside = None, sample.ravel()
    shift = left_alignment(inside, dataset)
    spare = spare_bits(sample >> shift, Cleaning(padding).outside(sample), dataset)
    plain = Cleaning(padding, shift, spare)
    low, high = extremes(stored, plain) if padding else (0, 0)
    return Cleaning(padding, shift, spare, darker(low, high) if padding else 0)


def sampled(stored: Pixels) -> Pixels:
    """Rows of a picture at even distances, with all of their columns: jumps between neighbours are left to be seen."""
    rows = stored[:: max(1, stored.shape[0] // SAMPLED)]
    return rows.astype(rows.dtype.newbyteorder("="))


def padding_range(stored: Pixels, dataset: "Dataset") -> tuple[int, int] | None:
    """PixelPaddingValue up to PixelPaddingRangeLimit, in the type of the stored values: 65535 is -1 where signed."""
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(dataset, "PixelPaddingRangeLimit")
    pair = (wrapped(number, stored) for number in (value, value if limit is None else limit))
    low, high = sorted(pair)
    return low, high


def wrapped(value: int, stored: Pixels) -> int:
    """A number as the type of the stored values holds it."""
    bits = 8 * stored.dtype.itemsize
    value %= 2**bits
    return value - 2**bits if stored.dtype.kind == "i" and value >= 2 ** (bits - 1) else value


def left_alignment(values: Pixels, dataset: "Dataset") -> int:
    """Bits below the pixel's own, by HighBit (PS3.5 8.1.1).

    A wrong HighBit is common. It is believed where the values need the room or leave the low bits empty.
    """
    stored, high = integer(dataset, "BitsStored"), integer(dataset, "HighBit")
    bits = 8 * values.dtype.itemsize
    if stored is None or high is None or not 0 < stored <= high < bits:
        return 0
    shift = high + 1 - stored
    empty = not np.any(values & (2**shift - 1))
    return shift if empty or outside_bits(values, bits - stored) else 0


def spare_bits(values: Pixels, outside: Mask, dataset: "Dataset") -> int:
    """High bits to remove: those above BitsStored, where old files keep overlay planes.

    Where BitsStored is too small for the data these bits are the picture's own, and without them it wraps. Then they
    count up one by one, or, if there is only one of them, neighbours on its two sides lie further apart without it.
    """
    bits = 8 * values.dtype.itemsize
    spare = bits - (integer(dataset, "BitsStored") or 0)
    if not 0 < spare < bits or not outside_bits(values[~outside], spare):
        return 0
    above = (values >> (bits - spare - (values.dtype.kind == "i"))).astype(np.int32)
    levels = np.unique(above[~outside])
    if len(levels) > 2 and levels[-1] - levels[0] == len(levels) - 1:
        return 0
    edges = (steps(above) != 0) & ~(outside[:, 1:] | outside[:, :-1])
    without, whole = steps((values << spare) >> spare)[edges], steps(values)[edges]
    return spare if np.count_nonzero(without > whole) <= np.count_nonzero(without < whole) else 0


def outside_bits(values: Pixels, spare: int) -> bool:
    """Whether any value needs the `spare` high bits."""
    limits = np.iinfo(values.dtype)
    return bool(values.size and (values.max() > limits.max >> spare or values.min() < limits.min >> spare))


def steps(values: Pixels) -> Pixels:
    """How far each value is from its neighbour to the left."""
    return np.asarray(np.abs(np.diff(values.astype(np.int32), axis=1)))


def extremes(stored: Pixels, plain: Cleaning) -> tuple[int, int]:
    """The lowest and the highest value that counts."""
    found = list(ranges(stored, plain))
    return (min(low for low, _ in found), max(high for _, high in found)) if found else (0, 0)


def ranges(stored: Pixels, plain: Cleaning) -> Iterator[tuple[int, int]]:
    """(lowest, highest) of each strip that is not all padding."""
    for strip in strips(stored):
        native = strip.astype(strip.dtype.newbyteorder("="))
        inside = plain.bits(native)[~plain.outside(native)]
        if inside.size:
            yield int(inside.min()), int(inside.max())
