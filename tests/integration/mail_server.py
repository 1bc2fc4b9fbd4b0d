"""A mail server for tests: SMTP over a real socket, with STARTTLS and sign-in, that keeps what it is sent."""

import asyncio
import base64
import email
import email.policy
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """What came in; `answers` to a recipient are taken in turn, then 250."""

    port: int = 0
    mails: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    signed_in: list = field(default_factory=list)
    encrypted: list = field(default_factory=list)

    async def wait_for(self, count, seconds=15):
        for _ in range(seconds * 20):
            if len(self.mails) >= count:
                return self.mails
            await asyncio.sleep(0.05)
        raise AssertionError(f"{len(self.mails)} mails came, not {count}")


@asynccontextmanager
async def mail_server(tls=None):  # noqa: C901 -- a protocol's verbs
    server = MailServer()

    async def serve(reader, writer):  # noqa: C901
        is_encrypted = False

        async def say(line):
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        try:
            await say("220 mail.test ESMTP")
            while line := (await reader.readline()).decode():
                verb, _, rest = line.strip().partition(" ")
                verb = verb.upper()
                if verb in ("EHLO", "HELO"):
                    await say("250-mail.test")
                    if tls is not None and not is_encrypted:
                        await say("250-STARTTLS")
                    await say("250 AUTH PLAIN")
                elif verb == "STARTTLS":
                    await say("220 go ahead")
                    await writer.start_tls(tls)
                    is_encrypted = True
                elif verb == "AUTH":
                    given = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")[1:]
                    server.signed_in.append(given)
                    await say("235 welcome" if given[1] == "right" else "535 no")
                elif verb == "RCPT":
                    await say(server.answers.pop(0) if server.answers else "250 fine")
                elif verb == "DATA":
                    await say("354 go on")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    server.mails.append(email.message_from_bytes(data[:-3], policy=email.policy.default))
                    server.encrypted.append(is_encrypted)
                    await say("250 taken")
                elif verb == "QUIT":
                    await say("221 bye")
                    return
                else:
                    await say("250 fine")
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
