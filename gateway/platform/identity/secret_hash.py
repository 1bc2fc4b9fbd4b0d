"""The stored form of a random secret."""

import hashlib


def digest(secret: str) -> bytes:
    """SHA-256: enough for random secrets of 256 bits, which nobody can guess through."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
