"""The process in which the bytes of uploads are decoded: it has no secret, no network, no file and little memory.

Pillow, OpenCV, pydicom and gdcm meet hostile bytes; some of them answer damaged streams by ending the process (an
uncaught C++ exception, a corrupt heap) or ask for gigabytes. Here that costs one upload. `DecoderPool` starts it:

    python -m shared.radiograph.decoder_process TURN [MEGABYTES SECONDS] < requests > replies

TURN is the number of the file of `LargeTurn`, or 0. The limits are for one upload; without them the starter watches the
process. A request is a length and as many bytes;
a reply is a message of `shared.radiograph.message`. The first reply, before any request, is one byte: it is ready.
"""

import codecs
import io
import os
import sys
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from shared.contracts.handover import LENGTH
from shared.problems import InvalidInput, UnreadableImage
from shared.radiograph.intake import DAMAGED, IntakeLimits, decode
from shared.radiograph.large_turn import LargeTurn
from shared.radiograph.message import exactly, send_problem, send_radiograph
from shared.radiograph.phantom_files import as_dicom, as_jpeg, as_png16
from shared.radiograph.prepare import GrayPixels

READY = b"R"
MEGABYTE = 1_000_000
# Kernels that hold a process to its limits. macOS accepts them and does nothing; Windows has none.
HAS_LIMITS = sys.platform == "linux"


def main(turn_file: int, megabytes: int = 0, seconds: int = 0) -> None:
    """Decode one upload after the other, until there are no more."""
    requests, replies = sys.stdin.buffer, private_output()
    warm_up()
    turn = LargeTurn(turn_file or None)
    if megabytes:
        limit_process(megabytes)
    replies.write(READY)
    replies.flush()
    while length := requests.read(LENGTH.size):
        if seconds:
            limit_time(seconds)
        answer(exactly(requests, LENGTH.unpack(length)[0]), replies, turn)


def answer(data: bytes, replies: BinaryIO, turn: LargeTurn) -> None:
    """Decode one upload and reply."""
    try:
        radiograph = decode(data, IntakeLimits(before_large=turn.take))
    except InvalidInput as error:
        send_problem(error, replies)
    except Exception:  # whatever it is, the next upload is not to blame for it
        send_problem(UnreadableImage(DAMAGED), replies)
    else:
        send_radiograph(radiograph, replies)
    finally:
        turn.give_back()


def private_output() -> BinaryIO:
    """Standard output for replies alone: whatever a library prints goes to standard error from here on."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


def warm_up() -> None:
    """Decode a small picture of each kind, which loads every library; afterwards no file can be opened any more."""
    import gdcm  # noqa: F401
    import pi_heif  # noqa: F401
    from pydicom.charset import python_encoding
    from pydicom.pixels import decoders  # noqa: F401

    for encoding in ("utf-8-sig", "utf-16", *python_encoding.values()):
        codecs.lookup(encoding)
    cv2.setNumThreads(1)
    pixels = np.add.outer(np.arange(32, dtype=np.uint8), np.arange(32, dtype=np.uint8))
    for data in (as_jpeg(pixels), as_png16(pixels), as_dicom(pixels), *other_files(pixels)):
        decode(data)


def other_files(pixels: GrayPixels) -> list[bytes]:
    """The same picture in the other formats that are read."""
    files = []
    for kind in ("TIFF", "WEBP"):
        file = io.BytesIO()
        Image.fromarray(pixels).convert("RGB").save(file, kind)
        files.append(file.getvalue())
    return files


def limit_process(megabytes: int) -> None:
    """No more memory than that beside what is loaded, no new file or connection, no core dump."""
    import resource

    loaded = int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    most = loaded + megabytes * MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def limit_time(seconds: int) -> None:
    """The kernel ends the process when it has computed for so long from now on."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:]))
