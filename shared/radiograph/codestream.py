"""What a compressed picture announces about itself, read from a few header bytes and never by decoding.

The size of a picture is checked here before a decoder allocates anything: a header of a hundred bytes can announce
50,000 x 50,000 pixels. JPEG and JPEG-LS: ISO 10918-1 annex B, ISO 14495-1 annex C. JPEG 2000: ISO 15444-1 annex A.
"""

import struct

from shared.problems import ImageTooLarge, UnreadableImage

JPEG_START = b"\xff\xd8"
JPEG_2000_START = b"\xff\x4f\xff\x51"
# Every start-of-frame marker of JPEG (C4, C8 and CC mean something else) and the one of JPEG-LS.
FRAME_MARKERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7})
BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
SCAN_MARKER = b"\xff\xda"
SCAN, END = 0xDA, 0xD9
# A progressive JPEG has about ten scans. Each one passes over the whole picture, so ten bytes of file buy a second
# of work: without a limit a small file holds a processor for hours.
MAX_SCANS = 100


def checked_size(width: int, height: int, max_pixels: int) -> tuple[int, int]:
    """The size as given, if a picture of it is decoded.

    Raises:
        UnreadableImage: a side is not above zero.
        ImageTooLarge: more pixels than `max_pixels`.
    """
    if width <= 0 or height <= 0:
        raise UnreadableImage(f"The image says it is {width} x {height} pixels: export it again from its source.")
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"The image is {width:,} x {height:,} pixels and at most {max_pixels / 1e6:g} megapixels are read: "
            "send it smaller."
        )
    return width, height


def jpeg_size(data: bytes) -> tuple[int, int]:
    """(width, height) by the frame header of a JPEG or JPEG-LS stream."""
    height, width = struct.unpack_from(">HH", data, jpeg_frame_header(data) + 1)
    return width, height


def jpeg_precision(data: bytes) -> int:
    """Bits a sample by the frame header of a JPEG or JPEG-LS stream."""
    return data[jpeg_frame_header(data)]


def jpeg_frame_header(data: bytes) -> int:
    """Where in a JPEG or JPEG-LS stream the frame's precision, height and width stand.

    Raises:
        UnreadableImage: there is no frame header before the first scan, or there are too many scans.
    """
    if data.count(SCAN_MARKER) > MAX_SCANS:
        raise UnreadableImage("The JPEG has too many scans: save it again as a baseline JPEG.")
    position = len(JPEG_START)
    while position + 4 <= len(data):
        marker = data[position + 1]
        if data[position] != 0xFF or marker in (SCAN, END):
            break
        if marker == 0xFF or marker in BARE_MARKERS:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in FRAME_MARKERS and position + 9 <= len(data):
            return position + 4
        position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    raise UnreadableImage("The JPEG has no frame header: the file is damaged or incomplete, export it again.")


def jpeg_2000_size(data: bytes) -> tuple[int, int]:
    """(width, height) from the SIZ segment of a JPEG 2000 codestream, bare or inside a JP2 file.

    Raises:
        UnreadableImage: there is no SIZ segment.
    """
    start = data.find(JPEG_2000_START)
    if start < 0 or len(data) < start + 24:
        raise UnreadableImage("The JPEG 2000 picture has no header: the file is damaged, export it again.")
    right, bottom, left, top = struct.unpack_from(">IIII", data, start + 8)
    return right - left, bottom - top


def compressed_size(data: bytes) -> tuple[int, int]:
    """(width, height) of a JPEG, JPEG-LS or JPEG 2000 stream, by its first bytes."""
    return jpeg_size(data) if data.startswith(JPEG_START) else jpeg_2000_size(data)


def png_size(data: bytes) -> tuple[int, int]:
    """(width, height) from the IHDR chunk, which the PNG specification puts first."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        raise UnreadableImage("The PNG has no header: the file is damaged or incomplete, export it again.")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height
