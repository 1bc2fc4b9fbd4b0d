"""Tokens that systems sign, right ones and wrong ones, and a server on loopback that publishes their keys."""

import base64
import hmac
import json
import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from joserfc.jwk import ECKey, RSAKey

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384()}
RSA, EC = RSAKey.generate_key(2048, {"kid": "rsa"}), ECKey.generate_key("P-384", {"kid": "ec"})


def public(*keys):
    """A JWK Set."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(claims, key, algorithm="RS384", **header):
    """A token, made by hand: libraries refuse to make most of those that have to be refused.

    Args:
        key: a private key, or the bytes of a secret.
        header: members beside `alg`, `typ` and `kid`; null leaves one out.
    """
    whole = {"alg": algorithm, "typ": "JWT", "kid": getattr(key, "kid", None), **header}
    kept = {name: value for name, value in whole.items() if value is not None}
    content = b".".join(_base64(json.dumps(part).encode()) for part in (kept, claims))
    return b".".join([content, _base64(_signature(content, key, algorithm))]).decode()


def _signature(content, key, algorithm):
    if algorithm == "none":
        return b""
    if algorithm.startswith("HS"):
        return hmac.digest(key, content, f"sha{algorithm[2:]}")
    digest = HASHES[algorithm[2:]]
    if algorithm.startswith("ES"):
        numbers = utils.decode_dss_signature(key.private_key.sign(content, ec.ECDSA(digest)))
        return b"".join(number.to_bytes(48) for number in numbers)
    return key.private_key.sign(content, padding.PKCS1v15(), digest)


def _base64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def claims(issuer, audience, **more):
    """Those of a good token; null leaves one out."""
    moment = int(time.time())
    whole = {
        "iss": issuer,
        "sub": issuer,
        "aud": audience,
        "exp": moment + 240,
        "iat": moment,
        "jti": str(uuid.uuid4()),
    }
    return {name: value for name, value in {**whole, **more}.items() if value is not None}


class KeyServer:
    """Publishes a document under any path, and counts who asks."""

    def __init__(self, port):
        self.url, self.document, self.status, self.asked = f"http://127.0.0.1:{port}/jwks.json", public(RSA, EC), 200, 0
        self.authorization = None


@contextmanager
def key_server():
    """A server of keys while a test runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found.asked += 1
            found.authorization = self.headers["Authorization"]
            body = json.dumps(found.document).encode()
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = KeyServer(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
