"""What imaging answers the gateway with: the contract in JSON, and a radiograph that only staging reads.

As bytes: a length, the contract, then the radiograph as `shared.radiograph.handover` packs it, or nothing.
"""

import struct

from shared.contracts.findings import ClassifyAnswer

READING_TYPE, RADIOGRAPH_TYPE = "application/vnd.trabecula.reading", "application/vnd.trabecula.radiograph"
LENGTH = struct.Struct("<Q")


def reading_bytes(answer: ClassifyAnswer, radiograph: bytes) -> bytes:
    """An answer, and the packed radiograph where staging has something to grade."""
    content = answer.model_dump_json().encode()
    return b"".join((LENGTH.pack(len(content)), content, radiograph))


def read_reading(data: bytes) -> tuple[ClassifyAnswer, bytes]:
    """What `reading_bytes` has made.

    Raises:
        ValueError: it is nothing of that kind.
    """
    if len(data) < LENGTH.size:
        raise ValueError(f"{len(data)} bytes are no reading")
    end = LENGTH.size + LENGTH.unpack(data[: LENGTH.size])[0]
    return ClassifyAnswer.model_validate_json(data[LENGTH.size : end]), data[end:]
