"""How far this machine's clock is from a time server's: one question by SNTP (RFC 4330)."""

import socket
import struct
import time

from shared.problems import TrabeculaError

# Seconds from NTP's first day (1900) to Unix's (1970).
ERA_S = 2_208_988_800
# Version 4, a client's question.
QUESTION = b"\x23" + bytes(47)
TIMEOUT_S = 3


class NoTime(TrabeculaError):
    """The time server gave no usable answer."""


def clock_offset_s(server: str, port: int = 123) -> float:
    """Seconds by which the server is ahead of this machine, to within half of the round trip. Blocking.

    Raises:
        NoTime: it cannot be reached, or is not set itself.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(server, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as asked:
            asked.settimeout(TIMEOUT_S)
            asked.connect(address)
            sent = time.time()
            asked.send(QUESTION)
            answer = asked.recv(512)
            had = time.time()
    except OSError as error:
        raise NoTime(f"{server} gives no time: {error}.") from error
    if len(answer) < len(QUESTION) or answer[0] & 0x07 != 4 or not 1 <= answer[1] <= 15:
        raise NoTime(f"{server} gives no time: its answer is none, or its own clock is not set.")
    taken_in, sent_out = (_unix(answer[place : place + 8]) for place in (32, 40))
    return ((taken_in - sent) + (sent_out - had)) / 2


def _unix(stamp: bytes) -> float:
    seconds, fraction = struct.unpack(">II", stamp)
    return float(seconds - ERA_S + fraction / 2**32)
