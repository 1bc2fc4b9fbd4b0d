"""`python -m shared.probe PORT`: the container's health check, which needs no curl.

Ends with 0 where `/health/ready` on this machine answers 200, with 1 otherwise. Only the standard library and little of
it: it runs every few seconds beside the service, and an import of an HTTP client would cost more than the question.
"""

import socket
import sys

TIMEOUT_S = 3
REQUEST = b"GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n"


def is_ready(port: int) -> bool:
    """Whether what listens on this port of this machine says that it is ready."""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
            connection.settimeout(TIMEOUT_S)
            connection.sendall(REQUEST)
            status = connection.makefile("rb").readline(100).split()
    except OSError:
        return False
    return status[1:2] == [b"200"]


if __name__ == "__main__":
    sys.exit(0 if is_ready(int(sys.argv[1])) else 1)
