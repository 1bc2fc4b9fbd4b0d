"""Who calls a CDS service, and under which id the call stands in log and trail."""

from contextlib import AbstractContextManager
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.api.audience import audience_root
from gateway.assessing.cds import CdsCaller
from gateway.context import Context
from gateway.interop.cds.services import BY_ID, Service
from shared.outside_addresses import is_loopback
from shared.problems import NotFound

_bearer = HTTPBearer(
    scheme_name="cds_client",
    bearerFormat="JWT",
    description="Signed by the record system: RS384 or ES384, `aud` the address of the service, good once",
    auto_error=False,
)
# Whoever comes through a proxy is not on this machine, although the proxy may be.
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
FEEDBACK = "/feedback"


async def cds_caller(
    request: Request, ctx: Context, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> CdsCaller:
    """The record system behind the request.

    Raises:
        NotAuthenticated: no token, or one that is not valid.
        NotFound: there is no such service.
    """
    token, audiences = bearer.credentials if bearer else None, []
    if token is not None:
        service_named(request.path_params["service_id"])
        called = f"{await audience_root(request, ctx)}{request.scope['path']}"
        # A client that reports back may name the service itself as well, whose address it knows.
        audiences = [called, called.removesuffix(FEEDBACK)]
    return await ctx.cds.caller(token, list(dict.fromkeys(audiences)), _is_from_here(request))


def service_named(service_id: str) -> Service:
    """The service of this id.

    Raises:
        NotFound: there is none.
    """
    if service_id not in BY_ID:
        raise NotFound(f"There is no CDS service {service_id[:60]}; GET /cds-services lists them.")
    return BY_ID[service_id]


def _is_from_here(request: Request) -> bool:
    host = request.client.host if request.client else ""
    return is_loopback(f"http://[{host}]" if ":" in host else f"http://{host}") and not any(
        name in request.headers for name in FORWARDED
    )


def under_instance(body: Any) -> AbstractContextManager[Any]:
    """Puts the lines of log and trail under the client's own id of the call (`hookInstance`), while a block runs."""
    given = body.get("hookInstance") if isinstance(body, dict) else None
    try:
        bound = {"request_id": str(UUID(given))} if isinstance(given, str) else {}
    except ValueError:
        bound = {}
    return structlog.contextvars.bound_contextvars(**bound)


Caller = Annotated[CdsCaller, Depends(cds_caller)]
