"""A decoded radiograph as it comes back from the decoding process: a header in JSON, then the gray pixels.

The process has met hostile bytes, so nothing that it says is taken for more than it is: JSON of a known shape and a
bounded size, never a pickle, and as many pixels as the header says, which are never more than a working picture has.
"""

from typing import Any, BinaryIO, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, create_model

from shared.contracts.handover import LENGTH
from shared.problems import ImageTooLarge, InvalidInput, UnreadableImage, UnsupportedImage
from shared.radiograph.radiograph import WORKING_SIZE, Radiograph

LARGEST_HEADER_BYTES = 64_000

# What a `Radiograph` has beside its pixels; one place for the names and their types.
_FACTS: dict[str, Any] = {name: kind for name, kind in get_type_hints(Radiograph).items() if name != "pixels"}
Facts = create_model(  # type: ignore[call-overload]
    "Facts", __config__=ConfigDict(extra="forbid"), **{name: (kind, ...) for name, kind in _FACTS.items()}
)
PROBLEMS_OF_A_FILE: dict[str, type[InvalidInput]] = {
    kind.__name__: kind for kind in (UnreadableImage, UnsupportedImage, ImageTooLarge)
}


class Header(BaseModel):
    """What precedes the pixels: their size and the film's facts, or the problem that there was."""

    model_config = ConfigDict(extra="forbid")

    height: int = Field(0, ge=0, le=WORKING_SIZE)
    width: int = Field(0, ge=0, le=WORKING_SIZE)
    facts: Any = None
    problem: str | None = None
    detail: str = ""
    members: dict[str, Any] = {}


def send_radiograph(radiograph: Radiograph, stream: BinaryIO) -> None:
    """Write a radiograph."""
    height, width = radiograph.pixels.shape
    facts = {name: getattr(radiograph, name) for name in _FACTS}
    _send_header(Header(height=height, width=width, facts=Facts(**facts).model_dump(mode="json")), stream)
    stream.write(np.ascontiguousarray(radiograph.pixels).data)
    stream.flush()


def send_problem(error: InvalidInput, stream: BinaryIO) -> None:
    """Write why there is no radiograph."""
    _send_header(Header(problem=type(error).__name__, detail=error.detail, members=error.members), stream)
    stream.flush()


def receive(stream: BinaryIO) -> Radiograph:
    """Read what `send_radiograph` or `send_problem` wrote.

    Raises:
        InvalidInput: the problem that was sent.
        EOFError: the process ended first.
        ValueError: what came is no such message.
    """
    length = LENGTH.unpack(exactly(stream, LENGTH.size))[0]
    if length > LARGEST_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes")
    header = Header.model_validate_json(exactly(stream, length))
    if header.problem is not None:
        raise PROBLEMS_OF_A_FILE[header.problem](header.detail, **header.members)
    pixels = np.frombuffer(exactly(stream, header.height * header.width), np.uint8)
    facts = Facts.model_validate(header.facts)
    return Radiograph(
        pixels=pixels.reshape(header.height, header.width), **{name: getattr(facts, name) for name in _FACTS}
    )


def exactly(stream: BinaryIO, count: int) -> bytes:
    """So many bytes. Raises `EOFError` where the stream ends first."""
    data = stream.read(count)
    if len(data) < count:
        raise EOFError(f"{len(data)} bytes of {count}")
    return data


def _send_header(header: Header, stream: BinaryIO) -> None:
    content = header.model_dump_json().encode()
    stream.write(LENGTH.pack(len(content)) + content)
