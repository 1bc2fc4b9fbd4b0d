"""From a PNG's samples to what it shows: gray or colour, palettes looked up, what is transparent as black as air."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from shared.problems import UnsupportedImage
from shared.radiograph.limits import IntakeLimits, checked_size
from shared.radiograph.png import CHANNELS, PALETTE, PngHeader, chunks, png_header, sample_strips
from shared.radiograph.reduction import fitted_strips, strip_rows
from shared.radiograph.tones import Pixels

GRAY, COLOUR = 0, 2
# Strips need hardly any memory, so a picture of strips is limited by its pixels alone.
STRIP_COST = 1.0
# Pillow keeps an interlaced picture whole: gray and palettes by the byte, colour and alpha by four.
INTERLACED_COST = {1: 1.0, 2: 4.0, 3: 4.0, 4: 4.0}


def shown_png(data: bytes, limits: IntakeLimits) -> tuple[Pixels, tuple[int, int], bytes]:
    """(the picture at working size, its size in the file, its EXIF data).

    Pixels are (height, width) or (height, width, 3), uint8 or for deep files uint16.

    A picture that is nowhere half opaque would be all black. There the alpha channel was written wrongly, and it is
    left out.

    Raises:
        UnreadableImage, UnsupportedImage, ImageTooLarge: by the header.
        ValueError, zlib.error, OSError: a damaged or truncated file.
    """
    header = png_header(data)
    cost = STRIP_COST
    if header.interlaced:
        if header.depth == 16 and header.channels > 1:
            raise UnsupportedImage("The PNG is interlaced and has 16-bit colour: save it as grayscale.")
        cost = 2.0 if header.depth == 16 else INTERLACED_COST[header.channels]
    checked_size(header.width, header.height, limits, cost, "interlaced PNG" if header.interlaced else "PNG")
    parts, extras = [], {}
    for name, content in chunks(data):
        if name == b"IDAT":
            parts.append(content)
        elif name in (b"PLTE", b"tRNS", b"eXIf"):
            extras[name] = bytes(content)
    if header.colour_type == PALETTE and b"PLTE" not in extras:
        raise ValueError("the palette is missing")
    view = View(header, extras.get(b"PLTE", b""), extras.get(b"tRNS", b""))
    pixels = reduced(data, parts, view)
    if not view.seen:
        view.opaque = True
        pixels = reduced(data, parts, view)
    return pixels, (header.width, header.height), extras.get(b"eXIf", b"")


def reduced(data: bytes, parts: list[memoryview], view: "View") -> Pixels:
    """The whole picture at working size as `view` shows it."""
    header = view.header
    strips = interlaced_strips(data, header) if header.interlaced else sample_strips(parts, header)
    return fitted_strips((view.shown(strip) for strip in strips), header.width, header.height)


def interlaced_strips(data: bytes, header: PngHeader) -> Iterator[Pixels]:
    """As `sample_strips`, from the whole picture that Pillow decodes; samples of less than 8 bit come in 8."""
    rows = strip_rows(header.width)
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        if image.size != (header.width, header.height):
            raise ValueError("the PNG has two sizes")
        image.load()
        for top in range(0, header.height, rows):
            strip = np.asarray(image.crop((0, top, header.width, min(header.height, top + rows))))
            if strip.dtype == bool or image.mode == "1":
                strip = strip.astype(np.uint8) * 255
            yield strip


class View:
    """How the samples of one file are shown."""

    def __init__(self, header: PngHeader, palette: bytes, transparent: bytes) -> None:
        self.header = header
        self.opaque = False
        self.deepest = 65535 if header.depth == 16 else 255
        self.table, alpha = tables(palette, transparent)
        # Whether any pixel was at least half opaque; only what can be transparent has to be looked at.
        self.key = keys(transparent, header)
        self.alpha = alpha if header.colour_type == PALETTE and transparent else None
        self.seen = CHANNELS[header.colour_type] in (1, 3) and self.key is None and self.alpha is None

    def shown(self, strip: Pixels) -> Pixels:
        """A strip of samples as gray, (rows, width), or colour, (rows, width, 3)."""
        if self.header.colour_type == PALETTE:
            alpha = None if self.alpha is None else self.alpha[strip]
            return self.faded(self.table[strip], alpha)
        if self.header.channels in (2, 4):
            plain = strip[..., 0] if self.header.channels == 2 else strip[..., :3]
            return self.faded(plain, strip[..., -1])
        alpha = None
        if self.key is not None:
            alpha = np.where((strip == self.key).reshape(*strip.shape[:2], -1).all(axis=2), 0, self.deepest)
        if self.header.depth < 8 and not self.header.interlaced:
            strip = strip * np.uint8(255 // (2**self.header.depth - 1))
        return self.faded(strip, alpha)

    def faded(self, plain: Pixels, alpha: Pixels | None) -> Pixels:
        """The pixels on black."""
        if alpha is None or self.opaque:
            return plain
        if alpha.min() == self.deepest:
            self.seen = True
            return plain
        self.seen = self.seen or 2 * int(alpha.max()) > self.deepest
        shares = alpha.astype(np.float32) / self.deepest
        faded = plain * (shares if plain.ndim == 2 else shares[..., np.newaxis])
        return np.rint(faded).astype(plain.dtype)


def tables(palette: bytes, transparent: bytes) -> tuple[Pixels, Pixels]:
    """The colours of the 256 indices, as gray where all of them are gray, and how opaque each is, 0 to 255."""
    colours = np.zeros((256, 3), np.uint8)
    known = np.frombuffer(palette[: 768 // 3 * 3], np.uint8)[: len(palette) // 3 * 3].reshape(-1, 3)
    colours[: len(known)] = known
    alpha = np.full(256, 255, np.uint8)
    alpha[: min(256, len(transparent))] = np.frombuffer(transparent[:256], np.uint8)
    gray = bool((colours == colours[:, :1]).all())
    return (colours[:, 0] if gray else colours), alpha


def keys(transparent: bytes, header: PngHeader) -> Pixels | None:
    """The one gray or colour that is transparent in a picture without alpha channel, in the units of its samples."""
    if header.colour_type not in (GRAY, COLOUR) or len(transparent) < 2 * header.channels:
        return None
    key = np.frombuffer(transparent[: 2 * header.channels], ">u2").astype(np.int64)
    if header.depth < 8 and header.interlaced:
        key = key * (255 // (2**header.depth - 1))  # as Pillow scales the samples
    return key if header.channels == 3 else key[0:1]
