"""Which addresses a server outside may have, where somebody else than the operator names it.

An address of this machine or of the hospital's network would let a caller make the gateway ask what nobody else can
reach. So a name is resolved here, once, and every address that it has must be public or in a network that the site
allows (OWASP, server-side request forgery prevention).
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from shared.problems import ServiceUnavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# They stand for an IPv4 address that a translator on the way would take out of them (RFC 6052, RFC 3056).
TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))


async def permitted_address(host: str, port: int, networks: Sequence[str]) -> str:
    """An address of a host that may be asked.

    Args:
        networks: private networks that the site allows, as 10.20.0.0/16.

    Raises:
        ServiceUnavailable: it has none, or one that is private and not allowed.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServiceUnavailable(f"{host} has no address.") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if not is_permitted(address, networks):
            raise ServiceUnavailable(
                f"{host} has a private address, which is not asked: the operator allows networks with "
                "TRABECULA_ALLOWED_PRIVATE_NETWORKS."
            )
    # Not every network that has IPv6 addresses has a way out for them.
    return str(min(addresses, key=lambda address: address.version))


def is_permitted(address: Address, networks: Sequence[str]) -> bool:
    """Whether an address is public, or in one of the networks."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    plain = mapped or address
    if any(plain in ipaddress.ip_network(network) for network in networks):
        return True
    return plain.is_global and not plain.is_multicast and not any(plain in network for network in TRANSLATED)


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
