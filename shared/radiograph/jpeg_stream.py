"""The structure of a JPEG or JPEG-LS stream, found by walking its markers as libjpeg does, and never by decoding.

ISO 10918-1 annex B, ISO 14495-1 annex C. The walk ends with the picture: what an application appended (a motion
photo's film, another picture) is neither counted nor decoded. The decoder gets the segments that were walked and
nothing else, so it cannot see another picture than the one whose size was checked.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from shared.problems import UnreadableImage, UnsupportedImage

START = b"\xff\xd8"
# Every start-of-frame marker of JPEG (C4, C8 and CC mean something else) and the one of JPEG-LS.
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7})
SCAN, END, AGAIN = 0xDA, 0xD9, 0xD8
ALONE = frozenset({END, AGAIN})
END_OF_IMAGE = b"\xff\xd9"
JFIF, EXIF, ADOBE, COMMENT = 0xE0, 0xE1, 0xEE, 0xFE
ADOBE_LENGTH = 16  # with the marker
# Fill bytes may stand before a marker; they, restart markers and whatever else stands there are passed over.
MARKER = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd7])", re.DOTALL)
# A progressive JPEG has about ten scans. Each one passes over the whole picture, so ten bytes of file buy a second
# of work: without a limit a small file holds a processor for hours.
MAX_SCANS = 100
MAX_SEGMENTS = 5000
LOSSLESS, JPEG_LS = 0xC3, 0xF7
SEQUENTIAL, PROGRESSIVE = frozenset({0xC0, 0xC1}), 0xC2


Segment = tuple[int, int, int]


@dataclass(frozen=True)
class Frame:
    """The frame header: the start-of-frame marker's code (C2 is progressive), bits a sample, size in pixels, and the
    (horizontal, vertical) sampling factors of each component."""

    process: int
    precision: int
    width: int
    height: int
    sampling: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Jpeg:
    """What a stream says of itself.

    Attributes:
        frame: its frame header.
        segments: (marker's code, start, end) in the data of each marker with its segment, a scan with its pixels.
        ended: the end marker was reached.
    """

    frame: Frame
    segments: tuple[Segment, ...]
    ended: bool

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.frame.width, self.frame.height

    def is_buffered(self, data: bytes) -> bool:
        """Whether a decoder has to keep the coefficients of the whole picture, because several scans hold it."""
        components = len(self.frame.sampling)
        scans = [data[start + 4] for code, start, end in self.segments if code == SCAN and end > start + 4]
        return self.frame.process == PROGRESSIVE or any(count != components for count in scans)

    @property
    def coefficient_bytes_per_pixel(self) -> float:
        """What a decoder that buffers keeps: two bytes for each sample of each component."""
        sampling = self.frame.sampling
        widest, highest = max(across for across, _ in sampling), max(down for _, down in sampling)
        return 2.0 * sum(across * down for across, down in sampling) / (widest * highest)

    def stream(self, data: bytes) -> bytes:
        """The stream without junk between its segments, and without comments of applications that do not matter."""
        kept = [data[start:end] for code, start, end in self.segments if is_needed(code, end - start)]
        return START + b"".join(kept) + END_OF_IMAGE * self.ended


def jpeg_of(data: bytes) -> Jpeg:
    """Walk a stream that begins with `START`, in time linear in its length.

    Raises:
        UnreadableImage: there is no frame header before the first scan, or there are too many scans or segments.
        UnsupportedImage: a second picture begins inside the first.
    """
    frame, scans, ended = None, 0, False
    segments: list[Segment] = []
    for code, start, end in walked(data):
        if code == AGAIN or (code in FRAMES and frame is not None):
            raise UnsupportedImage("The JPEG holds a second picture inside the first: save it again as one picture.")
        ended = code == END
        if code in FRAMES:
            frame = frame_header(data, code, start + 4)
        scans += code == SCAN
        if ended or scans > MAX_SCANS or len(segments) > MAX_SEGMENTS or (scans and frame is None):
            break
        segments.append((code, start, end))
    if frame is None:
        raise UnreadableImage("The JPEG has no frame header: the file is damaged or incomplete, export it again.")
    if scans > MAX_SCANS or len(segments) > MAX_SEGMENTS:
        raise UnreadableImage("The JPEG has too many scans or segments: save it again as a baseline JPEG.")
    return Jpeg(frame, tuple(segments), ended)


def walked(data: bytes) -> Iterator[Segment]:
    """(marker's code, start, end) of each segment; a scan's goes on over its pixels to the next marker."""
    found = MARKER.search(data, len(START))
    while found:
        code, start = found[1][0], found.start()
        end = start + 2
        if code not in ALONE:
            if len(data) < start + 4:
                return
            end += max(2, struct.unpack_from(">H", data, start + 2)[0])
        found = MARKER.search(data, end)
        if code == SCAN:
            end = found.start() if found else len(data)
        yield code, start, end


def is_needed(code: int, length: int) -> bool:
    """Whether a decoder has to see a segment: of applications' own only JFIF, EXIF and an Adobe one that is whole."""
    if code == ADOBE:
        return length >= ADOBE_LENGTH
    return code in (JFIF, EXIF) or not (0xE0 <= code <= 0xEF or code == COMMENT)


def frame_header(data: bytes, code: int, position: int) -> Frame:
    """The segment whose content begins at `position`, behind its marker and length."""
    try:
        precision, height, width, count = struct.unpack_from(">BHHB", data, position)
        factors = [data[position + 7 + 3 * number] for number in range(count)]
    except (struct.error, IndexError) as error:
        raise UnreadableImage("The JPEG ends inside its frame header: export it again from its source.") from error
    if not factors or any(factor >> 4 == 0 or factor & 15 == 0 for factor in factors):
        raise UnreadableImage("The JPEG's frame header names no components: export it again from its source.")
    return Frame(code, precision, width, height, tuple((factor >> 4, factor & 15) for factor in factors))


def refuse_other_processes(frame: Frame, what: str = "The file is") -> None:
    """Refuse what Pillow's decoder does not read, by its name.

    Raises:
        UnsupportedImage: lossless, arithmetic, hierarchical or 12-bit JPEG, or JPEG-LS.
    """
    name = ""
    if frame.process == JPEG_LS:
        name = "a JPEG-LS picture"
    elif frame.process >= 0xC9:
        name = "an arithmetic-coded JPEG"
    elif frame.process == LOSSLESS:
        name = "a lossless JPEG"
    elif frame.process not in SEQUENTIAL and frame.process != PROGRESSIVE:
        name = "a hierarchical JPEG"
    elif frame.precision != 8:
        name = f"a {frame.precision}-bit JPEG"
    if name:
        raise UnsupportedImage(f"{what} {name}, which is not read: save it as an 8-bit baseline JPEG or as a PNG.")
