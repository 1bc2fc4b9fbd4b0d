"""Addresses that somebody else than the operator names: none of this machine, and none of the hospital's network."""

import ipaddress

import pytest

from shared.outside import ask
from shared.outside_addresses import is_permitted, permitted_address
from shared.problems import ServiceUnavailable

PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",  # noqa: S104 -- what is refused
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address):
    assert not is_permitted(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_may_be_asked(address):
    assert is_permitted(ipaddress.ip_address(address), ())


def test_a_site_allows_its_own_networks_and_no_others():
    networks = ("10.20.0.0/16", "fc00:1::/32")
    assert is_permitted(ipaddress.ip_address("10.20.3.4"), networks)
    assert is_permitted(ipaddress.ip_address("::ffff:10.20.3.4"), networks)
    assert is_permitted(ipaddress.ip_address("fc00:1::1"), networks)
    assert not is_permitted(ipaddress.ip_address("10.21.0.1"), networks)


async def test_every_address_of_a_name_has_to_be_permitted(monkeypatch):
    import asyncio

    async def both(*_, **__):
        return [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    with pytest.raises(ServiceUnavailable, match="private address"):
        await permitted_address("keys.example", 443, ())
    assert await permitted_address("keys.example", 443, ("10.0.0.0/8",)) == "8.8.8.8"


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "http://localhost:1/x", "https://[::1]/x", "https://10.0.0.1/"])
async def test_nothing_is_sent_there(url):
    with pytest.raises(ServiceUnavailable, match="private address"):
        await ask("GET", url, networks=())


@pytest.mark.parametrize("host", ["", "x" * 300, "a..b", "no-such-host.invalid"])
async def test_a_name_without_an_address_is_a_clear_error(host):
    with pytest.raises(ServiceUnavailable):
        await ask("GET", f"https://{host}/x", networks=())
