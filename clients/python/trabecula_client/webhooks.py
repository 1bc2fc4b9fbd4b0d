"""Checking that a webhook's message comes from the installation."""

import hashlib
import hmac
import time


def is_genuine(secret: str, header: str, body: bytes, tolerance_s: int = 300) -> bool:
    """Whether a message was signed with this secret, a moment ago.

    Args:
        secret: of the webhook, `whsec_...`.
        header: `Trabecula-Signature`: `t=<seconds>,v1=<hex>`, with two `v1` while the secret is renewed.
        body: as it came, before anything reads it.
        tolerance_s: how old it may be, in seconds.
    """
    parts = [part.partition("=")[::2] for part in header.split(",")]
    at = dict(parts).get("t", "")
    if not at.isdecimal() or abs(time.time() - int(at)) > tolerance_s:
        return False
    wanted = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return any(name == "v1" and hmac.compare_digest(value.encode(), wanted.encode()) for name, value in parts)
