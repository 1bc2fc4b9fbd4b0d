"""The clinic's registration code: whoever was given it may make a patient's account."""

import hmac


def is_registration_code(given: str, code: str) -> bool:
    """Whether somebody typed the code, however they wrote it."""
    return hmac.compare_digest(_plain(given), _plain(code))


def _plain(code: str) -> bytes:
    return "".join(filter(str.isalnum, code)).upper().encode(errors="replace")
