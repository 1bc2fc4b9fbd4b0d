"""Messages to a site's log server: RFC 5424 over TLS (RFC 5425), TCP with octet counts (RFC 6587) or UDP (RFC 5426)."""

import datetime as dt
import os
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from shared.problems import TrabeculaError

# Facility "log audit", and the severities that are used.
AUDIT = 13
INFORMATIONAL, WARNING = 6, 4
# Seconds for connecting, for sending, and for the server's own end of a connection.
TIMEOUT_S = 5


class NotDelivered(TrabeculaError):
    """The log server did not take the messages; the detail says why."""


@dataclass(frozen=True)
class SyslogMessage:
    """One message.

    Args:
        at: when what it tells happened.
        kind: MSGID, at most 32 printable characters without spaces.
        text: ASCII, such as JSON: in UTF-8 it would begin with a byte order mark, over which some receivers stumble.
        sequence: counts up, so that a receiver sees what is missing and what came twice; null without an order.
    """

    at: dt.datetime
    kind: str
    text: str
    severity: int = INFORMATIONAL
    sequence: int | None = None

    def encoded(self) -> bytes:
        """The message as RFC 5424 has it. `sequenceId` is below 2^31 there and begins again (7.3.1)."""
        at = self.at.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        data = "-" if self.sequence is None else f'[meta sequenceId="{(self.sequence - 1) % (2**31 - 1) + 1}"]'
        head = f"<{AUDIT * 8 + self.severity}>1 {at} {socket.gethostname()[:255]} trabecula {os.getpid()} {self.kind}"
        return f"{head} {data} {self.text}".encode("ascii")


@dataclass(frozen=True)
class Syslog:
    """A log server.

    Args:
        scheme: `tls` checks the server's certificate and name.
        ca: PEM file of the authorities that are trusted; the system's if null.
    """

    scheme: Literal["tls", "tcp", "udp"]
    host: str
    port: int
    ca: Path | None = None

    @classmethod
    def at(cls, url: str, ca: Path | None) -> "Syslog":
        """The server of a URL that the settings checked, such as tls://siem.hospital.example:6514."""
        parts = urlsplit(url)
        assert parts.scheme in ("tls", "tcp", "udp") and parts.hostname and parts.port  # noqa: S101, PT018
        return cls(parts.scheme, parts.hostname, parts.port, ca)  # type: ignore[arg-type]

    def send(self, messages: Iterable[SyslogMessage]) -> bool:
        """Send messages in order, in one connection. Blocking.

        Returns:
            Whether the server has them for certain: syslog has no acknowledgement, but a server that closes its own end
            after ours has read all that came before. By UDP nobody knows.

        Raises:
            NotDelivered: it cannot be reached, is not whom its certificate should name, or broke the connection.
        """
        lines = [message.encoded() for message in messages]
        try:
            if self.scheme == "udp":
                return self._send_datagrams(lines)
            with self._connected() as connection:
                connection.sendall(b"".join(f"{len(line)} ".encode() + line for line in lines))
                return _ended(connection)
        except OSError as error:
            raise NotDelivered(f"{self.scheme}://{self.host}:{self.port}: {error}") from error

    def reach(self) -> None:
        """See that it can be connected to; by UDP only that its name is known.

        Raises:
            NotDelivered: it cannot.
        """
        try:
            if self.scheme == "udp":
                socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)
            else:
                self._connected().close()
        except OSError as error:
            raise NotDelivered(f"{self.scheme}://{self.host}:{self.port}: {error}") from error

    def _connected(self) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout=TIMEOUT_S)
        if self.scheme == "tcp":
            return plain
        try:
            context = ssl.create_default_context(cafile=self.ca)
            return context.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise

    def _send_datagrams(self, lines: list[bytes]) -> bool:
        family, kind, protocol, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as sender:
            for line in lines:
                sender.sendto(line, address)
        return False


def _ended(connection: socket.socket) -> bool:
    """End our side and wait for the server to end its own."""
    try:
        if isinstance(connection, ssl.SSLSocket):
            connection = connection.unwrap()
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except ssl.SSLEOFError:  # closed without TLS's own goodbye, after ours
        return True
    return True
