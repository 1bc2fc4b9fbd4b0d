"""Names for what people send by mistake: a whole file is never called damaged, it is named and the cure is given."""

import re

from shared.problems import UnreadableImage, UnsupportedImage

CURE = "send the radiograph as a DICOM, JPEG or PNG file"
UNPACK = "unpack it and send the radiograph itself"
# First bytes, where they stand, what the file is, and the cure where it is another than `CURE`.
MAGICS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x1f\x8b", "a gzip archive", UNPACK),
    (0, b"PK\x03\x04", "a ZIP archive (or an Office document)", UNPACK),
    (0, b"PK\x05\x06", "an empty ZIP archive", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (0, b"BZh", "a bzip2 archive", UNPACK),
    (0, b"\xfd7zXZ\x00", "an xz archive", UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK),
    (0, b"\x04\x22\x4d\x18", "an LZ4 archive", UNPACK),
    (257, b"ustar", "a tar archive", UNPACK),
    (32769, b"CD001", "a disc image (ISO archive)", UNPACK),
    (0, b"II+\x00", "a BigTIFF picture", "save it as a plain TIFF, PNG or DICOM file"),
    (0, b"MM\x00+", "a BigTIFF picture", "save it as a plain TIFF, PNG or DICOM file"),
    (0, b"BM", "a BMP picture", CURE),
    (0, b"GIF8", "a GIF picture", CURE),
    (0, b"\xff\x0a", "a JPEG XL picture", CURE),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", CURE),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", CURE),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", CURE),
    (0, b"8BPS", "a Photoshop (PSD) picture", CURE),
    (0, b"\x00\x00\x01\x00", "an ICO picture", CURE),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture", CURE),
    (0, b"qoif", "a QOI picture", CURE),
    (0, b"NRRD000", "an NRRD volume", CURE),
    (344, b"n+1\x00", "a NIfTI volume", CURE),
    (344, b"ni1\x00", "a NIfTI volume", CURE),
    (4, b"n+2\x00", "a NIfTI volume", CURE),
    (0, b"ObjectType", "an MHA or MHD (MetaImage) volume", CURE),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", CURE),
    (0, b"MATLAB 5.0", "a MATLAB file", CURE),
    (0, b"\x93NUMPY", "a NumPy file", CURE),
    (0, b"%PDF", "a PDF document", CURE),
    (0, b"%!PS", "a PostScript document", CURE),
    (0, b"{\\rtf", "an RTF document", CURE),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document", CURE),
    (0, b"\x1aE\xdf\xa3", "a video (WebM or Matroska)", CURE),
    (0, b"OggS", "an Ogg video or sound", CURE),
    (0, b"FLV", "a Flash video", CURE),
    (0, b"\x00\x00\x01\xba", "an MPEG video", CURE),
    (0, b"ID3", "an MP3 sound", CURE),
    (0, b"MZ", "a Windows program (EXE)", CURE),
    (0, b"\x7fELF", "a program (ELF)", CURE),
    (0, b"SQLite format 3\x00", "an SQLite database", CURE),
)
RIFF = {b"AVI ": "an AVI video", b"WAVE": "a WAVE sound"}
# Brands of the ISO media container: HEIC is read elsewhere; everything else here is a video.
BRANDS = {b"avif": "an AVIF picture", b"avis": "an AVIF sequence", b"jxl ": "a JPEG XL picture",
          b"crx ": "a camera's raw picture", b"M4A ": "a sound file"}  # fmt: skip
NETPBM = re.compile(rb"P([1-7])\s")
NETPBM_NAMES = {1: "PBM", 2: "PGM", 3: "PPM", 4: "PBM", 5: "PGM", 6: "PPM", 7: "PAM"}
LOOKED_AT = 4096


def named(data: bytes) -> UnsupportedImage | UnreadableImage:
    """The problem that says what a file is that no reader takes."""
    for offset, magic, kind, cure in MAGICS:
        if data[offset : offset + len(magic)] == magic:
            return UnsupportedImage(f"The file is {kind}, which is not read: {cure}.")
    kind = container(data) or netpbm(data) or text(data)
    if kind:
        return UnsupportedImage(f"The file is {kind}, which is not read: {CURE}.")
    return UnreadableImage(f"The file is not an image that is known here: {CURE}.")


def container(data: bytes) -> str:
    """RIFF and ISO media files by the kind that they name; empty for others."""
    if data[:4] == b"RIFF":
        return RIFF.get(data[8:12], "a RIFF media file")
    if data[4:8] == b"ftyp":
        brands = [data[8:12], *(data[at : at + 4] for at in range(16, min(len(data), 64), 4))]
        return next((BRANDS[brand] for brand in brands if brand in BRANDS), "a video (MP4 or QuickTime)")
    return "a QuickTime video" if data[4:8] in (b"moov", b"mdat", b"wide") else ""


def netpbm(data: bytes) -> str:
    """A portable bitmap, graymap or pixmap; empty for others."""
    found = NETPBM.match(data[:8])
    return f"a Netpbm picture ({NETPBM_NAMES[int(found[1])]})" if found else ""


def text(data: bytes) -> str:
    """A document of text, with or without a byte order mark; empty for what is none."""
    head = data[:LOOKED_AT]
    try:
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            plain = head[: len(head) // 2 * 2].decode("utf-16", "ignore")
        else:
            plain = head.decode("utf-8-sig") if len(data) <= LOOKED_AT else head[:-3].decode("utf-8-sig", "strict")
    except UnicodeDecodeError:
        return ""
    words = plain.lstrip("\ufeff \t\r\n").lower()
    if not words or any(letter < " " and letter not in "\t\r\n\f" for letter in words):
        return ""
    if "<svg" in words:
        return "an SVG drawing"
    if words.startswith(("<!doctype html", "<html", "<head", "<body")) or "<html" in words:
        return "an HTML page"
    if words.startswith("<"):
        return "an XML document"
    if words.startswith(("{", "[")):
        return "a JSON document"
    return "plain text"
