"""A receiver of webhooks: a real HTTPS server on loopback, which checks what it is sent as the guide says."""

import hashlib
import hmac
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.integration.test_audit_stream import certificate


@dataclass
class Message:
    """One call that came in."""

    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    def signed_with(self, secret):
        """Whether one of the signatures is of this secret, and of now."""
        parts = [part.partition("=")[::2] for part in self.headers["Trabecula-Signature"].split(",")]
        at = dict(parts)["t"]
        wanted = hmac.new(secret.encode(), f"{at}.".encode() + self.body, hashlib.sha256).hexdigest()
        return abs(time.time() - int(at)) < 300 and ("v1", wanted) in parts


@dataclass
class Receiver:
    """What came in, and what is answered to it: the next of `answers`, else 204."""

    url: str
    messages: list = field(default_factory=list)
    answers: list = field(default_factory=list)

    def wait_for(self, count, seconds=10):
        for _ in range(seconds * 20):
            if len(self.messages) >= count:
                return self.messages
            time.sleep(0.05)
        raise AssertionError(f"{len(self.messages)} messages came, not {count}")


def receiving(folder):
    """A running receiver, and the function that stops it. `folder` has its certificate afterwards, as cert.pem."""
    certificate(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.messages.append(Message(dict(self.headers), body))
            status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(f"https://localhost:{server.server_port}/hook?of=hospital")
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop():
        server.shutdown()
        server.server_close()

    return receiver, stop
