"""The key pair that a browser seals an account's unsent forms with: the private half only leaves with a session."""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import ec

CURVE, COORDINATE_BYTES = ec.SECP256R1(), 32


def draft_key(secret: bytes, account: str) -> dict[str, str]:
    """The pair of one account as a JSON Web Key, the same at every call.

    Args:
        secret: the installation's, for pages; whoever has it can sign in as anybody.
        account: the account's id.
    """
    # 512 bits reduced to the curve's order: no number is noticeably likelier than another.
    drawn = hmac.new(secret, f"draft:{account}".encode(), hashlib.sha512).digest()
    private = ec.derive_private_key(int.from_bytes(drawn, "big") % (CURVE.group_order - 1) + 1, CURVE).private_numbers()
    public = private.public_numbers
    numbers = {"x": public.x, "y": public.y, "d": private.private_value}
    return {"kty": "EC", "crv": "P-256", **{name: _base64url(number) for name, number in numbers.items()}}


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(COORDINATE_BYTES, "big")).rstrip(b"=").decode()
