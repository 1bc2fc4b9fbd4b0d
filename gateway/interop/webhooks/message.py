"""The message of an event, and its signature: thin, so that nothing of a patient goes over an address of others."""

import hashlib
import hmac
import json
from collections.abc import Sequence

from gateway.records.outbox import ASKED, Delivery

API_VERSION = "v1"
SIGNATURE = "Trabecula-Signature"
# The type of a message that somebody asked for, to try an address out.
TEST = "webhook.test"


def message_of(delivery: Delivery) -> bytes:
    """The body: JSON, the same at each attempt. `subject` is an id to ask the API for, and nothing else is said."""
    is_trial = delivery.event_type == ASKED
    body = {
        "id": str(delivery.event_id),
        "type": TEST if is_trial else delivery.event_type,
        "created_at": delivery.created_at.isoformat().replace("+00:00", "Z"),
        "subject": delivery.subject,
        "api_version": API_VERSION,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def signature_of(secrets: Sequence[str], body: bytes, at: int) -> str:
    """The value of the header: the time, and one `v1` for each secret that is good now.

    A receiver computes HMAC-SHA256 of the time, a full stop and the body under its secret, compares it with each `v1`,
    and refuses a time more than 300 seconds away.

    Args:
        at: seconds since 1970.
    """
    signed = f"{at}.".encode() + body
    made = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={one}" for one in made)])
