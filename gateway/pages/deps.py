"""What the pages' routes ask for: the context, who is signed in, and whether they may."""

from typing import Annotated

from fastapi import Depends

from gateway.api.deps import needs
from gateway.context import AppContext, get_context
from gateway.pages.page import current_user
from gateway.pages.sessions import CurrentUser
from gateway.platform.identity.scopes import Principal, Scope

Context = Annotated[AppContext, Depends(get_context)]
User = Annotated[CurrentUser, Depends(current_user)]


async def allowed(user: CurrentUser, scope: Scope, ctx: AppContext) -> Principal:
    """The principal, who must have this scope: the very check of the REST routes, with its line of the trail.

    Raises:
        NotAuthenticated: nobody is signed in.
        NotAuthorised: the scope is missing.
    """
    return await needs(scope)(user.known(), ctx)
