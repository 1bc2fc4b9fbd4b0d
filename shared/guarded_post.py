"""Sending a message to an address that somebody else named: encrypted, bounded, never redirected or turned inward."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

import httpx

from shared.outside import certificates, pinned
from shared.problems import ServiceUnavailable


@dataclass(frozen=True)
class Taken:
    """What a receiver answered; its body is not read."""

    status: int
    retry_after_s: float | None


async def post(
    url: str, content: bytes, headers: Mapping[str, str], *, networks: Sequence[str], within_s: float
) -> Taken:
    """Send a message, and hear whether it was taken.

    The connection is direct: a proxy would look the name up itself, and nobody would know where the message goes.

    Args:
        url: https, or http on this machine.
        networks: private networks in which the address may lie.
        within_s: seconds for the whole call.

    Raises:
        ServiceUnavailable: the address may not be called, its name is unknown, no encrypted connection comes about, or
            there is no answer in time.
    """
    try:
        async with asyncio.timeout(within_s):
            sent = {**headers, "Accept-Encoding": "identity"}
            request = await pinned(httpx.Request("POST", url, headers=sent, content=content), networks)
            async with httpx.AsyncClient(verify=certificates(), trust_env=False, timeout=within_s) as client:
                response = await client.send(request, stream=True)
                await response.aclose()
                return Taken(response.status_code, retry_after_s(response.headers.get("retry-after")))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError) as error:
        # The class alone: a message of the library may quote the address, which may hold a secret.
        raise ServiceUnavailable(f"It does not answer ({type(error).__name__}).") from error


def retry_after_s(value: str | None) -> float | None:
    """The seconds that a header Retry-After asks for, as a number or as a date; null where it says nothing."""
    if value is None:
        return None
    try:
        return max(0.0, float(value) if value.strip().isdigit() else parsedate_to_datetime(value).timestamp() - time())
    except (ValueError, OverflowError):
        return None
