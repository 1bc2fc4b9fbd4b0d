"""A provider of OpenID Connect that answers, signs and stalls as a test tells it: an HTTP server on loopback.

What a real one does is the affair of tests/oidc; here is what none should do.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from joserfc.jwk import RSAKey


def signed(claims, key, algorithm="RS256", **header):
    """A token, made by hand: libraries refuse to make most of those that have to be refused.

    Args:
        key: a private key, or the bytes of a secret.
    """
    parts = [_base64(json.dumps(part).encode()) for part in ({"alg": algorithm, **header}, claims)]
    content = b".".join(parts)
    return b".".join([content, _base64(_signature(content, key, algorithm))]).decode()


def _signature(content, key, algorithm):
    if algorithm == "none":
        return b""
    if algorithm == "HS256":
        return hmac.digest(key, content, "sha256")
    if algorithm == "ES256":
        pair = utils.decode_dss_signature(key.private_key.sign(content, ec.ECDSA(hashes.SHA256())))
        return b"".join(number.to_bytes(32) for number in pair)
    return key.private_key.sign(content, padding.PKCS1v15(), hashes.SHA256())


def _base64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


class LyingProvider:
    """Answers under `/`; each test changes what it needs, and `reset` takes it back."""

    def __init__(self, port):
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.reset()

    def reset(self):
        self.keys = [self.key.as_dict(private=False)]
        self.metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        self.person = {"sub": "ada-1", "email": "ada@hospital.example", "groups": ["Radiology"]}
        self.token = None  # makes another token of (claims, provider)
        self.answer_token = None  # another answer of the token endpoint: (status, document)
        self.misbehave = None  # another way to answer at all: gets the handler
        self.userinfo = None
        self.asked, self.challenge = [], None

    def claims(self, **more):
        now = int(time.time())
        about = {"iss": self.issuer, "aud": "trabecula", "iat": now, "exp": now + 300, "nonce": self.nonce}
        return {**about, **self.person, **more}

    def begun(self, location):
        """Take in a browser; gives the state that it has to bring back."""
        query = parse_qs(urlsplit(location).query)
        self.nonce, self.challenge = query["nonce"][0], query["code_challenge"][0]
        assert query["code_challenge_method"] == ["S256"]
        self.query = query
        return query["state"][0]

    def answer(self, handler, path, form):
        self.asked.append((path, form))
        if self.misbehave is not None:
            return self.misbehave(handler)
        if path == "/.well-known/openid-configuration":
            return handler.send(200, self.metadata)
        if path == "/keys":
            return handler.send(200, {"keys": self.keys})
        if path == "/userinfo" and self.userinfo is not None:
            return handler.send(200, self.userinfo)
        if path == "/token":
            return handler.send(*self._tokens(form))
        return handler.send(404, {})

    def _tokens(self, form):
        if self.answer_token is not None:
            return self.answer_token
        if form["grant_type"] == ["authorization_code"]:
            digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
            if _base64(digest).decode() != self.challenge:
                return 400, {"error": "invalid_grant"}
        token = self.token(self) if self.token else signed(self.claims(), self.key, kid="one")
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": token, "refresh_token": "again"}


@contextmanager
def lying_provider():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            provider.answer(self, urlsplit(self.path).path, {})

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            provider.answer(self, urlsplit(self.path).path, parse_qs(body))

        def send(self, status, document, **headers):
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider = LyingProvider(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
