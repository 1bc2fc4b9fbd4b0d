"""What the pages' routes ask for: the house, who visits, and whether they may."""

from typing import Annotated

from fastapi import Depends

from gateway.accounts.credentials import needs
from gateway.accounts.scopes import Principal, Scope
from gateway.rooms import Rooms, rooms
from gateway.web.pages import visitor_of
from gateway.web.visits import Visitor

House = Annotated[Rooms, Depends(rooms)]
Visit = Annotated[Visitor, Depends(visitor_of)]


async def allowed(visitor: Visitor, scope: Scope, house: Rooms) -> Principal:
    """The principal, who must have this scope: the very check of the REST routes, with its line of the trail.

    Raises:
        NotAuthenticated: nobody is signed in.
        NotAuthorised: the scope is missing.
    """
    return await needs(scope)(visitor.known(), house)
