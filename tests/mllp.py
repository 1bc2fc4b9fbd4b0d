"""HL7 v2 in tests: messages as hospitals send them, and peers over real sockets, made of the library's own parts."""

import asyncio
from contextlib import asynccontextmanager

import hl7
from hl7.mllp import open_hl7_connection, start_hl7_server


def header(kind, control_id="1", sender="RIS|HOSPITAL", characters="UNICODE UTF-8", processing="P"):
    to, at = "TRABECULA|CLINIC", "20261128093000"
    return f"MSH|^~\\&|{sender}|{to}|{at}||{kind}|{control_id}|{processing}|2.5.1||||||{characters}"


def order(number="MRN-1", accession="A-1", control="NW", kind="ORM^O01^ORM_O01", **more):
    return "\r".join([
        header(kind, **more),
        f"PID|1||9^^^HOSPITAL^PI~{number}^^^HOSPITAL^MR||Śmith^Jané",
        f"ORC|{control}|P-77^RIS|F-88^RIS",
        f"OBR|1|P-77^RIS|F-88^RIS|XKNEE^Knee both^L||||||||||||D9^House^Gregory||{accession}",
    ]) + "\r"  # fmt: skip


def merge(retired, surviving, **more):
    return "\r".join([
        header("ADT^A40^ADT_A39", **more),
        "EVN|A40|20261128093000",
        f"PID|1||{surviving}^^^HOSPITAL^MR||DOE^JANE",
        f"MRG|{retired}^^^HOSPITAL^MR",
    ]) + "\r"  # fmt: skip


@asynccontextmanager
async def connected(port, tls=None, encoding="utf-8"):
    """A sender's connection; gives the function that sends a text and returns the parsed answer."""
    reader, writer = await open_hl7_connection("127.0.0.1", port, ssl=tls, encoding=encoding)

    async def send(text):
        writer.writeblock(text if isinstance(text, bytes) else text.encode(encoding))
        await writer.drain()
        async with asyncio.timeout(20):
            return await reader.readmessage()

    try:
        yield send
    finally:
        writer.close()


def verdict(answer):
    """The code, the control id that it is for, and the words."""
    msa = answer.segment("MSA")
    return str(msa(1)), str(msa(2)), str(msa(3)) if len(msa) > 3 else ""


@asynccontextmanager
async def order_system(answers, tls=None):
    """A receiver of results: `answers` are taken in turn, the last one for ever. Gives the port and what came.

    An answer is a code of MSA-1, a function of the message that gives a whole answer, or null for none.
    """
    came = []

    async def serve(reader, writer):
        try:
            while True:
                message = await reader.readmessage()
                came.append(message)
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if answer is None:
                    continue
                if callable(answer):
                    writer.writeblock(answer(message).encode())
                else:
                    made = message.create_ack(answer)
                    if answer != "AA":
                        made.segment("MSA").assign_field("no such order", 3)
                    writer.writemessage(made)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await start_hl7_server(serve, "127.0.0.1", 0, ssl=tls, encoding="utf-8", limit=4_000_000)
    try:
        yield server.sockets[0].getsockname()[1], came
    finally:
        server.close()


def fields(message, segment, number, component=1):
    """A component of a field in each segment of this name."""
    found = message.segments(segment) if any(str(one[0]) == segment for one in message) else []
    return [str(one.extract_field(1, number, 1, component)) for one in found]


def parsed(text):
    return hl7.parse(text)
