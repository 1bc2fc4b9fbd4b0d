"""The parts of a `multipart/related` body (RFC 2387) as they become whole, so that one is in memory at a time."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.problems import MalformedBody, UnsupportedMediaType

DICOM = b"application/dicom"
HOW = 'Send multipart/related; type="application/dicom"; boundary=... (PS3.18 10.5), each part a DICOM file.'


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names.

    Raises:
        UnsupportedMediaType: it is not that of DICOM files in parts.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/related" or options.get(b"type", DICOM).lower() != DICOM or b"boundary" not in options:
        raise UnsupportedMediaType(HOW)
    return options[b"boundary"]


async def parts_of(body: AsyncIterable[bytes], boundary: bytes, largest: int) -> AsyncIterator[bytes | None]:
    """Each part's bytes; null for one that is larger than `largest`.

    Raises:
        MalformedBody: the body cannot be taken apart, or was cut off.
    """
    reading = _Parts(largest)
    try:
        parser = MultipartParser(boundary, reading.callbacks())
        async for piece in body:
            parser.write(piece)
            while reading.whole:
                yield reading.whole.pop(0)
        parser.finalize()
    except MultipartParseError as error:
        raise MalformedBody(f"The body cannot be taken apart ({error}). {HOW}") from error
    while reading.whole:
        yield reading.whole.pop(0)
    if not reading.ended:
        raise MalformedBody("The body is cut off: it ends before its final boundary. Send it again whole.")


class _Parts:
    """Collects what the parser finds."""

    def __init__(self, largest: int) -> None:
        self._largest, self._part, self._too_large = largest, bytearray(), False
        self.whole: list[bytes | None] = []
        self.ended = False

    def callbacks(self) -> Any:
        """By the parser's names."""
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._part, self._too_large = bytearray(), False

    def _data(self, data: bytes, start: int, end: int) -> None:
        if len(self._part) + end - start > self._largest:
            self._part, self._too_large = bytearray(), True
        if not self._too_large:
            self._part += data[start:end]

    def _end_part(self) -> None:
        self.whole.append(None if self._too_large else bytes(self._part))
        self._part = bytearray()

    def _end(self) -> None:
        self.ended = True
