"""TLS for senders of films (PS3.15 annex B): a peer that connects and then says nothing holds nobody up for long."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

# Seconds: the library shakes hands with one peer after another.
HANDSHAKE_S = 5


class ServerContext(ssl.SSLContext):
    """A server's context whose handshake ends in time; who fails is told to `on_failure` with the address and why."""

    on_failure: Callable[[str, str], None] | None = None

    @classmethod
    def of(cls, certificate: Path, key: Path, ca: Path | None) -> Self:
        """TLS 1.2 or later.

        Args:
            certificate: PEM file; `key` its key.
            ca: PEM file of those who vouch for senders; where it is given, a sender without a certificate is not heard.

        Raises:
            OSError: a file cannot be used.
        """
        made = cls(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.load_cert_chain(certificate, key)
        if ca is not None:
            made.load_verify_locations(ca)
            made.verify_mode = ssl.CERT_REQUIRED
        return made

    def wrap_socket(self, sock: socket.socket, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """The connection, encrypted.

        Raises:
            OSError: there was no handshake; the connection is closed.
        """
        address = str(sock.getpeername()[0])
        sock.settimeout(HANDSHAKE_S)
        try:
            wrapped = super().wrap_socket(sock, *arguments, **named)
        except OSError as error:
            sock.close()
            if self.on_failure is not None:
                self.on_failure(address, getattr(error, "verify_message", None) or type(error).__name__)
            raise
        wrapped.settimeout(None)
        return wrapped
