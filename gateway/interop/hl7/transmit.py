"""MLLP as a client: one message over one connection, and what the other side says to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.assessing.outbox_worker import NotDelivered
from gateway.interop.hl7.destinations import Hl7Destination
from gateway.interop.hl7.door import END, START
from gateway.interop.hl7.reading import MOST_BYTES, NotTaken, read_answer, text

# Seconds: for a connection with its handshake, and for the answer.
CONNECTING_S, ANSWER_S = 10, 30
# Taken; refused, so that sending it again is no use (table 0008).
TAKEN, REFUSED = frozenset({"AA", "CA"}), frozenset({"AE", "AR", "CE", "CR"})


@dataclass(frozen=True)
class Answer:
    """What the other side says to a message: a code, and words where it refuses it."""

    code: str
    words: str


async def transmit(data: bytes, control_id: str, to: Hl7Destination) -> Answer:
    """Send a message, and hear that it was taken or refused.

    Raises:
        NotDelivered: there is no connection, or no answer to this very message in time.
    """
    async with connected(to) as (reader, writer):
        try:
            async with asyncio.timeout(ANSWER_S):
                writer.write(START + data + END)
                await writer.drain()
                block = (await reader.readuntil(END)).removesuffix(END)
        except (OSError, EOFError, asyncio.LimitOverrunError, TimeoutError) as error:
            raise NotDelivered(f"it did not answer ({type(error).__name__})") from error
    return _read(block.removeprefix(START), control_id)


@asynccontextmanager
async def connected(to: Hl7Destination) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, closed afterwards.

    Raises:
        NotDelivered: there is none.
    """
    try:
        tls = to.tls.context() if to.tls else None
        async with asyncio.timeout(CONNECTING_S):
            reader, writer = await asyncio.open_connection(to.host, to.port, ssl=tls, limit=MOST_BYTES)
    except (OSError, TimeoutError) as error:  # ssl's errors among them
        why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__
        raise NotDelivered(f"it cannot be reached ({why}): address, port, firewall, TLS?") from error
    try:
        yield reader, writer
    finally:
        writer.close()


async def reach(to: Hl7Destination) -> None:
    """See that somebody listens; HL7 has no message for it.

    Raises:
        NotDelivered: nobody does.
    """
    async with connected(to):
        pass


def _read(block: bytes, control_id: str) -> Answer:
    try:
        answer = read_answer(block)
        segments = {str(one[0]): one for one in answer}
        if "MSA" not in segments:
            raise NotDelivered("its answer has no MSA segment")
        msa, err = segments["MSA"], segments.get("ERR")
        code, words = text(msa, 1), text(msa, 3)
        if text(msa, 2) != control_id:
            raise NotDelivered("its answer is to another message (MSA-2)")
        if not words and err is not None:
            words = text(err, 8) or text(err, 3, 2) or text(err, 3)
    except NotTaken as error:
        raise NotDelivered(f"its answer cannot be read: {error.detail}") from error
    if code not in TAKEN | REFUSED:
        raise NotDelivered("its answer says neither that it was taken nor that it was refused (MSA-1)")
    return Answer(code, words)
