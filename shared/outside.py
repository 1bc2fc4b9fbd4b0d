"""Calls to a server outside the installation: bounded in time and size, encrypted, and never redirected."""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.outside_addresses import is_loopback, permitted_address
from shared.problems import ServiceUnavailable

WHOLE_CALL_S = 5.0
MOST_BYTES = 262_144


@dataclass(frozen=True)
class JsonAnswer:
    """An answer that is a JSON object."""

    status: int
    document: dict[str, Any]


async def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    networks: Sequence[str] | None = None,
    most_bytes: int = MOST_BYTES,
) -> JsonAnswer:
    """Ask for a JSON object.

    Args:
        url: https, or http on this very machine.
        body: a form, encoded.
        networks: for an address that somebody else than the operator chose: the private networks that it may lie in.
            It is then resolved once, and asked directly at what it resolved to. Null: the operator's own choice.
        most_bytes: of the answer.

    Raises:
        ServiceUnavailable: no whole answer in time, too large a one, or none that is a JSON object.
    """
    if not is_secure_url(url):
        raise ServiceUnavailable("An address of the provider is not encrypted.")
    try:
        async with asyncio.timeout(WHOLE_CALL_S):
            sent = {"Accept": "application/json", **(headers or {})}
            if networks is None:
                request = httpx.Request(method, url, headers=sent, content=body)
                return await _ask(request, most_bytes, through_proxy=not is_loopback(url))
            request = await pinned(httpx.Request(method, url, headers=sent, content=body), networks)
            return await _ask(request, most_bytes, through_proxy=False)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
        raise ServiceUnavailable(f"{_place(url)} does not answer ({type(error).__name__}).") from error
    except (ValueError, RecursionError) as error:
        raise ServiceUnavailable(f"{_place(url)} does not answer with a JSON object.") from error


async def pinned(request: httpx.Request, networks: Sequence[str]) -> httpx.Request:
    """The request at the very address that was looked at: a name that is resolved again could lead elsewhere."""
    url = request.url
    port = url.port or {"https": 443, "http": 80}[url.scheme]
    address = await permitted_address(url.host, port, networks)
    headers = request.headers.copy()
    headers["Host"] = url.netloc.decode("ascii")
    # The server's certificate still has to be that of the name.
    extensions = {"sni_hostname": url.host} if url.scheme == "https" else {}
    return httpx.Request(
        request.method,
        url.copy_with(host=address),
        headers=headers,
        content=request.content,
        extensions=extensions,
    )


async def _ask(request: httpx.Request, most_bytes: int, through_proxy: bool) -> JsonAnswer:
    # Not compressed: a small answer could otherwise unfold to any size.
    request.headers["Accept-Encoding"] = "identity"
    client = httpx.AsyncClient(verify=certificates(), trust_env=through_proxy, timeout=WHOLE_CALL_S)
    async with client:
        response = await client.send(request, stream=True)
        try:
            whole = bytearray()
            async for piece in response.aiter_raw():
                whole += piece
                if len(whole) > most_bytes:
                    raise ServiceUnavailable(f"{request.headers['Host']} answers with more than {most_bytes} bytes.")
        finally:
            await response.aclose()
    document = json.loads(whole)
    if not isinstance(document, dict):
        raise ValueError("no object")
    return JsonAnswer(response.status_code, document)


def is_secure_url(url: str) -> bool:
    """Whether nobody on the way can read or change what is said to an address: https, or this very machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname or parts.username or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))


@cache
def certificates() -> ssl.SSLContext:
    """Whom to believe, read once; `SSL_CERT_FILE` names a hospital's own authority."""
    return httpx.create_ssl_context()


def _place(url: str) -> str:
    return urlsplit(url).netloc
