"""Connections that bring no request end by themselves, and however many there are, whoever has a request is served."""

import socket
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from shared.connections import HEAD_S, LARGEST_HEAD_BYTES, MOST_CONNECTIONS
from tests.e2e.conftest import running

SOON_S = HEAD_S + 5
HALF = b"GET /health/live HTTP/1.1\r\nHost: g\r\nX-Half:"
WHOLE = HALF + b" 1\r\n\r\n"


@pytest.fixture(scope="module", params=["gateway", "service"])
def server(request, tmp_path_factory):
    state = tmp_path_factory.mktemp(request.param)
    if request.param == "gateway":
        services = '{"imaging": "http://127.0.0.1:9", "staging": "http://127.0.0.1:9", '
        services += '"clinical": "http://127.0.0.1:9", "recommender": "http://127.0.0.1:9"}'
        # Its services are nowhere, so that it starts at once; it answers /health/live all the same.
        started = running("serve", state=state, log=state / "log", ready="/health/live", TRABECULA_SERVICES=services)
    else:
        module, secret = "services.recommender", "0" * 48
        started = running(state=state, log=state / "log", module=module, TRABECULA_INTERNAL_SECRET=secret)
    with started as found:
        yield urlsplit(found.url)


@contextmanager
def connected(server):
    with socket.create_connection((server.hostname, server.port), timeout=SOON_S + 15) as connection:
        yield connection


def seconds_until_closed(connection):
    """How long the other side keeps the connection; whatever it sends is left out."""
    began = time.monotonic()
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass
    return time.monotonic() - began


def ask(connection):
    """The status of a whole request on a connection that stays open."""
    connection.sendall(WHOLE)
    received = b""
    while not received.endswith(b"}"):
        received += connection.recv(65536)
    return int(received.split()[1])


def test_silence_half_a_head_and_a_trickle_end_soon_and_a_connection_that_was_used_does_not(server):
    with ExitStack() as stack:
        silent, half, trickle, second, used = (stack.enter_context(connected(server)) for _ in range(5))
        half.sendall(HALF)
        assert (ask(second), ask(used)) == (200, 200)
        second.sendall(HALF)
        began = time.monotonic()
        try:
            for byte in HALF.ljust(100, b"x"):
                trickle.sendall(bytes([byte]))
                time.sleep(0.5)
        except ConnectionError:
            pass
        assert HEAD_S - 2 < time.monotonic() - began < SOON_S, "single bytes win no time"
        for ended in (silent, half, second):
            assert seconds_until_closed(ended) < 1, "it was closed meanwhile"
        assert ask(used) == 200


def test_a_head_without_end_is_cut_off(server):
    def send_on(connection):
        for _ in range(400):
            connection.sendall(b"x" * (LARGEST_HEAD_BYTES // 8))
            time.sleep(0.005)

    with connected(server) as connection:
        connection.sendall(HALF)
        with pytest.raises(ConnectionError):
            send_on(connection)


def test_however_many_connections_say_nothing_whoever_has_a_request_is_served(server):
    url = f"http://{server.netloc}/health/live"
    with ExitStack() as stack:
        many = [stack.enter_context(connected(server)) for _ in range(MOST_CONNECTIONS + 100)]
        answers = [httpx.get(url, timeout=5).status_code for _ in range(20)]
        assert answers == [200] * 20
        many[0].settimeout(2)
        assert seconds_until_closed(many[0]) < 2, "the one that said nothing for longest made room"
