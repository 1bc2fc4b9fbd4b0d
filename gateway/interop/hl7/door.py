"""MLLP as a server (HL7 v2 transport, release 1): one message after another, each answered once it is stored."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import structlog

from gateway.interop.hl7.acknowledgement import acknowledgement
from gateway.interop.hl7.reading import MOST_BYTES, Header, NotTaken, Received, read_header, read_message
from gateway.interop.hl7.writing import CharacterSet, encoded

START, END = b"\x0b", b"\x1c\r"
CONNECTIONS = 8
# Seconds: for the handshake, for a message once it has begun and for taking its answer, for storing it, and between two
# messages, as senders keep connections open.
HANDSHAKE_S, MESSAGE_S, STORING_S, IDLE_S = 5, 30, 30, 3600

Take = Callable[[Received], Awaitable[None]]
TurnAway = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Hl7Door:
    """Where messages come in.

    Args:
        port: 2575 as a rule; 0 takes any.
        peers: addresses or networks by `APPLICATION|FACILITY`; nobody else is heard.
        tls: null where the network is trusted.
    """

    host: str
    port: int
    peers: Mapping[str, tuple[str, ...]]
    tls: ssl.SSLContext | None

    def hears(self, address: str, sender: str | None = None) -> bool:
        """Whether anybody may send from this address, or this very sender."""
        try:
            there = ip_address(address.removeprefix("::ffff:"))
        except ValueError:
            return False
        named = self.peers.values() if sender is None else [self.peers.get(sender, ())]
        return any(there in ip_network(network) for networks in named for network in networks)


@asynccontextmanager
async def open_hl7_door(door: Hl7Door, take: Take, turn_away: TurnAway) -> AsyncIterator[int]:
    """Listen until the block ends; gives the port.

    Args:
        take: does what a message asks and returns once it is stored.
        turn_away: counts what was refused, by reason.

    Raises:
        OSError: the port is taken.
    """
    receiving = _Receiving(door, take, turn_away)
    server = await asyncio.start_server(receiving.serve, door.host, door.port, limit=MOST_BYTES)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        receiving.close()


class _Receiving:
    """What is done with each connection."""

    def __init__(self, door: Hl7Door, take: Take, turn_away: TurnAway) -> None:
        self._door, self._take, self._turn_away = door, take, turn_away
        self._open: set[asyncio.StreamWriter] = set()
        self._one_by_one = asyncio.Lock()
        self._log = structlog.get_logger("trabecula").bind(door="hl7")

    def close(self) -> None:
        """Close every connection."""
        for writer in self._open:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        address = str((writer.get_extra_info("peername") or ("",))[0])
        full = len(self._open) >= CONNECTIONS
        self._open.add(writer)
        try:
            if not self._door.hears(address):
                await self._count("hl7_address", address)
            elif full:
                await self._count("hl7_too_many_connections", address)
            else:
                await self._talk(reader, writer, address)
        except asyncio.IncompleteReadError:
            self._log.info("a sender left within a message", address=address)
        except TimeoutError:
            await self._count("hl7_silence", address)
        except (OSError, ssl.SSLError) as error:
            self._log.info("a connection broke off", address=address, why=type(error).__name__)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        if self._door.tls is not None:
            try:
                await writer.start_tls(self._door.tls, ssl_handshake_timeout=HANDSHAKE_S)
            except (OSError, ssl.SSLError) as error:  # a certificate that ran out, or none, on either side
                await self._count("hl7_tls", address, getattr(error, "verify_message", None) or type(error).__name__)
                return
        while not reader.at_eof():
            try:
                first = await asyncio.wait_for(reader.read(1), IDLE_S)
            except TimeoutError:  # nothing was begun, and nothing is lost
                return
            if not first:
                return
            block = await self._block(first, reader, address)
            if block is None:
                return
            writer.write(START + await self._answer(block, address) + END)
            async with asyncio.timeout(MESSAGE_S):
                await writer.drain()

    async def _block(self, first: bytes, reader: asyncio.StreamReader, address: str) -> bytes | None:
        """The rest of a message; null where none begins, or where it is too large: then the connection ends."""
        if first != START:
            await self._count("hl7_framing", address)
            return None
        try:
            async with asyncio.timeout(MESSAGE_S):
                return (await reader.readuntil(END)).removesuffix(END)
        except asyncio.LimitOverrunError:
            await self._count("hl7_too_large", address)
            return None

    async def _answer(self, block: bytes, address: str) -> bytes:
        """What is answered to a message, once it is stored or refused."""
        header: Header | None = None
        refusal: NotTaken | None = None
        try:
            header = read_header(block)
            if not self._door.hears(address, header.sender):
                raise NotTaken(f"{header.sender} may not send from here.", "AR", "hl7_sender", "103")
            async with self._one_by_one:  # one message in memory, however many senders there are
                received = await asyncio.to_thread(read_message, block, header)
                async with asyncio.timeout(STORING_S):
                    await self._take(received)
        except NotTaken as error:
            refusal = error
            await self._count(error.reason, address, error.detail)
        except Exception:  # the database is away, say: the sender keeps the message and sends it again
            self._log.exception("a message was not stored")
            refusal = NotTaken("It could not be stored now: send it again.", "AE", "hl7_not_stored", "207")
        answer_in: CharacterSet = "UNICODE UTF-8" if header and header.character_set == "UNICODE UTF-8" else "ASCII"
        return encoded(acknowledgement(header, refusal), answer_in)

    async def _count(self, reason: str, address: str, why: str | None = None) -> None:
        self._log.warning("turned away", reason=reason, address=address, why=why)
        try:
            await self._turn_away(reason)
        except Exception:
            self._log.exception("what was turned away is not counted")
