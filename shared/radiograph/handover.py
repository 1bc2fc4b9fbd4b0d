"""A radiograph on its way from imaging to staging: decoded, upright and with its joints, so that nothing is done twice.

As bytes: a length, the joints in JSON, then the message of `shared.radiograph.message`.
"""

import io
from collections.abc import Sequence
from dataclasses import replace

from pydantic import TypeAdapter

from shared.contracts.handover import LENGTH
from shared.radiograph.joints import KneeJoint
from shared.radiograph.message import exactly, receive, send_radiograph
from shared.radiograph.radiograph import Radiograph

LARGEST_JOINTS_BYTES = 16_000
_JOINTS = TypeAdapter(list[KneeJoint])


def packed(radiograph: Radiograph, joints: Sequence[KneeJoint]) -> bytes:
    """A radiograph the right way round without whom it is of, and the joints that were found in it."""
    stream, found = io.BytesIO(), _JOINTS.dump_json(list(joints))
    stream.write(LENGTH.pack(len(found)))
    stream.write(found)
    send_radiograph(replace(radiograph, source=None), stream)
    return stream.getvalue()


def unpacked(data: bytes) -> tuple[Radiograph, list[KneeJoint]]:
    """What `packed` has made.

    Raises:
        ValueError: it is nothing of that kind.
    """
    stream = io.BytesIO(data)
    try:
        length = LENGTH.unpack(exactly(stream, LENGTH.size))[0]
        if length > LARGEST_JOINTS_BYTES:
            raise ValueError(f"joints of {length} bytes")
        joints = _JOINTS.validate_json(exactly(stream, length))
        return receive(stream), joints
    except EOFError as error:
        raise ValueError(str(error)) from error
