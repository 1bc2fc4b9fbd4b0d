"""What the pages' routes ask for: the house, who visits, and whether they may."""

from typing import Annotated

from fastapi import Depends

from gateway.api.deps import needs
from gateway.context import Rooms, rooms
from gateway.pages.page import visitor_of
from gateway.pages.sessions import Visitor
from gateway.platform.identity.scopes import Principal, Scope

House = Annotated[Rooms, Depends(rooms)]
Visit = Annotated[Visitor, Depends(visitor_of)]


async def allowed(visitor: Visitor, scope: Scope, house: Rooms) -> Principal:
    """The principal, who must have this scope: the very check of the REST routes, with its line of the trail.

    Raises:
        NotAuthenticated: nobody is signed in.
        NotAuthorised: the scope is missing.
    """
    return await needs(scope)(visitor.known(), house)
