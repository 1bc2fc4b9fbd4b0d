"""PNG, read strip by strip: a file of a hundred kilobytes can hold 64 million pixels of eight bytes each.

The rows are inflated here. Their filters are undone by OpenCV's decoder, which gets each strip as a small PNG of its
own, with the row before it on top. ISO/IEC 15948.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from shared.problems import UnreadableImage
from shared.radiograph.reduction import strip_rows
from shared.radiograph.tones import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PALETTE = 3
LAST_FILTER = 4
PIECE = 1 << 16
# Bytes between a row's sample and the one before it, to the kind of picture whose filters work alike:
# (bit depth, colour type).
ALIKE = {1: (8, 0), 2: (16, 0), 3: (8, 2), 4: (8, 6), 6: (16, 2), 8: (16, 6)}
BACK = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class PngHeader:
    """The IHDR chunk."""

    width: int
    height: int
    depth: int
    colour_type: int
    interlaced: bool

    @property
    def channels(self) -> int:
        return CHANNELS[self.colour_type]

    @property
    def row_bytes(self) -> int:
        return (self.width * self.channels * self.depth + 7) // 8

    @property
    def pixel_bytes(self) -> int:
        return max(1, self.channels * self.depth // 8)


def png_header(data: bytes) -> PngHeader:
    """The IHDR chunk, which the specification puts first.

    Raises:
        UnreadableImage: it is not there, or of no kind that the specification knows.
    """
    if len(data) < 29 or data[12:16] != b"IHDR":
        raise UnreadableImage("The PNG has no header: the file is damaged or incomplete, export it again.")
    width, height, depth, colour_type, _, _, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    if colour_type not in CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise UnreadableImage("The PNG's header is of no known kind: export it again from its source.")
    return PngHeader(width, height, depth, colour_type, interlace != 0)


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(name, content) of each chunk up to IEND.

    Raises:
        ValueError: a checksum is wrong, or the file ends before IEND.
    """
    view, position = memoryview(data), len(SIGNATURE)
    while position + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        body = view[position + 4 : position + 8 + length]
        if position + 12 + length > len(data):
            break
        if zlib.crc32(body) != struct.unpack_from(">I", data, position + 8 + length)[0]:
            raise ValueError(f"the checksum of {name!r} is wrong")
        yield name, body[4:]
        if name == b"IEND":
            return
        position += 12 + length
    raise ValueError("the PNG ends before IEND")


def sample_strips(parts: list[memoryview], header: PngHeader) -> Iterator[Pixels]:
    """The samples of a picture without interlacing, from the contents of its IDAT chunks.

    Yields:
        (rows, width) or (rows, width, channels), uint8 as stored (indices, for a palette) or uint16.
    """
    above = np.zeros((1, header.row_bytes), np.uint8)
    for rows in filtered_rows(parts, header):
        strip = unfiltered(rows, above, header)
        above = strip[-1:]
        yield samples(strip, header)


def filtered_rows(parts: list[memoryview], header: PngHeader) -> Iterator[Bytes]:
    """Inflated rows with their filter byte in front, (rows, 1 + row bytes), a strip at a time."""
    engine, left, stride = zlib.decompressobj(), header.height, header.row_bytes + 1
    strip, buffer = strip_rows(header.width), bytearray()
    for piece in (part[at : at + PIECE] for part in parts for at in range(0, len(part), PIECE)):
        waiting: bytes | memoryview = piece
        while left:
            wanted = min(left, strip) * stride
            got = engine.decompress(waiting, wanted - len(buffer))
            waiting = engine.unconsumed_tail
            buffer += got
            if len(buffer) == wanted:
                left -= wanted // stride
                yield np.frombuffer(bytes(buffer), np.uint8).reshape(-1, stride)
                buffer.clear()
            elif not waiting:
                break
    if left:
        raise ValueError(f"{left} rows are missing")


def unfiltered(rows: Bytes, above: Bytes, header: PngHeader) -> Bytes:
    """The bytes of the rows, (rows, row bytes). `above` is the row before the first."""
    if rows[:, 0].max() > LAST_FILTER:
        raise ValueError("a row has no known filter")
    depth, colour_type = ALIKE[header.pixel_bytes]
    head = struct.pack(">IIBBBBB", header.row_bytes // header.pixel_bytes, len(rows) + 1, depth, colour_type, 0, 0, 0)
    body = zlib.compress(b"\x00" + above.tobytes() + rows.tobytes(), 0)
    small = SIGNATURE + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    decoded = cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("the PNG decoder gave nothing")
    channels = cv2.cvtColor(decoded, BACK[decoded.shape[2]]) if decoded.ndim == 3 else decoded
    return np.asarray(channels)[1:].astype(f">u{depth // 8}", copy=False).reshape(len(rows), -1).view(np.uint8)


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))


def samples(rows: Bytes, header: PngHeader) -> Pixels:
    """Rows of bytes as rows of samples."""
    if header.depth == 16:
        values: Pixels = rows.view(">u2").astype(np.uint16)
    elif header.depth == 8:
        values = rows
    else:
        places = np.arange(8 - header.depth, -1, -header.depth, dtype=np.uint8)
        values = (rows[:, :, np.newaxis] >> places) & (2**header.depth - 1)
        values = values.reshape(len(rows), -1)[:, : header.width]
    return values if header.channels == 1 else values.reshape(len(rows), header.width, header.channels)
