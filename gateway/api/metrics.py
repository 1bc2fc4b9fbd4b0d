"""`/metrics` is for the installation's own Prometheus, which sends a token."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Header

from shared.problems import NotAuthenticated


def only_with(token: Callable[[], str]) -> Callable[..., Awaitable[None]]:
    """A dependency: the request has the token as its bearer.

    Args:
        token: reads the secret when it is first needed.
    """

    async def check(authorization: Annotated[str | None, Header()] = None) -> None:
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token().encode()):
            raise NotAuthenticated("Send 'Authorization: Bearer <TRABECULA_METRICS_TOKEN>'.")

    return check
