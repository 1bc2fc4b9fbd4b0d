"""Where a request came from, for the audit trail and nothing else: no log line carries an address."""

from contextvars import ContextVar, Token

_ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)
LONGEST = 45  # an IPv6 address that embeds an IPv4 one


def client_address() -> str | None:
    """The network address of the request being served; null outside of one."""
    return _ADDRESS.get()


def remember_client_address(address: str | None) -> Token[str | None]:
    """Keep an address at hand until `forget_client_address`."""
    return _ADDRESS.set(address[:LONGEST] if address else None)


def forget_client_address(token: Token[str | None]) -> None:
    """The request has been served."""
    _ADDRESS.reset(token)
