"""Who is asking: the dependency that every route but the health checks stands behind."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer

from gateway.accounts.scopes import Principal, Scope
from gateway.rooms import Rooms, rooms
from shared.problems import NotAuthenticated

_bearer = OAuth2PasswordBearer("/v1/tokens", scheme_name="person", auto_error=False)
_key = APIKeyHeader(name="X-API-Key", scheme_name="hospital system", auto_error=False)


async def principal(
    request: Request,
    house: Annotated[Rooms, Depends(rooms)],
    token: Annotated[str | None, Depends(_bearer)],
    key: Annotated[str | None, Depends(_key)],
) -> Principal:
    """The person or the hospital system behind the request.

    Raises:
        NotAuthenticated: no credential, two, or one that is not valid.
    """
    if token and key:
        raise NotAuthenticated("Send one credential: either Authorization or X-API-Key.")
    if key:
        found = await house.accounts.system(key)
    elif token:
        found = await house.accounts.person(house.tokens.account_of(token))
    else:
        raise NotAuthenticated("Send a credential: 'Authorization: Bearer <token>' or 'X-API-Key: <key>'.")
    request.state.principal = found
    return found


def needs(scope: Scope) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the principal, who must have this scope."""

    async def check(who: Annotated[Principal, Depends(principal)]) -> Principal:
        who.must_have(scope)
        return who

    return check
