"""Keeping a server's memory small where the C library is glibc; nothing happens elsewhere."""

import asyncio
import ctypes
import sys

# mallopt(3): the number of M_ARENA_MAX in malloc.h.
M_ARENA_MAX = -8
# Each thread that computes gets an arena of its own otherwise, and each keeps what its largest picture took.
ARENAS = 2
EVERY_S = 60.0


def use_few_arenas() -> None:
    """Let threads share their heaps. To be called before threads begin."""
    if (libc := glibc()) is not None:
        libc.mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Hand the pages that nothing uses back to the system; a few milliseconds."""
    if (libc := glibc()) is not None:
        libc.malloc_trim(0)


async def give_back_regularly() -> None:
    """For as long as it runs: what busy minutes took is not kept for ever."""
    while True:
        await asyncio.sleep(EVERY_S)
        await asyncio.to_thread(give_back)


def glibc() -> ctypes.CDLL | None:
    """The C library of this process, where it has these functions."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
