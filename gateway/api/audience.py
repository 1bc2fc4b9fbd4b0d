"""The gateway's address as a signed token has to name it."""

from typing import Annotated

from fastapi import Depends, Request

from gateway.context import Context
from shared.outside_addresses import is_loopback
from shared.problems import ServiceUnavailable


async def audience_root(request: Request, ctx: Context) -> str:
    """The gateway's address, which the audience of a token begins with.

    It is the one that the site has set. What a request says in its header Host is no address to go by: somebody who
    was sent a token for another server could name that one. Only the names of this very machine are taken from there.

    Raises:
        ServiceUnavailable: the site has set none, and the request came by another name.
    """
    if ctx.settings.public_url is not None:
        return ctx.settings.public_url.rstrip("/")
    here = str(request.base_url).rstrip("/")
    if not is_loopback(here):
        raise ServiceUnavailable("Signed tokens are not taken here: the operator has to set TRABECULA_PUBLIC_URL.")
    return here


AudienceRoot = Annotated[str, Depends(audience_root)]
