"""What a JPEG 2000 codestream announces about itself (ISO 15444-1 annex A), read from its header only.

The size of a picture is checked before a decoder allocates anything: a header of a hundred bytes can announce
50,000 x 50,000 pixels. DICOM allows the bare codestream only (PS3.5 A.4.4). A JP2 file around it could hold a second
codestream of another size than the one that was checked, so it is refused.
"""

import struct
from dataclasses import dataclass

from shared.problems import UnreadableImage, UnsupportedImage

START = b"\xff\x4f\xff\x51"
JP2_START = b"\x00\x00\x00\x0cjP"
CODING_STYLE, FIRST_TILE = 0x52, 0x90
COMPONENTS_AT = 40


@dataclass(frozen=True)
class Jpeg2000:
    """What a codestream says of itself.

    Attributes:
        width, height: in pixels.
        components: how many.
        precision: bits of the first component.
        signed: whether the first component's values are.
        halvings: how often the picture can be halved while it is decoded.
    """

    width: int
    height: int
    components: int
    precision: int
    signed: bool
    halvings: int


def jpeg_2000_of(data: bytes) -> Jpeg2000:
    """The main header of a bare codestream.

    Raises:
        UnsupportedImage: the stream stands in a JP2 file.
        UnreadableImage: it does not begin as a codestream does.
    """
    if data.startswith(JP2_START):
        raise UnsupportedImage("The pixels are a JP2 file, not a bare JPEG 2000 codestream: export the file again.")
    if not data.startswith(START) or len(data) < COMPONENTS_AT + 5:
        raise UnreadableImage("The JPEG 2000 picture has no header: the file is damaged, export it again.")
    right, bottom, left, top = struct.unpack_from(">IIII", data, 8)
    components, first = struct.unpack_from(">HB", data, COMPONENTS_AT)
    return Jpeg2000(right - left, bottom - top, components, (first & 127) + 1, bool(first & 128), halvings(data))


def halvings(data: bytes) -> int:
    """Decomposition levels by the coding style segment of the main header; 0 where there is none."""
    position: int = 4 + struct.unpack_from(">H", data, 4)[0]
    while position + 10 <= len(data) and data[position] == 0xFF and data[position + 1] != FIRST_TILE:
        if data[position + 1] == CODING_STYLE:
            return int(min(data[position + 9], 32))
        position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    return 0
