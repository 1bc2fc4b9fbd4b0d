"""Whole files that ask for much memory or time: each announces, or really has, a very large picture in few bytes."""

import struct
import zlib
from collections.abc import Iterator
from itertools import islice

import numpy as np
from PIL import Image

from tests.fuzz.inputs import encapsulated, files, saved
from tests.fuzz.intake import case

SIDES = (2000, 4000, 6000, 8000, 12000, 30000)
# Bits a channel, PNG's colour type, channels.
KINDS = ((8, 0, 1), (16, 0, 1), (8, 2, 3), (16, 2, 3), (8, 6, 4), (16, 6, 4), (1, 0, 1), (8, 4, 2))


def hostile_files(count: int) -> Iterator[bytes]:
    """So many files: every large picture that can be made in a moment, then small ones that are mutated."""
    large = (data for side in SIDES for data in (*pngs(side), *others(side)))
    corpus = files()
    mutated = (case(number, corpus)[1] for number in range(count))
    return islice((data for part in (large, mutated) for data in part), count)


def pngs(side: int) -> Iterator[bytes]:
    """PNG of every depth and colour, of zeros, which compress a thousand times."""
    for depth, colour, channels in KINDS:
        row = bytes(1 + (side * depth * channels + 7) // 8)
        yield png(side, depth, colour, 0, row)
        yield png(side, depth, colour, 1, row)


def png(side: int, depth: int, colour: int, interlaced: int, row: bytes) -> bytes:
    """A PNG whose header says side x side, of at most 8,000 of these rows."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(row) for _ in range(min(side, 8000))) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, interlaced)
    chunks = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def others(side: int) -> Iterator[bytes]:
    """JPEG, TIFF, WebP and JPEG 2000 of the same size, as far as they can be that large."""
    if side > 8000:
        return
    flat = Image.fromarray(np.zeros((side, side), np.uint8))
    yield saved(flat, "JPEG", progressive=True)
    yield saved(flat, "TIFF", compression="tiff_adobe_deflate")
    yield saved(flat.convert("1"), "TIFF", compression="group4")
    if side <= 4000:
        yield saved(flat, "WEBP")
        yield encapsulated(saved(flat, "JPEG2000", no_jp2=True), "1.2.840.10008.1.2.4.90")
